"""The weights by which the only character of a page is taken for a digit, and no letter.

    python benchmarks/lone_characters.py PENS CANVAS --fonts FILE...

PENS and CANVAS are folders of pictures of one digit each, as in `recognizer.py`; FILE is a handwriting font,
of which the letters are drawn that no person takes for digits. Groups and fonts are divided as there: the
regression is fitted to the first half of them. Prints the weights of `VerifyParameters`, and for some
thresholds how many digits are refused and how many letters accepted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from command import run
from font_letters import UNLIKE_DIGITS, drawn
from labelled_pictures import divided, held_out
from opinions import fit

from digitlab.recognition import Recognizer
from digitlab.recognition.verify import log_odds

THRESHOLDS = (0.2, 0.25, 0.3, 0.33, 0.36, 0.4, 0.5)


class Example(NamedTuple):
    """A character alone in its picture.

    Attributes:
        inputs: inputs of the regression.
        right: whether it is the digit that the row reader reads.
        is_digit: whether it is a digit.
        reported: whether its writer, style or font is held out.
    """

    inputs: tuple[float, float, float]
    right: bool
    is_digit: bool
    reported: bool


def examples(folders: list[Path], fonts: list[Path]) -> Iterator[Example]:
    """Read the pictures of people's digits and of letters, and yield the characters that are read as one."""
    recognizer = Recognizer()
    pictures: list[tuple[Any, str, bool]] = []
    for sample, is_reported in divided(folders):
        pictures.append((sample.path, str(sample.label), is_reported))
    reported = held_out(font.stem for font in fonts)
    for font in fonts:
        pictures += [(picture, "", font.stem in reported) for _, picture in drawn(font, UNLIKE_DIGITS)]
    for picture, label, is_reported in pictures:
        digits = recognizer.read(picture).digits
        opinions = digits[0].opinions if len(digits) == 1 else None
        if opinions is None or opinions.row_digit is None:
            continue
        inputs = 1.0, log_odds(opinions.row_probability), log_odds(opinions.likely_digit)
        yield Example(inputs, str(opinions.row_digit) == label, bool(label), is_reported)


def main() -> None:
    parser = argparse.ArgumentParser(description="The weights of the only character of a page.")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--fonts", type=Path, nargs="+", required=True, metavar="FILE")
    arguments = parser.parse_args()
    known = list(examples(arguments.folders, arguments.fonts))
    inputs = np.array([example.inputs for example in known])
    right = np.array([example.right for example in known])
    is_digit = np.array([example.is_digit for example in known])
    reported = np.array([example.reported for example in known])
    weights = fit(inputs[~reported], right[~reported].astype(float))
    for name, weight in zip(("lone_offset", "lone_told", "lone_digit"), weights, strict=True):
        print(f"{name} = {weight:.2f}")
    likely = 1 / (1 + np.exp(-inputs @ weights))
    print(f"\n{'':9}  {'fitted to':>27}  {'held out':>27}")
    print(
        f"threshold  {'digits refused':>14} {'letters read':>12}  {'digits refused':>14} {'letters read':>12}"
    )
    for threshold in THRESHOLDS:
        accepted = likely >= threshold
        line = f"{threshold:9.2f}"
        for part in (~reported, reported):
            refused = int((is_digit & part & ~accepted).sum())
            letters = int((~is_digit & part & accepted).sum())
            line += f"  {refused:14} {letters:12}"
        print(line)


if __name__ == "__main__":
    run(main)
