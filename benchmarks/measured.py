"""How the figures of a benchmark are kept: with the versions and the processor beside them."""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from paths import results_folder

from digitlab.errors import UserError
from digitlab.files import write_whole
from digitlab.training.process import environment as training_environment

_PACKAGES = ("onnxruntime", "opencv-python-headless", "pillow")


def environment() -> dict[str, str]:
    """Name the versions, processor and system that figures of the recognizer depend on."""
    return training_environment() | {name: version(name) for name in _PACKAGES}


def add_place(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where measurements are kept."""
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where figures are kept [digitlab-results/measurements]"
    )
    parser.add_argument("--publish", action="store_true", help="replace the results that the clone publishes")


def results_file(arguments: argparse.Namespace, name: str) -> Path:
    """Find `NAME.json`, before anything is measured.

    Raises:
        UserError: no benchmark wrote the file of that name, or `--publish` and `--out` are both given.
    """
    path = results_folder(arguments.out, arguments.publish) / f"{name}.json"
    table = path.with_suffix(".csv")
    if path.exists() and "environment" not in read_results(path):
        raise UserError(f"{path}: expected figures of a benchmark, received another file; name --out DIR")
    if table.exists() and not path.exists():
        raise UserError(f"{table}: expected no such file where {path.name} is not; name --out DIR")
    return path


def read_results(path: Path) -> dict[str, Any]:
    """Read what was kept; nothing if that is no such file."""
    try:
        known = json.loads(path.read_bytes())
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def write_results(path: Path, values: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] = ()) -> None:
    """Write all as a JSON file, and the rows of the table, if there are any, as a CSV file beside it."""
    write_whole(path, (json.dumps(values, indent=2) + "\n").encode())
    if rows:
        write_table(path.with_suffix(".csv"), rows)
    print(f"kept in {path}", file=sys.stderr)


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as a CSV file, with the columns of all rows.

    Args:
        path: path of the file, which is replaced.
        rows: rows, each a mapping from column to cell.
    """
    text = io.StringIO(newline="")
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_whole(path, text.getvalue().encode())


def process_memory(field: str, process: int | str = "self") -> int | None:
    """Return the memory of a process in bytes, as Linux reports it; None on other systems.

    Args:
        field: `VmRSS` for the present memory, `VmHWM` for its peak.
        process: id of the process.
    """
    try:
        text = Path(f"/proc/{process}/status").read_text("ascii")
    except OSError:
        return None
    line = next(line for line in text.splitlines() if line.startswith(f"{field}:"))
    return 1024 * int(line.split()[1])
