"""Runs of a long measurement, kept in one file as they end, so that it goes on where it stopped."""

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
    """A JSON file of runs and what was made of them, and a CSV file of the table beside it.

    A run counts where it was made as it would be made now: with the same key, versions and processor. Others
    stay in the file. Both files are written whole.

    Args:
        path: of the JSON file; it need not be there.
        environment: versions, processor and system of this machine.

    Raises:
        UserError: the file cannot be read, or is no such file.
        OutputError: a table or figure of that name is there without it, and so is somebody else's.
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
        """Give the runs of a contestant that count, by their number."""
        mine = [run for run in self._runs if run["key"] == key and run["environment"] == self.environment]
        return sorted(mine, key=lambda run: run["number"])

    def has(self, key: str, number: int) -> bool:
        """Say whether a run is there and counts."""
        return any(run["number"] == number for run in self.runs(key))

    def add(self, contestant: str, key: str, number: int, values: Mapping[str, Any]) -> None:
        """Keep a run.

        Args:
            contestant: its name, for people.
            key: what tells its settings from all others.
            number: of the run among those of the key: a seed, or a round.
            values: plain ones, what came of it.
        """
        place = {"key": key, "number": number, "environment": self.environment}
        kept = [run for run in self._runs if any(run[name] != value for name, value in place.items())]
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        self._runs = [*kept, {"contestant": contestant, **place, **values, "ended": ended}]
        self._save()

    def summarize(self, rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
        """Write what was made of the runs, before them and as a CSV file.

        Args:
            rows: of the table, at least one, each a mapping from column to cell.
            values: further plain ones.
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
    """Make the key of a contestant from all that decides how it trains: sixteen hexadecimal digits."""
    return hashlib.sha256("\0".join(decisive).encode()).hexdigest()[:16]
