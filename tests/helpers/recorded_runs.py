"""Runs as programs print them, and programs that print one at once, in a process of their own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training_cases import TrainingCase

Ends = Sequence[tuple[int, float, float]]
"""Epoch, seconds and accuracy."""


def run_of(ends: Ends) -> dict[str, Any]:
    """A run of these schedules, with two seconds of import and one of compiling."""
    epochs = [{"epoch": epoch, "seconds": seconds, "accuracy": right} for epoch, seconds, right in ends]
    return {"import_seconds": 2.0, "compile_seconds": 1.0, "epochs": epochs, "versions": {}}


def printing(name: str, ends: Ends, diary: Path, published: float | None = None) -> TrainingCase:
    """A program that prints a run, and notes its name and seed in a file."""
    code = (
        "import sys\n"
        "with open(sys.argv[1], 'a') as diary:\n"
        f"    diary.write({name!r} + ' ' + sys.argv[sys.argv.index('--seed') + 1] + '\\n')\n"
        f"print({json.dumps(run_of(ends))!r})"
    )
    return TrainingCase(name, f"key of {name}", (sys.executable, "-c", code, str(diary)), published)
