"""How well the recognizer reads: people's digits, pasted digits, letters.

    python -m benchmarks recognizer FOLDER... [--held-out-groups NAME ...] [--fonts [FILE ...]] [--model best]

Each FOLDER holds pictures of one digit each and a `labels.csv` (file, label, writer or style). Of its groups
the first half in sorted order is for choosing (three of five, two of four), the others are reported on; so it
is with the fonts, whose letters are drawn and must be rejected. Prints tables, and writes `recognizer.json`,
and `recognizer.csv`, into digitlab-results/measurements, or where --out says.

The digits that are pasted into pictures are MNIST's validation digits; `--test` takes the test digits, for
figures that are published.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from command import run
from font_letters import LETTERS, LOOKALIKES, drawn
from labelled_pictures import Answer, answer, confusions, held_out, read_labels, scores
from measured import add_place, environment, results_file, write_results
from outcomes import wilson
from pasted_digits import pasted
from pen import validation_part
from summary_tables import rows_table

from digitlab.bundle.runtime import load_classifier
from digitlab.cli.study_output import print_table
from digitlab.data import load
from digitlab.recognition import Reading, Recognizer

CHUNK = 200


def read_all(recognizer: Recognizer, pictures: Iterable[Any]) -> Iterator[Reading]:
    """Read pictures some at a time, so that memory stays small."""
    pictures = iter(pictures)
    while chunk := list(itertools.islice(pictures, CHUNK)):
        yield from recognizer.read_many(chunk)


def measure_folder(
    recognizer: Recognizer, folder: Path, held_out_names: Sequence[str]
) -> tuple[list[dict[str, Any]], list[tuple[int, str, int]]]:
    """Read a folder of samples: a row for all, for each part and for each group; and what was misread."""
    samples = read_labels(folder)
    readings = read_all(recognizer, (sample.path for sample in samples))
    answers = [answer(sample.label, reading) for sample, reading in zip(samples, readings, strict=True)]
    groups = [sample.group for sample in samples]
    reported = [name for name in held_out_names if name in groups] or held_out(groups)
    parts = ["held out" if group in reported else "chosen on" for group in groups]

    def row(what: str, selected: Sequence[Answer]) -> dict[str, Any]:
        return {"what": f"{folder.name}: {what}", **scores(selected)}

    rows = [row("all", answers)]
    for name in sorted(set(parts)):
        rows.append(row(name, [item for item, part in zip(answers, parts, strict=True) if part == name]))
    by_group = []
    for name in sorted(set(groups)):
        of_group = [item for item, group in zip(answers, groups, strict=True) if group == name]
        by_group.append(row(name, of_group))
    worst = min(by_group, key=lambda item: item["accuracy"])
    rows += by_group
    rows.append({**worst, "what": f"{worst['what']} (the worst)"})
    return rows, confusions(answers)


def measure_pasted(recognizer: Recognizer, model: str, count: int, test: bool) -> list[dict[str, Any]]:
    """Read MNIST digits untouched, by the network alone, and pasted into pictures."""
    dataset = load("mnist")
    if test:
        digits, labels = dataset.x_test[:count], dataset.y_test[:count]
    else:
        digits, labels = (part[:count] for part in validation_part(dataset))
    probabilities = load_classifier(model).calibrated(digits)
    untouched = []
    for label, of_image in zip(labels, probabilities, strict=True):
        digit = int(of_image.argmax())
        untouched.append(Answer(int(label), str(digit), digit, float(of_image.max()), ""))
    readings = read_all(recognizer, pasted(digits, seed=1))
    after = [answer(int(label), reading) for label, reading in zip(labels, readings, strict=True)]
    return [
        {"what": "MNIST digits, untouched", **scores(untouched)},
        {"what": "MNIST digits, pasted", **scores(after)},
    ]


def measure_letters(recognizer: Recognizer, fonts: Sequence[Path]) -> list[dict[str, Any]]:
    """Read letters and digits drawn from fonts: which share is accepted, in percent.

    Returns:
        A row for each font and one for all; `letters` leaves out those that a person takes for digits, too,
        and has its interval, `low` and `high`.
    """
    reported = held_out(font.stem for font in fonts)
    rows = []
    accepted: dict[str, list[bool]] = {"letters": [], "lookalikes": [], "digits": []}
    for font in sorted(fonts, key=lambda path: path.stem.casefold()):
        characters = list(drawn(font, LETTERS + "0123456789"))
        readings = read_all(recognizer, (picture for _, picture in characters))
        of_font: dict[str, list[bool]] = {kind: [] for kind in accepted}
        for (character, _), reading in zip(characters, readings, strict=True):
            of_font[_kind(character)].append(reading.status == "ok")
        part = "held out" if font.stem in reported else "chosen on"
        rows.append(_letters_row(f"accepted of {font.stem} ({part})", of_font))
        for kind, answers in of_font.items():
            accepted[kind] += answers
    return [*rows, _letters_row("accepted of all fonts", accepted)]


def _letters_row(what: str, accepted: dict[str, list[bool]]) -> dict[str, Any]:
    letters = accepted["letters"]
    low, high = wilson(sum(letters), len(letters))
    row = {
        "what": what,
        "n": len(letters),
        "letters": 100 * float(np.mean(letters)),
        "low": low,
        "high": high,
    }
    for kind in ("lookalikes", "digits"):
        row[kind] = 100 * float(np.mean(accepted[kind]))
    return row


def fonts_at_hand() -> list[Path]:
    """Give the upright and italic text fonts that come with matplotlib; they are print, not handwriting."""
    import matplotlib

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    names = ("DejaVuSans", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Italic", "cmr10", "cmmi10")
    return [folder / f"{name}.ttf" for name in (*names, "cmss10", "STIXGeneral", "STIXGeneralItalic")]


def _kind(character: str) -> str:
    if character.isdigit():
        return "digits"
    return "lookalikes" if character in LOOKALIKES else "letters"


def main() -> None:
    parser = argparse.ArgumentParser(description="How well the recognizer reads.")
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER")
    parser.add_argument("--held-out-groups", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--fonts", type=Path, nargs="*", metavar="FILE", help="without FILE, matplotlib's")
    parser.add_argument("--model", default="best")
    parser.add_argument("--rows", default="numbers", help="the reader of rows, a name or a bundle")
    parser.add_argument("--pasted", type=int, default=2000, help="digits that are pasted; 0 leaves them out")
    parser.add_argument("--test", action="store_true", help="paste test digits; for published figures")
    add_place(parser)
    arguments = parser.parse_args()
    path = results_file(arguments, "recognizer")
    recognizer = Recognizer(arguments.model, arguments.rows)
    tables: dict[str, list[dict[str, Any]]] = {}
    misread: dict[str, list[tuple[int, str, int]]] = {}
    for folder in arguments.folders:
        title = f"{folder.name}, %"
        tables[title], misread[folder.name] = measure_folder(recognizer, folder, arguments.held_out_groups)
        print_table(rows_table(title, tables[title]))
        errors = [f"{label} as {text} {n}x" for label, text, n in misread[folder.name]]
        print(f"misread: {', '.join(errors)}")
    if arguments.pasted:
        tables["pasted, %"] = measure_pasted(recognizer, arguments.model, arguments.pasted, arguments.test)
        print_table(rows_table("pasted, %", tables["pasted, %"]))
    if arguments.fonts is not None:
        tables["letters, %"] = measure_letters(recognizer, arguments.fonts or fonts_at_hand())
        print_table(rows_table("letters, %", tables["letters, %"]))
    values = {
        "environment": environment(),
        "model": arguments.model,
        "test_digits": arguments.test,
        "tables": tables,
        "misread": misread,
    }
    rows = [row for table in tables.values() for row in table]
    write_results(path, values, rows)


if __name__ == "__main__":
    run(main)
