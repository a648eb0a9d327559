"""What is grave about the data that a command is given, said before anything is trained or scored on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from digitlab.cli.console import say

if TYPE_CHECKING:
    from digitlab.data.dataset import Dataset


def warn_of_data(names: Iterable[str]) -> None:
    """Load data sets and say on stderr what is grave about them, a line each.

    Those of the catalogue have the contents that were looked at before, and are not loaded.

    Args:
        names: as `--data` takes them, each said once.

    Raises:
        DataError: one of them cannot be loaded.
    """
    from digitlab.data.catalog import CATALOG
    from digitlab.data.dataset import load

    for name in sorted(set(names)):
        if name not in CATALOG:
            warn_of_dataset(load(name))


def warn_of_dataset(dataset: Dataset, first: str = "train") -> None:
    """Say on stderr what is grave about a data set that is loaded, in one line.

    Args:
        dataset: that is trained or scored on.
        first: the part, `train` or `test`, that matters most to who asks.
    """
    from digitlab.data.catalog import known_entry
    from digitlab.data.inspection import inspect_dataset

    if known_entry(dataset.name, dataset.fingerprint):
        return  # looked at before it was published with digitlab
    grave = [finding for finding in inspect_dataset(dataset) if finding.grave]
    if grave:
        grave.sort(key=lambda finding: finding.part != first)
        more = f"; and {len(grave) - 1} more:  digitlab data check" if len(grave) > 1 else ""
        say(f"warning: data {dataset.name}: {grave[0].sentence}{more}")
