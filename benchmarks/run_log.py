"""Runs of a long measurement, saved in one file as they end, so that it can be resumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from case import Case, JobRequest
from measured import write_table

from digitlab.cli.progress import part_bar
from digitlab.errors import OutputError, UserError
from digitlab.files import write_whole


class RunLog:
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
        for beside in (path.with_suffix(".csv"), path.with_suffix(".png")):
            if beside.exists() and not path.exists():
                raise OutputError(
                    f"{beside}: expected no such file where {path.name} is not, received one that is there; "
                    "name another folder with --out"
                )

    def runs(self, case: Case) -> list[dict[str, Any]]:
        """Return the runs of a case that count, ordered by their number."""
        runs = [
            run for run in self._runs if run["key"] == case.key and run["environment"] == self.environment
        ]
        return sorted(runs, key=lambda run: run["number"])

    def has(self, case: Case, number: int) -> bool:
        """Return whether a run exists and counts."""
        return any(run["number"] == number for run in self.runs(case))

    def add(self, case: Case, number: int, values: Mapping[str, Any]) -> None:
        """Save a run, in place of an earlier one with the same key, number and environment.

        Args:
            case: case that ran.
            number: index of the run among those of the case: a seed, or a round.
            values: results of the run, as plain values.
        """
        identity = {"key": case.key, "number": number, "environment": self.environment}
        others = [run for run in self._runs if any(run[name] != value for name, value in identity.items())]
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        run = {"contestant": case.name, **identity, **values, "ended": ended}
        self._runs = [*others, run]
        self._save()

    def complete(
        self, title: str, requests: Sequence[JobRequest], run: Callable[[JobRequest], Mapping[str, Any]]
    ) -> None:
        """Make the requested runs that are missing, each saved as it ends, and show their progress.

        Args:
            title: title of the progress bar.
            requests: runs in the order in which they are made.
            run: function that makes a run and returns its results as plain values.

        Raises:
            DigitlabError: a run failed; the runs before it are saved.
        """
        missing = [request for request in requests if not self.has(*request)]
        with part_bar(title, len(missing)) as on_part:
            for request in missing:
                on_part(f"{request.case.name}, run {request.number + 1}")
                self.add(*request, run(request))

    def summarize(self, rows: Sequence[Mapping[str, Any]], **values: Any) -> None:
        """Write the summary of the runs, into the JSON file before them and as a CSV file.

        Args:
            rows: rows of the table, at least one, each a mapping from column to cell.
            values: further plain values of the summary.
        """
        self._summary = {"environment": self.environment, "rows": list(rows), **values}
        self._save()
        write_table(self.path.with_suffix(".csv"), [{**row, **self.environment} for row in rows])

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
            f"{path}: expected runs of a benchmark, received something else; move the file "
            "away, or name another folder with --out"
        ) from None
    return runs, summary
