"""What each step of the recognizer is worth: points lost where it is off.

    python benchmarks/ablation.py [SAMPLES ...] [--kinds 15] [--rows 150] [--pages 6] [--steps NAME ...]

The same pictures are read with all steps, then with one step off at a time: some of each drawn kind, amounts
and forms of MNIST's validation digits, and of each SAMPLES folder (scans of one digit each, a `labels.csv`:
file, label, writer) the pictures of the writers that things may be chosen on, and pages composed of them.
Beside a loss stands how many pictures only one of both read. Writes `ablation.json` and `ablation.csv` into
digitlab-results/measurements, or --out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from amounts import amount, form_line
from command import run
from hard_pictures import KINDS, kind
from labelled_pictures import chosen, read_labels
from measured import add_place, environment, results_file, write_results
from outcomes import Outcome, outcome
from page_composer import compose
from pages import load_digits
from pen import MnistWriter

from digitlab.recognition import (
    Recognizer,
    ink,
    ink_regions,
    page,
    recognizer,
    row_crop,
    row_reader,
    rows,
    verify,
)

Pictures = list[tuple[object, str]]
Off = Callable[[], AbstractContextManager[object]]


def _instead(module: object, name: str, function: Callable) -> Off:
    """Put another function in the place of one that a module calls."""
    return lambda: patch.object(module, name, function)


def _set(function: Callable, parameters: object, **values: object) -> Off:
    """Call a function with other parameters than its usual ones."""
    changed_parameters = replace(parameters, **values)  # type: ignore[type-var]
    defaults = function.__defaults__ or ()
    changed = tuple(changed_parameters if default is parameters else default for default in defaults)
    return lambda: patch.object(function, "__defaults__", changed)


def _nothing(*_: object, **__: object) -> None:
    return None


STEPS: dict[str, Off] = {
    "three widths: one alone": lambda: patch.object(row_reader, "STRETCHES", (1.0,)),
    "second opinion: the row reader alone decides": _set(
        verify.judge,
        verify.PARAMETERS,
        offset=50.0,
        told=0.0,
        agreement=0.0,
        letter=0.0,
        letter_agreed=0.0,
        lone_offset=50.0,
        lone_told=0.0,
        lone_digit=0.0,
    ),
    "ink that the row reader passed over": lambda: patch.object(ink_regions, "PASSED_OVER", np.inf),
    "the whole picture is looked at, too": _instead(recognizer, "_may_be_a_row", lambda *_: False),
    "pale strokes": _instead(row_crop, "has_pale_strokes", lambda *_: False),
    "patterns along the edge": _instead(recognizer, "_is_pattern", lambda *_: False),
    "ruled lines are no ink": _instead(rows, "remove_ruled_lines", lambda mask, *_: (mask, 0)),
    "frames, borders and underlines are no writing": _instead(rows, "artifacts", lambda *_: {}),
    "a picture that is one row is read whole": _instead(recognizer, "whole_picture", lambda row, *_: row),
    "the colour axis": _instead(page, "_by_colour", _nothing),
    "paper of one grey is told at once": _instead(page, "measure_uniform_background", _nothing),
    "sheets are straightened": _instead(page, "find_sheet", _nothing),
    "pale ink": _instead(ink, "_pale", lambda contrast, *_: np.zeros(contrast.shape, np.uint8)),
    "ragged ink is closed": _instead(ink, "_whole", lambda mask, *_: mask),
}


def _drawn(count: int) -> dict[str, Pictures]:
    """Pictures of every kind."""
    pictures: Pictures = []
    for name in KINDS:
        most = 3 if "200" in name else count  # 200 digits in a row are worth many others
        pictures += kind(name, 0, min(count, most))
    return {"kinds": pictures}


def _rows(count: int) -> dict[str, Pictures]:
    """Amounts and forms of validation digits."""
    sets = {}
    for name, make in (("amounts", amount), ("forms", form_line)):
        sets[name] = []
        for i in range(count):
            chance = np.random.default_rng((0, i))
            sets[name].append(make(MnistWriter(chance), chance))
    return sets


def _samples(folder: Path, pages: int) -> dict[str, Pictures]:
    """Single digits of the writers that things may be chosen on, and pages of them."""
    samples = chosen(read_labels(folder))
    sets: dict[str, Pictures] = {folder.name: [(sample.path, str(sample.label)) for sample in samples]}
    composed = []
    for i, writer in enumerate(sorted({sample.group for sample in samples})):
        digits = load_digits(sample for sample in samples if sample.group == writer)
        for j in range(pages):
            page_of_writer = compose(digits, 1 + j % 4, 1000 * i + j)
            composed.append((page_of_writer.jpeg, page_of_writer.text))
    return {**sets, f"pages of {folder.name}": composed}


def read_all(reader: Recognizer, pictures: Pictures) -> list[Outcome]:
    """Read pictures one by one."""
    return [outcome(truth, reader.read(picture)) for picture, truth in pictures]  # type: ignore[arg-type]


def compare(usual: Sequence[Outcome], without: Sequence[Outcome]) -> dict[str, float]:
    """Count what a step is worth.

    Returns:
        In percent of all: `lost`, what is read with the step less what is read without it, and `wrong`, how
        many more are wrong without it; `n_lost` and `n_won`: pictures that only the one or the other reads.
    """
    lost = won = 0
    for before, after in zip(usual, without, strict=True):
        lost += before.right and not after.right
        won += after.right and not before.right
    wrong = sum(item.wrong for item in without) - sum(item.wrong for item in usual)
    return {
        "lost": 100 * (lost - won) / len(usual),
        "wrong": 100 * wrong / len(usual),
        "n_lost": lost,
        "n_won": won,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What each step of the recognizer is worth.")
    parser.add_argument("samples", type=Path, nargs="*", metavar="SAMPLES")
    parser.add_argument("--kinds", type=int, default=15, help="pictures of each kind")
    parser.add_argument("--rows", type=int, default=150, help="amounts, and forms")
    parser.add_argument("--pages", type=int, default=6, help="of each writer")
    parser.add_argument("--steps", nargs="+", default=list(STEPS), choices=list(STEPS), metavar="NAME")
    parser.add_argument("--model", default="best")
    add_place(parser)
    arguments = parser.parse_args()
    path = results_file(arguments, "ablation")
    sets = _drawn(arguments.kinds) | _rows(arguments.rows)
    for folder in arguments.samples:
        sets |= _samples(folder, arguments.pages)
    sets = {name: pictures for name, pictures in sets.items() if pictures}
    reader = Recognizer(arguments.model)
    usual = {name: read_all(reader, pictures) for name, pictures in sets.items()}
    table: list[dict[str, Any]] = []
    for name, outcomes in usual.items():
        read = 100 * float(np.mean([item.right for item in outcomes]))
        table.append({"step": "all steps", "pictures": name, "n": len(outcomes), "read": read})
        print(f"{name:24}{len(outcomes):6}{read:8.1f} % read with all steps")
    for step in arguments.steps:
        print(f"\nwithout: {step}")
        with STEPS[step]():
            for name, pictures in sets.items():
                row = compare(usual[name], read_all(reader, pictures))
                table.append({"step": step, "pictures": name, "n": len(pictures), **row})
                print(
                    f"  {name:24}{row['lost']:7.1f} points ({row['n_lost']} lost, {row['n_won']} won)",
                    flush=True,
                )
    write_results(path, {"environment": environment(), "model": arguments.model, "table": table}, table)


if __name__ == "__main__":
    run(main)
