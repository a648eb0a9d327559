"""The report as Markdown, with its figures beside it."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

import pytest

from digitlab.errors import UserError
from digitlab.report import StudyData, write_markdown
from digitlab.report.sentences import study_sentences
from digitlab.spec import Axis

EVIL = "<b>a|b</b> *c* [d](e) `f` _g_ $h$"
ESCAPED = r"&lt;b&gt;a\|b&lt;/b&gt; \*c\* \[d\](e) \`f\` \_g\_ \$h\$"


@pytest.fixture(scope="module")
def folder(make_material, mnist, predictions, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("markdown")
    answers = lambda cell, seed: predictions[(cell + seed) % 5]  # noqa: E731
    loss = Axis(path="training.loss", values=("crossentropy", "mse"), label="loss")
    studies = [
        make_material(name="widths", answers=answers, digits=mnist, description="Wide and narrow."),
        make_material(loss, name="losses", question="Which loss?", answers=answers, digits=mnist),
    ]
    write_markdown(studies, folder / "both.md", title="Both", description="Two studies.")
    return folder


def test_every_figure_is_a_picture_beside_the_text_with_its_description(folder: Path) -> None:
    text = (folder / "both.md").read_text("utf-8")
    shown = re.findall(r"!\[([^\n]*)\]\(<([^>]*)>\)", text)
    assert {name for _, name in shown} == {path.name for path in folder.glob("*.png")}
    assert [name for _, name in shown][:3] == [
        "both-widths-error.png",
        "both-widths-curves-error.png",
        "both-widths-misread.png",
    ]
    assert all(len(description) > 30 for description, _ in shown)
    for _, name in shown:
        start = (folder / name).read_bytes()[:24]
        assert start.startswith(b"\x89PNG")
        assert struct.unpack(">I", start[16:20])[0] > 300  # dots across


def test_the_text_has_the_same_answers_sentences_and_tables_as_the_page(folder: Path, make_material) -> None:
    text = (folder / "both.md").read_text("utf-8")
    for expected in (
        "# Both\n\nTwo studies.\n\n1. How wide?  \n   The validation error is lowest at neurons = 128",
        "## 1. How wide?\n\nWide and narrow.\n\n**The validation error is lowest",
        "| neurons | n | test error % | 95 % interval |",
        "|---:|---:|---:|",
        "| 8 | 3 | 8.10 | 7.85 to 8.35 |",
        "### Confusion",
        "## 2. Which loss?",
        "## Methods",
        "- **Recipe",
    ):
        assert expected in text
    for sentence in study_sentences(make_material(name="widths").table):
        assert f"- {sentence}" in text
    assert "colour, the more" not in text  # there are none


def test_every_row_of_a_table_has_as_many_cells_as_its_head(folder: Path) -> None:
    tables = re.findall(r"(?:^\|.*\|\n)+", (folder / "both.md").read_text("utf-8"), flags=re.M)
    assert len(tables) == 2 * 3 + 1 + 2
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_what_a_user_writes_is_no_mark(make_table, tmp_path: Path) -> None:
    axis = Axis(path="training.optimizer", values=("adam", "sgd"), label=EVIL)
    table = make_table(axis, question=EVIL, description=EVIL, failed={(0, 0): "a\n# heading"})
    text = write_markdown([StudyData(table)], tmp_path / "evil.md").read_text("utf-8")
    assert text.startswith(f"# {ESCAPED}\n\n{ESCAPED}\n")
    assert EVIL not in text
    assert "<b>" not in text
    assert "failed: a \\# heading." in text


@pytest.mark.slow  # draws two reports
def test_equal_material_gives_equal_files(make_table, tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_markdown([StudyData(make_table())], tmp_path / name / "study.md")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


def test_a_place_that_cannot_be_written_is_one_line(make_table, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written: .*name another place$"):
        write_markdown([StudyData(make_table())], tmp_path / "file" / "study.md")


@pytest.mark.slow  # draws two reports
def test_letters_that_the_figures_lack_are_told(make_table, tmp_path: Path) -> None:
    axis = Axis(path="model.hidden.0", values=(8, 16), label="隠れ層")
    write_markdown([StudyData(make_table(axis))], tmp_path / "report.md")
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "Letters that the drawing font lacks are boxes in the figures: れ 層 隠\n" in text
    write_markdown([StudyData(make_table())], tmp_path / "plain.md")
    assert "drawing font" not in (tmp_path / "plain.md").read_text("utf-8")


def test_figures_are_found_beside_a_text_whose_name_is_no_utf8(make_table, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"x\xff.md")
    try:
        path.touch()
        path.unlink()
    except OSError:
        pytest.skip("this file system takes no such names")
    write_markdown([StudyData(make_table())], path)
    text = path.read_bytes()
    for figure in tmp_path.glob("*.png"):
        assert b"(<" + os.fsencode(figure.name) + b">)" in text
