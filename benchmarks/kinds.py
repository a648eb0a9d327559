"""How each kind of hard picture is read: `hard_pictures.py`, so many of each.

    python benchmarks/kinds.py [--count 100] [--seed 0] [--kinds NAME ...] [--model best]

Prints a table: read, refused, wrong and shorter (a number that lost digits and claims to be whole), in
percent, with 95 % intervals. Kinds without a number (a letter, a texture) are right when no digit is read.
Writes `kinds.json` and `kinds.csv` into digitlab-results/measurements, or --out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from command import run
from hard_pictures import KINDS, kind
from measured import add_place, environment, results_file, write_results
from outcomes import Outcome, outcome, shares

from digitlab.recognition import Recognizer

SLOW = {"200 digits in a row": 20}
"""Kinds of which so many do: each is worth many others."""


def read_kind(recognizer: Recognizer, name: str, seed: int, count: int) -> list[Outcome]:
    """Read so many pictures of a kind."""
    pictures = kind(name, seed, min(count, SLOW.get(name, count)))
    return [outcome(truth, recognizer.read(picture)) for picture, truth in pictures]


def print_row(name: str, row: dict[str, float]) -> None:
    """Print a line of the table."""
    print(
        f"{name:36}{row['n']:6.0f}{row['read']:8.1f}  ({row['low']:5.1f} to {row['high']:5.1f})"
        f"{row['refused']:9.1f}{row['wrong']:8.1f}{row['shorter']:9.1f}",
        flush=True,
    )


def first_misread(outcomes: Sequence[Outcome], most: int = 5) -> list[list[str]]:
    """Give what was misread: truth and text, the first so many that are short enough to print."""
    shown = [item for item in outcomes if not item.right and len(item.truth) < 40]
    return [[item.truth, item.text] for item in shown[:most]]


def main() -> None:
    parser = argparse.ArgumentParser(description="How each kind of hard picture is read.")
    parser.add_argument("--count", type=int, default=100, help="of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS), metavar="NAME")
    parser.add_argument("--model", default="best")
    parser.add_argument("--rows", default="numbers", help="the reader of rows, a name or a bundle")
    add_place(parser)
    arguments = parser.parse_args()
    path = results_file(arguments, "kinds")
    recognizer = Recognizer(arguments.model, arguments.rows)
    print(
        f"{'kind, %':36}{'n':>6}{'read':>8}  {'(95 % interval)':18}{'refused':>7}{'wrong':>8}{'shorter':>9}"
    )
    rows, misread = [], {}
    for name in arguments.kinds:
        outcomes = read_kind(recognizer, name, arguments.seed, arguments.count)
        rows.append({"kind": name, **shares(outcomes)})
        misread[name] = first_misread(outcomes)
        print_row(name, rows[-1])
    values = {"environment": environment(), "model": arguments.model, "seed": arguments.seed}
    write_results(path, {**values, "table": rows, "misread": misread}, rows)


if __name__ == "__main__":
    run(main)
