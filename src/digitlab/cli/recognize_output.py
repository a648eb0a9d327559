"""Output of `digitlab recognize`: lines of JSON, a table for people, a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitlab.cli.console import plain_table, say, stdout
from digitlab.cli.picture_names import printable
from digitlab.errors import ImageError
from digitlab.files import write_whole
from digitlab.marks import Mark, mark_png

if TYPE_CHECKING:
    from digitlab.pictures.decoder import Picture
    from digitlab.recognition import Reading
    from digitlab.recognition.labels import Label


def json_values(
    name: str, pages: tuple[Picture, ...] | ImageError, reading: Reading | None, label: Label | None
) -> dict[str, Any]:
    """Return the JSON object of one file.

    Args:
        name: name of the file, as it was requested.
        pages: pages of the file, or the error if there are none.
        reading: reading of the pages; None if there are none.
        label: label of the picture, if it is known.
    """
    if reading is None:
        values = {"status": "error", "text": "", "digits": [], "reason": str(pages)}
    else:
        values = reading.to_values()
    if label is not None:
        from digitlab.recognition.labels import outcome

        values["label"] = label.text
        values["group"] = label.group
        values["outcome"] = outcome(reading, label).value if reading else None
    return {"file": printable(name), **values}


def print_answers(answered: Sequence[tuple[str, Reading]]) -> None:
    """Print a table for people, with a row for each picture."""
    table = plain_table()
    for title in ("file", "text", "confidence", "alternative", "notes"):
        table.add_column(title, justify="right" if title == "confidence" else "left", overflow="fold")
    for name, reading in answered:
        confidence, alternative = _least_confident(reading)
        notes = [*reading.notes]
        style = None
        if reading.reason:
            notes.insert(0, reading.reason)
            style = "yellow"
        table.add_row(printable(name), reading.text, confidence, alternative, "; ".join(notes), style=style)
    stdout().print(table)


def _least_confident(reading: Reading) -> tuple[str, str]:
    """Return the confidence of the least certain line, and its best alternative."""
    if reading.reason or not reading.lines:
        return "", ""
    least = min(reading.lines, key=lambda line: line.confidence)
    confidence = f"{100 * least.confidence:.1f} %"
    others = [item for item in least.alternatives if item[0] != least.text]
    if not others:
        return confidence, ""
    text, probability = others[0]  # the most likely of them
    alternative = text or "no number"
    if len(reading.lines) > 1:  # else it is plain which line it replaces
        alternative += f" for {least.text}"
    return confidence, f"{alternative} ({100 * probability:.1f} %)"


def draw(reading: Reading, pages: Sequence[Picture], path: Path) -> None:
    """Write a drawing of how a picture was prepared and what was read, and print its path."""
    from digitlab.recognition.explain import draw_explanation, encode_png

    height, width = pages[0].grey.shape
    drawing = encode_png(draw_explanation(reading, (width, height)))
    again = ", replacing the drawing that was there" if path.exists() else ""
    write_whole(path, mark_png(drawing, Mark("drawing")))
    say(f"drawn to {path}{again}")
