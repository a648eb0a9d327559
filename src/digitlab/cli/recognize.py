"""`digitlab recognize`: read the digits in pictures."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from digitlab.cli.console import print_json, say, stderr
from digitlab.cli.options import JsonOption
from digitlab.cli.picture_names import STDIN, picture_names, printable
from digitlab.cli.recognize_labels import labelled, print_scored
from digitlab.cli.recognize_output import draw, json_values, print_answers
from digitlab.errors import DataError, ImageError
from digitlab.marks import Mark, replaced_by

if TYPE_CHECKING:
    from digitlab.pictures.decoder import Picture
    from digitlab.recognition import Reading, Recognizer
    from digitlab.recognition.labels import Label
    from digitlab.recognition.lengths import LengthRange

CHUNK_FILES = 250
"""Largest number of pictures that are read at once, and classified as one batch."""
CHUNK_PIXELS = 20_000_000
"""Number of pixels that ends a chunk, so that thousands of photographs need no more memory than a few."""
MANY_FILES = 20
"""Smallest number of files for which a progress bar is shown."""

BAD_INPUT = 2


ImagesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE",
        help="Pictures, folders of them, patterns such as 'scans/**/*.png', or - for stdin.",
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(metavar="BUNDLE|NAME", help="Folder of a trained network, or a name: best, cnn, mlp."),
]
LengthOption = Annotated[
    str | None,
    typer.Option(metavar="N|N-M", help="Number of digits in each row, if known: 5, 3-8, 3-, -8."),
]
ExplainOption = Annotated[
    Path | None,
    typer.Option(metavar="OUT.png", help="Draw the steps of preprocessing and the result."),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="LABELS.csv",
        help="Labels of the pictures, in columns  file,label  or  file,label,group: count how "
        "many are read, wrong and refused. The label is empty if there is no number.",
    ),
]
TableOption = Annotated[
    Path | None,
    typer.Option(
        "--csv", metavar="NEW.csv", help="Write a line for each character, with its box and confidence."
    ),
]


class FileReading(NamedTuple):
    """Result for one file.

    Attributes:
        name: name of the file, as it was requested.
        pages: pages of the file, or the error if there are none.
        reading: reading of the pages; None if there are none.
    """

    name: str
    pages: tuple[Picture, ...] | ImageError
    reading: Reading | None


def recognize(
    images: ImagesArgument,
    model: ModelOption = "best",
    length: LengthOption = None,
    explain: ExplainOption = None,
    labels: LabelsOption = None,
    table: TableOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the handwritten digits in pictures.

    Pictures may be PNG, JPEG, WebP, BMP, TIFF or GIF, of any size, dark on light or light on dark; what a
    file is, its content decides. One in which no digit can be read is rejected, with the reason: that is an
    answer. A file that cannot be read is named on stderr and does not stop the others.

    Exit code: 0 when every picture was answered, 2 when a file could not be read or a label has none.
    """
    from digitlab.recognition.lengths import LengthRange

    lengths = None if length is None else LengthRange.parse(length)
    names = list(picture_names(images))
    if explain:
        _require_drawable(explain, names)
    by_name: dict[str, Label] = {}
    all_there = True
    if labels:
        by_name, all_there = labelled(labels, images, names)
        names = list(by_name)
    from digitlab.recognition import Recognizer

    files = _read_files(Recognizer(model), names, bool(explain), lengths)
    answered: list[tuple[str, Reading]] = []
    unreadable = 0
    with _table_of_characters(table) as add_to_table:
        for file in _with_progress(files, len(names)):
            if file.reading is None:
                unreadable += 1
            elif labels or not as_json:  # else nothing is printed at the end, and thousands are not kept
                answered.append((file.name, file.reading))
            _print_file(file, by_name.get(file.name), as_json)
            add_to_table(file)
            _draw(file, explain)
    if unreadable and len(names) > 1:
        uncounted = " and are not counted" if labels else ""
        say(f"digitlab: {unreadable} of {len(names):,} files could not be read{uncounted}")
    if labels:
        print_scored(by_name, answered, as_json)
    elif answered:
        print_answers(answered)
    if unreadable or not all_there:
        raise typer.Exit(BAD_INPUT)


def _require_drawable(path: Path, names: list[str]) -> None:
    """Raise an error, before anything is read, if a drawing cannot be made or written."""
    if len(names) != 1 or path.suffix.lower() != ".png":
        raise DataError(
            f"--explain: expected one picture and a file name in .png, received {len(names)} and {path}"
        )
    # The picture itself must not be replaced; 0 is the descriptor of stdin.
    replaced_by(Mark("drawing"), path, [0 if name == STDIN else name for name in names])


def _print_file(file: FileReading, label: Label | None, as_json: bool) -> None:
    """Print what is known at once: why a file could not be read, and its line of JSON."""
    if file.reading is None:
        say(f"digitlab: {printable(file.name)}: {file.pages}")
    if as_json:
        print_json(json_values(file.name, file.pages, file.reading, label))


def _draw(file: FileReading, path: Path | None) -> None:
    if path is not None and file.reading is not None and not isinstance(file.pages, ImageError):
        draw(file.reading, file.pages, path)


@contextmanager
def _table_of_characters(path: Path | None) -> Iterator[Callable[[FileReading], None]]:
    """Yield a function that adds a picture to the table of characters, if there is a path."""
    if path is None:
        yield lambda _: None
        return
    from digitlab.recognition.character_table import character_table

    with character_table(path) as add:

        def add_file(file: FileReading) -> None:
            content = str(file.pages) if file.reading is None else file.reading
            add(printable(file.name), content)

        yield add_file
    say(f"written to {path}")


def _read_files(
    recognizer: Recognizer, names: Iterable[str], explain: bool, lengths: LengthRange | None
) -> Iterator[FileReading]:
    for chunk in _chunks(names):
        pictures = [pages for _, pages in chunk if not isinstance(pages, ImageError)]
        readings = iter(recognizer.read_many(pictures, explain=explain, lengths=lengths))
        for name, pages in chunk:
            reading = None if isinstance(pages, ImageError) else next(readings)
            yield FileReading(name, pages, reading)


def _chunks(names: Iterable[str]) -> Iterator[list[tuple[str, tuple[Picture, ...] | ImageError]]]:
    """Yield decoded pictures in chunks, bounded in number and in pixels."""
    chunk: list[tuple[str, tuple[Picture, ...] | ImageError]] = []
    pixels = 0
    for name in names:
        pages = _decode(name)
        chunk.append((name, pages))
        if not isinstance(pages, ImageError):
            pixels += sum(page.grey.size for page in pages)
        if len(chunk) == CHUNK_FILES or pixels >= CHUNK_PIXELS:
            yield chunk
            chunk, pixels = [], 0
    if chunk:
        yield chunk


def _decode(name: str) -> tuple[Picture, ...] | ImageError:
    from digitlab.pictures.decoder import MAX_FILE_BYTES, decode_pages

    try:
        if name == STDIN:
            return decode_pages(sys.stdin.buffer.read(MAX_FILE_BYTES + 1))
        if os.path.isdir(name):  # noqa: PTH112 - pathlib's raises where a name is too long
            return ImageError("expected a folder with pictures, found none that can be read")
        return decode_pages(name)
    except ImageError as error:
        # The file's name is printed before the message, and need not be in it.
        text = str(error).removeprefix(f"{name}: ").removeprefix("the picture: ")
        return ImageError(text, accepted=error.accepted)


def _with_progress(files: Iterator[FileReading], total: int) -> Iterable[FileReading]:
    if total < MANY_FILES or not sys.stderr.isatty():
        return files
    from rich.progress import track

    return track(files, "reading pictures", total, console=stderr(), transient=True)
