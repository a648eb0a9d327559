"""`digitlab recognize`: read the digits in anybody's pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from digitlab.cli.console import plain_table, print_json, say, stderr, stdout
from digitlab.cli.options import JsonOption
from digitlab.cli.picture_names import STDIN, picture_names
from digitlab.errors import DataError, ImageError
from digitlab.files import write_whole
from digitlab.marks import Mark, mark_png, replaced_by

if TYPE_CHECKING:
    from digitlab.data.images import Picture
    from digitlab.recognition import Reading, Recognizer

CHUNK_FILES = 250
"""Pictures that are read at once, and classified as one batch."""
CHUNK_PIXELS = 20_000_000
"""Pixels of them, so that thousands of photographs need no more memory than a few."""
MANY_FILES = 20
"""From so many on there is a progress bar."""

BAD_INPUT = 2


class Answer(NamedTuple):
    """What was said of a file.

    Attributes:
        name: of the file, as it was asked for.
        found: the picture in it, or why there is none.
        reading: of the picture.
    """

    name: str
    found: Picture | ImageError
    reading: Reading | None


def recognize(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Pictures, folders of them, patterns such as 'scans/**/*.png', or - for stdin.",
        ),
    ],
    model: Annotated[
        str,
        typer.Option(metavar="BUNDLE|NAME", help="Folder of a trained network, or a name: best, cnn, mlp."),
    ] = "best",
    explain: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw how the picture was prepared and what was read there."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read the handwritten digits in pictures.

    Pictures may be PNG, JPEG, WebP, BMP, TIFF or GIF, of any size, dark on light or light on dark; what a
    file is, its content decides. One in which no digit can be read is rejected, with the reason: that is an
    answer. A file that cannot be read is named on stderr and does not stop the others.

    Exit code: 0 when every picture was answered, 2 when a file could not be read.
    """
    names = list(picture_names(images))
    if explain and (len(names) != 1 or explain.suffix.lower() != ".png"):
        raise DataError(
            f"--explain: expected one picture and a file name in .png, received {len(names)} and {explain}"
        )
    if explain:
        replaced_by(Mark("drawing"), explain, [0 if name == STDIN else name for name in names])
    from digitlab.recognition import Recognizer

    recognizer = Recognizer(model)
    bad = 0
    answered: list[tuple[str, Reading]] = []
    for name, found, reading in _with_progress(_answers(recognizer, names, bool(explain)), len(names)):
        if reading is None:
            bad += 1
            say(f"digitlab: {_printable(name)}: {found}")
        elif not as_json:
            answered.append((name, reading))
        if as_json:
            print_json({"file": _printable(name), **_values(found, reading)})
        if explain and reading and not isinstance(found, ImageError):
            _draw(reading, found, explain)
    if answered:
        _print_table(answered)
    if bad:
        if len(names) > 1:
            say(f"digitlab: {bad} of {len(names):,} files could not be read")
        raise typer.Exit(BAD_INPUT)


def _answers(recognizer: Recognizer, names: Iterable[str], explain: bool) -> Iterator[Answer]:
    for chunk in _chunks(names):
        pictures = [found for _, found in chunk if not isinstance(found, ImageError)]
        readings = iter(recognizer.read_many(pictures, explain=explain))
        for name, found in chunk:
            yield Answer(name, found, None if isinstance(found, ImageError) else next(readings))


def _chunks(names: Iterable[str]) -> Iterator[list[tuple[str, Picture | ImageError]]]:
    """Decode pictures, as many at a time as memory is meant to hold."""
    chunk: list[tuple[str, Picture | ImageError]] = []
    pixels = 0
    for name in names:
        found = _decode(name)
        chunk.append((name, found))
        pixels += 0 if isinstance(found, ImageError) else found.grey.size
        if len(chunk) == CHUNK_FILES or pixels >= CHUNK_PIXELS:
            yield chunk
            chunk, pixels = [], 0
    if chunk:
        yield chunk


def _decode(name: str) -> Picture | ImageError:
    from digitlab.data.images import MAX_FILE_BYTES, decode_image

    try:
        if name == STDIN:
            return decode_image(sys.stdin.buffer.read(MAX_FILE_BYTES + 1))
        if os.path.isdir(name):  # noqa: PTH112 - pathlib's raises where a name is too long
            return ImageError("expected a folder with pictures, found none that can be read")
        return decode_image(name)
    except ImageError as error:
        text = str(error).removeprefix(f"{name}: ").removeprefix("the picture: ")
        return ImageError(text, accepted=error.accepted)


def _with_progress(answers: Iterator[Answer], total: int) -> Iterable[Answer]:
    console = stderr() if total >= MANY_FILES and sys.stderr.isatty() else None
    if not console:
        return answers
    from rich.progress import track

    return track(answers, "reading pictures", total, console=console, transient=True)


def _values(found: Picture | ImageError, reading: Reading | None) -> dict[str, Any]:
    if reading is None:
        return {"status": "error", "text": "", "digits": [], "reason": str(found)}
    return reading.to_values()


def _print_table(answered: Sequence[tuple[str, Reading]]) -> None:
    table = plain_table()
    for title in ("file", "text", "confidence", "runner-up", "reason"):
        table.add_column(title, justify="right" if title == "confidence" else "left", overflow="fold")
    for name, reading in answered:
        table.add_row(_printable(name), *_row(reading), style="yellow" if reading.reason else None)
    stdout().print(table)


def _row(reading: Reading) -> tuple[str, str, str, str]:
    """Text, and of the least certain digit in it the confidence and the runner-up; or why there is none."""
    digits = [digit for digit in reading.digits if not digit.reason]
    if reading.reason or not digits:
        return "", "", "", reading.reason or ""
    least = min(digits, key=lambda digit: digit.confidence)
    which = "" if len(digits) == 1 else f" for {least.digit}"
    runner_up = f"{least.runner_up}{which} ({100 * least.runner_up_confidence:.1f} %)"
    return reading.text, f"{100 * least.confidence:.1f} %", runner_up, ""


def _draw(reading: Reading, picture: Picture, path: Path) -> None:
    from digitlab.recognition.explain import draw_explanation, encode_png

    height, width = picture.grey.shape
    drawing = encode_png(draw_explanation(reading, (width, height)))
    again = ", in place of the drawing that was there" if path.exists() else ""
    write_whole(path, mark_png(drawing, Mark("drawing")))
    say(f"drawn to {path}{again}")


def _printable(name: str) -> str:
    """A file's name, without what would steer a terminal or cannot be encoded."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
