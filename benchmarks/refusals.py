"""What the rejection of non-digits accepts: people's digits and letters, by the threshold on its score.

    python benchmarks/refusals.py PENS CANVAS --fonts FILE... [--model best ...]

PENS and CANVAS are folders of pictures of one digit each, as in `recognizer.py`; FILE is a handwriting font.
Each network judges the same images in MNIST form: validation digits, people's digits as the recognizer cuts
them out, and letters that no person takes for digits. The rejection of its card is kept, and the threshold
moved to accept a given share of that half of the validation digits that its own was set on. Groups and fonts
are divided as in `recognizer.py`: choices are made with the first half of them. Prints a table, and writes
`refusals.json` and `refusals.csv` into digitlab-results/measurements, or where --out says.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from command import run
from font_letters import UNLIKE_DIGITS, drawn
from labelled_pictures import divided, held_out
from measured import add_place, environment, results_file, write_results
from outcomes import wilson
from pen import validation_part

from digitlab.bundle.runtime import Classifier, load_classifier
from digitlab.data import load
from digitlab.errors import UserError
from digitlab.recognition import Recognizer
from digitlab.recognition.mnist_form import to_mnist_form

KEPT = (0.98, 0.99, 0.993, 0.995, 0.997)
"""Shares of validation digits that are accepted; the threshold of a bundle accepts the second."""


class Images(NamedTuple):
    """Images in MNIST form.

    Attributes:
        images: images, uint8 [n, 28, 28].
        labels: label of each image, [n].
        reported: whether an image belongs to a group that is held out, bool [n].
    """

    images: np.ndarray
    labels: np.ndarray
    reported: np.ndarray


def digits_of(folders: Sequence[Path]) -> Images:
    """Cut out the digits of pictures in which the recognizer finds one piece of ink."""
    recognizer = Recognizer()
    images, labels, reported = [], [], []
    for sample, is_reported in divided(folders):
        digits = recognizer.read(sample.path).digits
        if len(digits) != 1:
            continue
        images.append(digits[0].image)
        labels.append(sample.label)
        reported.append(is_reported)
    return Images(np.array(images), np.array(labels), np.array(reported))


def letters_of(fonts: Sequence[Path]) -> Images:
    """Draw the letters of fonts that no person takes for digits."""
    names = held_out(font.stem for font in fonts)
    images, labels, reported = [], [], []
    for font in fonts:
        for letter, picture in drawn(font, UNLIKE_DIGITS):
            ink = 255 - picture if picture[0, 0] > 127 else picture
            images.append(to_mnist_form(ink))
            labels.append(ord(letter))
            reported.append(font.stem in names)
    return Images(np.array(images), np.array(labels), np.array(reported))


def rows_of(classifier: Classifier, digits: Images, letters: Images) -> list[dict[str, Any]]:
    """Compute the table of a network: a row for each share of validation digits accepted."""
    rejection = classifier.card.calibration.rejection
    if rejection is None:
        raise UserError(f"{classifier.card.recipe}: expected a network that rejects non-digits")
    validation, _ = validation_part(load("mnist"))
    likely = {
        "validation": rejection.likely(classifier.look(validation[1::2])),  # as the card's threshold is set
        "digits": rejection.likely(classifier.look(digits.images)),
        "letters": rejection.likely(classifier.look(letters.images)),
    }
    right = classifier.probabilities(digits.images).argmax(axis=1) == digits.labels
    return [_row(share, likely, right, digits, letters) for share in KEPT]


def _row(
    share: float, likely: dict[str, np.ndarray], right: np.ndarray, digits: Images, letters: Images
) -> dict[str, Any]:
    threshold = float(np.quantile(likely["validation"], 1 - share))
    row: dict[str, Any] = {"validation_kept": 100 * share, "threshold": threshold}
    kept, accepted = likely["digits"] >= threshold, likely["letters"] >= threshold
    for name, digit_part, letter_part in (
        ("chosen", ~digits.reported, ~letters.reported),
        ("held_out", digits.reported, letters.reported),
    ):
        count = int(letter_part.sum())
        low, high = wilson(int(accepted[letter_part].sum()), count)
        row |= {
            f"{name}_digits_kept": 100 * float(kept[digit_part].mean()),
            f"{name}_digits_read_right": 100 * float((kept & right)[digit_part].mean()),
            f"{name}_letters_accepted": 100 * float(accepted[letter_part].mean()),
            f"{name}_letters_low": low,
            f"{name}_letters_high": high,
        }
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description="What the rejection of non-digits accepts.")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--fonts", type=Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--model", nargs="+", default=["best"], help="names or bundles")
    add_place(parser)
    arguments = parser.parse_args()
    path = results_file(arguments, "refusals")
    digits, letters = digits_of(arguments.folders), letters_of(arguments.fonts)
    print(f"{len(digits.labels)} digits, {len(letters.labels)} letters")
    rows = []
    for model in arguments.model:
        for row in rows_of(load_classifier(model), digits, letters):
            rows.append({"network": Path(model).name, **row})
            print(_line(rows[-1]), flush=True)
    write_results(path, {"environment": environment(), "rows": rows}, rows)


def _line(row: dict[str, Any]) -> str:
    parts = [f"{row['network']}: validation {row['validation_kept']:.1f} %"]
    for name in ("chosen", "held_out"):
        parts.append(
            f"{name.replace('_', ' ')}: digits kept {row[f'{name}_digits_kept']:.1f}, "
            f"read right {row[f'{name}_digits_read_right']:.1f}, "
            f"letters accepted {row[f'{name}_letters_accepted']:.1f} "
            f"({row[f'{name}_letters_low']:.1f} to {row[f'{name}_letters_high']:.1f})"
        )
    return "; ".join(parts)


if __name__ == "__main__":
    run(main)
