"""Warnings about grave faults of a command's data, before anything is trained or scored on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from digitlab.cli.console import say

if TYPE_CHECKING:
    from digitlab.data.dataset import Dataset


def warn_of_data(names: Iterable[str], load: Callable[[str], Dataset] | None = None) -> None:
    """Load data sets, and warn on stderr of their grave faults, in one line each.

    Data sets of the catalogue were inspected before, and are not loaded.

    Args:
        names: names or folders as accepted by `--data`; duplicates are ignored.
        load: function that loads a data set by its name or folder (None: `digitlab.data.load`).

    Raises:
        DataError: a data set cannot be loaded.
    """
    from digitlab.data.catalog import CATALOG
    from digitlab.data.dataset import load as load_data

    for name in sorted(set(names)):
        if name not in CATALOG:
            warn_of_dataset((load or load_data)(name))


def warn_of_dataset(dataset: Dataset, first: str = "train") -> None:
    """Warn on stderr of the grave faults of a loaded data set, in one line.

    Args:
        dataset: data set for training or scoring.
        first: part, `train` or `test`, whose faults are named first.
    """
    from digitlab.data.catalog import known_entry
    from digitlab.data.inspection import inspect_dataset

    if known_entry(dataset.name, dataset.fingerprint):
        return  # inspected before it was published with digitlab
    grave = [finding for finding in inspect_dataset(dataset) if finding.grave]
    if not grave:
        return
    grave.sort(key=lambda finding: finding.part != first)
    line = f"warning: data {dataset.name}: {grave[0].sentence}"
    if len(grave) > 1:
        line += f"; and {len(grave) - 1} more:  digitlab data check"
    say(line)
