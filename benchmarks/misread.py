"""A picture of what is misread: drawn kinds, amounts and forms, with what is written and what was read.

    python benchmarks/misread.py OUT.png [--count 100] [--each 2] [--seed 0] [--model best]

Of each kind the first pictures are shown that were read wrong, then those that were refused.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
from amounts import amount, form_line
from command import run
from hard_pictures import KINDS, kind
from outcomes import outcome
from pen import MnistWriter
from PIL import Image, ImageDraw

from digitlab.files import write_whole
from digitlab.recognition import Recognizer

TILE_WIDTH, TILE_HEIGHT, COLUMNS = 230, 130, 5
"""Pixels of a picture on the sheet, and how many stand side by side."""
_CAPTION = 30
_LONGEST = 24  # letters of a caption

Pictures = Iterable[tuple[np.ndarray | bytes, str]]


def sources(seed: int, count: int) -> dict[str, Callable[[], Pictures]]:
    """Give what is read, by name; amounts and forms are written with MNIST's validation digits."""

    def written(make: Callable) -> Pictures:
        for i in range(count):
            chance = np.random.default_rng((seed, i))
            yield make(MnistWriter(chance), chance)

    drawn = {name: partial(kind, name, seed, count) for name in KINDS}
    drawn.pop("200 digits in a row")  # too long to be seen in a tile
    return {**drawn, "amount": partial(written, amount), "form": partial(written, form_line)}


def misread(
    recognizer: Recognizer, pictures: Pictures, most: int
) -> list[tuple[np.ndarray | bytes, str, str]]:
    """Read pictures, and give so many that were not read right, the wrong ones before the refused."""
    wrong = []
    refused = []
    for picture, truth in pictures:
        result = outcome(truth, recognizer.read(picture))
        if not result.right:
            (wrong if result.wrong else refused).append((picture, truth, result.text))
    return [*wrong, *refused][:most]


def tile(picture: np.ndarray | bytes, lines: tuple[str, str]) -> Image.Image:
    """Draw a picture small, with two lines above it."""
    shown = Image.open(io.BytesIO(picture)) if isinstance(picture, bytes) else Image.fromarray(picture)
    shown = shown.convert("RGB")
    widest, highest = TILE_WIDTH - 10, TILE_HEIGHT - _CAPTION - 8
    zoom = min(widest / shown.width, highest / shown.height, 4)
    size = max(1, int(shown.width * zoom)), max(1, int(shown.height * zoom))
    whole = Image.new("RGB", (TILE_WIDTH, TILE_HEIGHT), (238, 241, 246))
    whole.paste(shown.resize(size), (5, _CAPTION))
    pencil = ImageDraw.Draw(whole)
    title, reading = lines
    pencil.text((5, 3), title, fill=(70, 70, 70))
    pencil.text((5, 15), reading, fill=(150, 20, 20))
    return whole


def _short(text: str) -> str:
    text = text.replace("\n", "/") or "nothing"
    if len(text) <= _LONGEST:
        return text
    return text[: _LONGEST - 1] + "…"


def sheet(tiles: list[Image.Image]) -> Image.Image:
    """Put tiles into rows."""
    rows = -(-len(tiles) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * TILE_WIDTH, max(1, rows) * TILE_HEIGHT), (255, 255, 255))
    for i, item in enumerate(tiles):
        row, column = divmod(i, COLUMNS)
        whole.paste(item, (column * TILE_WIDTH, row * TILE_HEIGHT))
    return whole


def main() -> None:
    parser = argparse.ArgumentParser(description="A picture of what is misread.")
    parser.add_argument("out", type=Path, metavar="OUT.png")
    parser.add_argument("--count", type=int, default=100, help="that are read of each kind")
    parser.add_argument("--each", type=int, default=2, help="that are shown of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="best")
    arguments = parser.parse_args()
    recognizer = Recognizer(arguments.model)
    tiles = []
    for name, pictures in sources(arguments.seed, arguments.count).items():
        for picture, truth, text in misread(recognizer, pictures(), arguments.each):
            tiles.append(tile(picture, (name, f"{_short(truth)} read as {_short(text)}")))
            print(f"{name}: {truth!r} read as {text!r}", flush=True)
    file = io.BytesIO()
    sheet(tiles).save(file, "PNG", optimize=True)
    write_whole(arguments.out, file.getvalue())


if __name__ == "__main__":
    run(main)
