"""The page of a study: one HTML file that needs no network, no script and no other file."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from digitlab.errors import MissingExtraError, UserError
from digitlab.report.canvas import ACCENT
from digitlab.report.drawing import draw_error_by_level, draw_learning_curves, draw_misread
from digitlab.report.figures import Misread, error_by_level, learning_curves
from digitlab.report.markup import inline_svg
from digitlab.report.measured import facts
from digitlab.report.tables import notes, study_table
from digitlab.report.verdicts import lead
from digitlab.results.aggregate import StudyTable

try:
    from jinja2 import Environment, PackageLoader, StrictUndefined
except ModuleNotFoundError as error:
    raise MissingExtraError("jinja2", "report") from error


class Illustration(NamedTuple):
    """A figure in the page.

    Attributes:
        title: its heading.
        svg: the drawing.
        caption: what is drawn, of how many networks, and what the intervals are.
    """

    title: str
    svg: str
    caption: str


def write_report(
    table: StudyTable,
    path: Path | str,
    *,
    misread: Sequence[Misread] = (),
    images: np.ndarray | None = None,
) -> Path:
    """Write the page of a study, whole or not at all; equal tables give equal pages.

    Args:
        table: the study's answer in figures.
        path: of the HTML file; its folder is made.
        misread: test images to show, as `most_misread` gives them.
        images: the test set, uint8 [n, 28, 28], white ink (255) on black (0); needed to show them.

    Returns:
        The path.

    Raises:
        UserError: the file cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("digitlab.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["unbroken"] = _unbroken
    html = environment.get_template("study.html").render(
        study=table.plan.study,
        lead=lead(table),
        table=study_table(table),
        notes=notes(table),
        illustrations=tuple(_illustrations(table, misread, images)),
        facts=facts(table),
        accent=ACCENT,
    )
    return _write_whole(Path(path), html)


def _illustrations(
    table: StudyTable, misread: Sequence[Misread], images: np.ndarray | None
) -> Iterator[Illustration]:
    if not any(row.seeds for row in table.rows):
        return
    yield _error_illustration(table)
    yield _curves_illustration(table)
    if misread and images is not None:
        yield _misread_illustration(misread, images)


def _error_illustration(table: StudyTable) -> Illustration:
    data = error_by_level(table)
    description = f"Chart of the error on the test set and on the validation part against {data.axis}"
    lines = f", one line for each {data.others}; the legend shows the test error" if data.others else ""
    caption = (
        f"Error on the test set against {data.axis}{lines}. Dots with bars: mean over seeds with its 95 % t "
        f"interval ({data.seeds}). Faint dots: single networks. Diamonds: mean error on the validation "
        "part, by which levels are compared."
    )
    svg = inline_svg(draw_error_by_level(data), "error", f"{description}; the table has the figures.")
    return Illustration("Error by level", svg, caption)


def _curves_illustration(table: StudyTable) -> Illustration:
    data = learning_curves(table)
    ends = ", ".join(f"{level.label}: {level.validation.mean[-1]:.2f}" for level in data.levels)
    description = (
        f"Chart of the error by epoch. Validation error in percent after the last epoch by level: {ends}."
    )
    caption = (
        "Error by epoch, on the training images (left) and on the validation part (right), one line for each "
        f"level. Lines: mean over seeds ({data.seeds}). Bands: smallest to largest of the seeds. Training "
        "error is counted while the network learns, each image before its step, so its first epoch is high."
    )
    return Illustration(
        "Learning curves", inline_svg(draw_learning_curves(data), "curves", description), caption
    )


def _misread_illustration(misread: Sequence[Misread], images: np.ndarray) -> Illustration:
    cases = "; ".join(
        f"image {each.index}: true {each.truth}, read {each.usual}, {each.wrong} of {each.total} wrong"
        for each in misread
    )
    caption = (
        f"Test images misread by the most networks, of {misread[0].total} asked; of equals, the first in the "
        "test set. Below each: the published class, the most common wrong answer, and how many networks were "
        "wrong. They are shown, and used for nothing else."
    )
    svg = inline_svg(draw_misread(misread, images), "misread", f"Misread digits. {cases}.")
    return Illustration("Most misread digits", svg, caption)


def _unbroken(text: str) -> str:
    """Keep a number and its percent sign, an axis and its level, on one line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%").replace("= ", "=\N{NO-BREAK SPACE}")


def _write_whole(path: Path, text: str) -> Path:
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UserError(
            f"report {path}: cannot be written: {error.strerror or error}; check that the folder can be "
            "written and that the disk has room, or name another file"
        ) from None
    return path
