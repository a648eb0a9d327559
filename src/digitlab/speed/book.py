"""Runs of a long measurement, saved in one file as they end, so that it can be resumed."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from digitlab.errors import OutputError, UserError
from digitlab.files import write_whole


class Book:
    """A JSON file of runs and their summary, and a CSV file of the table beside it.

    A run counts if it would be made in the same way now: with the same key, versions and processor. Other
    runs stay in the file. Both files are written whole or not at all.

    Args:
        path: path of the JSON file; it need not exist.
        environment: versions, processor and system of this machine.

    Raises:
        UserError: the file cannot be read, or does not hold runs.
        OutputError: a table or figure of that name exists without the JSON file: it is not ours to replace.
    """

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self.path = path
        self.environment = dict(environment)
        self._runs, self._summary = _read(path)
        beside = [path.with_suffix(suffix) for suffix in (".csv", ".png")]
        if not path.exists() and (strange := next((each for each in beside if each.exists()), None)):
            raise OutputError(
                f"{strange}: expected no such file where {path.name} is not, received one that is there; "
                "name another folder with --out"
            )

    def runs(self, key: str) -> list[dict[str, Any]]:
        """Return the runs of a contestant that count, ordered by their number."""
        mine = [run for run in self._runs if run["key"] == key and run["environment"] == self.environment]
        return sorted(mine, key=lambda run: run["number"])

    def has(self, key: str, number: int) -> bool:
        """Return whether a run exists and counts."""
        return any(run["number"] == number for run in self.runs(key))

    def add(self, contestant: str, key: str, number: int, values: Mapping[str, Any]) -> None:
        """Save a run, in place of an earlier one with the same key, number and environment.

        Args:
            contestant: name of the contestant, for people.
            key: key of the contestant; see `key_of`.
            number: index of the run among those of the key: a seed, or a round.
            values: results of the run, as plain values.
        """
        place = {"key": key, "number": number, "environment": self.environment}
        kept = [run for run in self._runs if any(run[name] != value for name, value in place.items())]
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        self._runs = [*kept, {"contestant": contestant, **place, **values, "ended": ended}]
        self._save()

    def summarize(self, rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
        """Write the summary of the runs, into the JSON file before them and as a CSV file.

        Args:
            rows: rows of the table, at least one, each a mapping from column to cell.
            values: further plain values of the summary.
        """
        self._summary = {"environment": self.environment, "rows": list(rows), **values}
        self._save()
        text = io.StringIO(newline="")
        columns = list(dict.fromkeys(key for row in rows for key in (*row, *self.environment)))
        table = csv.DictWriter(text, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows({**row, **self.environment} for row in rows)
        write_whole(self.path.with_suffix(".csv"), text.getvalue().encode())

    def _save(self) -> None:
        whole = {**self._summary, "runs": self._runs}
        write_whole(self.path, (json.dumps(whole, indent=1) + "\n").encode())


def _read(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    if not path.exists():
        return [], {}
    try:
        summary = json.loads(path.read_text("utf-8"))
        runs = summary.pop("runs")
        for run in runs:
            _ = run["contestant"], run["key"], run["number"], run["environment"]
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"{path}: expected runs that digitlab bench has kept, received something else; move the file "
            "away, or name another folder with --out"
        ) from None
    return runs, summary


def key_of(*decisive: str) -> str:
    """Hash all that decides how a contestant trains into its key: sixteen hexadecimal digits."""
    return hashlib.sha256("\0".join(decisive).encode()).hexdigest()[:16]
