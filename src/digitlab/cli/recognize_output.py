"""What `digitlab recognize` gives of what was read: lines of JSON, a table for people, a drawing."""

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
    from digitlab.data.images import Picture
    from digitlab.recognition import Reading
    from digitlab.recognition.labels import Label


def json_values(
    name: str, found: tuple[Picture, ...] | ImageError, reading: Reading | None, label: Label | None
) -> dict[str, Any]:
    """Give the object of one file, as JSON takes it.

    Args:
        name: the file's name, as it was asked for.
        found: the pages in it, or why there are none.
        reading: the pages' reading.
        label: what is written there, where that is known.
    """
    if reading is None:
        values = {"status": "error", "text": "", "digits": [], "reason": str(found)}
    else:
        values = reading.to_values()
    if label is not None:
        from digitlab.recognition.labels import outcome

        values |= {"label": label.text, "group": label.group}
        values["outcome"] = outcome(reading, label).value if reading else None
    return {"file": printable(name), **values}


def print_answers(answered: Sequence[tuple[str, Reading]]) -> None:
    """Print a table for people, a row for each picture."""
    table = plain_table()
    for title in ("file", "text", "confidence", "runner-up", "reason"):
        table.add_column(title, justify="right" if title == "confidence" else "left", overflow="fold")
    for name, reading in answered:
        table.add_row(printable(name), *_row(reading), style="yellow" if reading.reason else None)
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


def draw(reading: Reading, pages: Sequence[Picture], path: Path) -> None:
    """Draw how a picture was prepared and what was read there, and say so."""
    from digitlab.recognition.explain import draw_explanation, encode_png

    height, width = pages[0].grey.shape
    drawing = encode_png(draw_explanation(reading, (width, height)))
    again = ", in place of the drawing that was there" if path.exists() else ""
    write_whole(path, mark_png(drawing, Mark("drawing")))
    say(f"drawn to {path}{again}")
