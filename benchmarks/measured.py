"""How the figures of a benchmark are kept: with the versions and the processor beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from digitlab.training.process import environment as training_environment

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("onnxruntime", "opencv-python-headless", "pillow")


def environment() -> dict[str, str]:
    """Name the versions, processor and system that figures of the recognizer depend on."""
    return training_environment() | {name: version(name) for name in _PACKAGES}


def write_results(name: str, values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write all as `results/NAME.json`, and the rows of the table as `results/NAME.csv`."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(values, indent=2) + "\n", "utf-8")
    with (RESULTS / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)), restval="")
        table.writeheader()
        table.writerows(rows)
