"""How rows of digits are read: composed over held-back papers, as amounts on cheques, in forms.

    python benchmarks/rows.py [SAMPLES] [--count 500] [--seed 0] [--model best]

The digits are MNIST's validation part and, if SAMPLES is named (scans of one digit each, ink on white paper,
with a `labels.csv`: file, label, writer), those of its held-out writers. Numbers and cheques are composed by
the training's own generator over papers that training never draws, blurred and faint ones that nobody can
read among them; amounts and forms are drawn by `amounts.py`, of which training has nothing.

Prints two tables: shares of all rows with 95 % intervals, `shorter` being numbers that lost digits and claim
to be whole; and how far accepted rows and their confidence can be trusted. Writes `rows.json` and `rows.csv`
into digitlab-results/measurements, or --out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from amounts import amount, form_line
from command import run
from labelled_pictures import Sample, read_labels, reported
from measured import add_place, environment, results_file, write_results
from outcomes import Outcome, accepted_shares, outcome, shares
from page_composer import transmitted
from pen import MnistWriter, Writer, validation_digits

from digitlab.errors import UserError
from digitlab.recognition import Recognizer
from digitlab.synthesis.row_texts import draw_amount, draw_number
from digitlab.synthesis.rows import DrawText, RowComposer, Shares

Rows = Iterator[tuple[np.ndarray, str]]
Digits = Mapping[int, Sequence[np.ndarray] | np.ndarray]
SIDE, BOX = 28, 20


class ScanWriter:
    """A person whose digits were scanned.

    Args:
        digits: the person's ink by digit, each float32 [h, w], 0..1, cut to what is written.
        chance: generator by which digits are taken.
    """

    def __init__(self, digits: dict[int, list[np.ndarray]], chance: np.random.Generator) -> None:
        self._digits = digits
        self._chance = chance
        heights = [ink.shape[0] for inks in digits.values() for ink in inks]
        self._usual = float(np.median(heights))

    def ink(self, digit: int, height: int) -> np.ndarray:
        """Write one digit; it keeps its size relative to the person's usual one."""
        inks = self._digits[digit]
        ink = inks[int(self._chance.integers(len(inks)))]
        zoom = height / self._usual
        size = max(2, round(ink.shape[1] * zoom)), max(2, round(ink.shape[0] * zoom))
        interpolation = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
        return cv2.resize(ink, size, interpolation=interpolation)


def read_scans(samples: Sequence[Sample]) -> dict[str, dict[int, list[np.ndarray]]]:
    """Cut the ink of writers out of their scans: by writer and digit."""
    writers: dict[str, dict[int, list[np.ndarray]]] = {}
    for sample in samples:
        picture = cv2.imread(str(sample.path), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise UserError(f"{sample.path}: expected a scan in PNG or JPEG")
        ink = 1 - transmitted(picture).min(axis=2)
        digits = writers.setdefault(sample.group, {digit: [] for digit in range(10)})
        digits[sample.label].append(ink / max(float(ink.max()), 0.1))
    return writers


def mnist_form(ink: np.ndarray) -> np.ndarray:
    """Fit ink into 20x20, its centre of mass in the middle of 28x28: uint8."""
    fit = BOX / max(ink.shape)
    size = max(1, round(ink.shape[1] * fit)), max(1, round(ink.shape[0] * fit))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    moments = cv2.moments(small)
    x = moments["m10"] / moments["m00"]  # of the centre of mass
    y = moments["m01"] / moments["m00"]
    middle = (SIDE - 1) / 2
    shift = np.array([[1, 0, middle - x], [0, 1, middle - y]], np.float32)
    shifted = cv2.warpAffine(small, shift, (SIDE, SIDE))
    full_ink = max(float(shifted.max()), 0.1)
    return np.clip(np.rint(255 * shifted / full_ink), 0, 255).astype(np.uint8)


def composed(
    digits: Mapping[int, Sequence[np.ndarray] | np.ndarray], draw: DrawText, count: int, seed: int
) -> Rows:
    """Compose rows over held-back papers from digits in MNIST form; what they say, `draw` decides."""
    images = np.concatenate([np.stack(list(variants)) for variants in digits.values()])
    counts = [len(variants) for variants in digits.values()]
    labels = np.repeat(np.arange(10, dtype=np.uint8), counts)
    composer = RowComposer(images, labels, Shares(drawn=0.0), held_back=True, draw=draw)
    for row in composer.rows(count, seed):
        yield row.image, row.text


def written(
    make: Callable[[Writer, np.random.Generator], tuple[np.ndarray, str]],
    writer: Callable[[np.random.Generator], Writer],
    count: int,
    seed: int,
) -> Rows:
    """Write so many amounts or lines of forms, each by a writer of its own."""
    for i in range(count):
        chance = np.random.default_rng((seed, i))
        yield make(writer(chance), chance)


def row_sets(
    samples: Sequence[Sample],
    count: int,
    seed: int,
    choose: Callable[[Sequence[Sample]], Sequence[Sample]] = reported,
) -> dict[str, Rows]:
    """Give what is read, by name; `choose` says whose digits, the held-out writers' unless given."""
    sets = {
        "validation digits, numbers": composed(validation_digits(), draw_number, count, seed),
        "validation digits, cheques": composed(validation_digits(), draw_amount, count, seed),
        "validation digits, amounts": written(amount, MnistWriter, count, seed),
        "validation digits, forms": written(form_line, MnistWriter, count, seed),
    }
    if samples:
        people = list(read_scans(choose(samples)).values())

        def somebody(chance: np.random.Generator) -> Writer:
            person = people[int(chance.integers(len(people)))]
            return ScanWriter(person, chance)

        forms: dict[int, list[np.ndarray]] = {}
        for digit in range(10):
            inks = [ink for person in people for ink in person[digit]]
            forms[digit] = [mnist_form(ink) for ink in inks]
        whose = "held-out writers" if choose is reported else "other writers"
        sets |= {
            f"{whose}, numbers": composed(forms, draw_number, count, seed + 1),
            f"{whose}, cheques": composed(forms, draw_amount, count, seed + 1),
            f"{whose}, amounts": written(amount, somebody, count, seed + 1),
            f"{whose}, forms": written(form_line, somebody, count, seed + 1),
        }
    return sets


def measure(recognizer: Recognizer, rows: Rows) -> list[Outcome]:
    """Read rows, each a picture."""
    return [outcome(text, recognizer.read(picture)) for picture, text in rows]


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows that share their columns."""
    names = [name for name in rows[0] if name != "rows"]
    print(f"\n{'rows, %':38}" + "".join(f"{name:>{len(name) + 2}}" for name in names))
    for row in rows:
        cells = "".join(f"{row[name]:{len(name) + 2}.1f}" for name in names)
        print(f"{row['rows']:38}{cells}")


def main() -> None:
    parser = argparse.ArgumentParser(description="How rows of digits are read.")
    parser.add_argument("samples", type=Path, nargs="?", metavar="SAMPLES")
    parser.add_argument("--count", type=int, default=500, help="of each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="best")
    parser.add_argument("--rows", default="numbers", help="the reader of rows, a name or a bundle")
    add_place(parser)
    arguments = parser.parse_args()
    path = results_file(arguments, "rows")
    recognizer = Recognizer(arguments.model, arguments.rows)
    samples = read_labels(arguments.samples) if arguments.samples else []
    by_set: dict[str, list[Outcome]] = {}
    for name, rows in row_sets(samples, arguments.count, arguments.seed).items():
        by_set[name] = measure(recognizer, rows)
    by_set["all"] = [item for outcomes in by_set.values() for item in outcomes]
    read = []
    trusted = []
    misread = {}
    for name, outcomes in by_set.items():
        read.append({"rows": name, **shares(outcomes)})
        trusted.append({"rows": name, **accepted_shares(outcomes)})
        wrong = [item for item in outcomes if not item.right]
        misread[name] = [[item.truth, item.text, item.confidence] for item in wrong[:20]]
    print_table(read)
    print_table(trusted)
    values = {"environment": environment(), "model": arguments.model, "seed": arguments.seed}
    table = [row | more for row, more in zip(read, trusted, strict=True)]
    write_results(path, {**values, "table": table, "misread": misread}, table)


if __name__ == "__main__":
    run(main)
