from __future__ import annotations

import os
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from digitlab.errors import OutputError
from digitlab.marks import Mark, mark_png, read_mark, replaced_by

REPORT = Mark("report", "mlp-neurons", "mnist", "0123456789abcdef")
EVIL = Mark("report", "a--b-->", "'\">}<b>{}&\n\x1b[31m\0--- 字", "f" * 16)
PICTURE = np.arange(300, dtype=np.uint8).reshape(15, 20)


def png(mark: Mark | None) -> bytes:
    content = cv2.imencode(".png", PICTURE)[1].tobytes()
    return content if mark is None else mark_png(content, mark)


def page(mark: Mark) -> bytes:
    head = f'<meta charset="utf-8">\n<meta name="generator" content=\'{mark}\'>'
    return f"\n<!doctype html>\n<html>\n<head>\n{head}\n</head>{'<p>much' * 10_000}</html>".encode()


def markdown(mark: Mark) -> bytes:
    return f"# Title\n\n{'much ' * 10_000}\n\n<!-- {mark} -->\n".encode()


FORMS = (png, page, markdown)


@pytest.mark.parametrize("mark", [REPORT, EVIL, Mark("drawing")])
@pytest.mark.parametrize("form", FORMS)
def test_a_mark_is_read_as_it_was_written(form, mark: Mark, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(form(mark))
    assert read_mark(path) == mark
    assert replaced_by(mark, path) == ""


def test_a_marked_picture_is_the_picture(tmp_path: Path) -> None:
    np.testing.assert_array_equal(
        cv2.imdecode(np.frombuffer(png(EVIL), np.uint8), cv2.IMREAD_GRAYSCALE), PICTURE
    )


def test_no_mark_ends_the_attribute_or_the_comment_that_holds_it() -> None:
    class Parser(HTMLParser):
        tags: list[str] = []  # noqa: RUF012
        comments: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag, attrs) -> None:
            self.tags.append(tag)
            self.attributes = dict(attrs)

        def handle_comment(self, data: str) -> None:
            self.comments.append(data)

    parser = Parser()
    parser.feed(f"<!-- {EVIL} --><meta content='{EVIL}'>")
    parser.close()
    assert parser.tags == ["meta"]
    assert parser.attributes["content"] == str(EVIL)
    assert parser.comments == [f" {EVIL} "]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# digitlab\n\nMy own notes.\n",
        b"<!doctype html><title>mine</title>",
        b'<!doctype html><meta name="generator" content=\'digitlab {"kind"}\'>',
        b'<!doctype html><meta name="generator" content=\'digitlab {"sort": 1}\'>',
        markdown(REPORT) + b"and more\n",
        b"a line before\n" + page(REPORT),
        png(None),
        b"SQLite format 3\0" + str(REPORT).encode(),
    ],
)
def test_a_file_without_a_mark_in_its_place_is_somebody_elses(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert read_mark(path) is None
    with pytest.raises(OutputError, match="expected a new file or a report that digitlab wrote"):
        replaced_by(REPORT, path)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_replaced_of_another_study_or_other_data_is_said(form, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(form(REPORT))
    other = Mark("report", "mlp-loss", "mnist", REPORT.fingerprint)
    assert replaced_by(other, path) == "replaces the report of study mlp-neurons on mnist"
    changed = Mark("report", "mlp-neurons", "mnist", "f" * 16)
    assert replaced_by(changed, path).endswith("on mnist as it was (fingerprint 0123456789abcdef)")
    renamed = Mark("report", "mlp-neurons", "copy-of-mnist", REPORT.fingerprint)
    assert replaced_by(renamed, path) == ""


OLDER_HEAD = """

<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>How many neurons? · digitlab</title>
"""


def test_a_report_that_is_older_than_marks_is_replaced_and_that_is_said(tmp_path: Path) -> None:
    path = tmp_path / "mlp-neurons.html"
    path.write_text(f"{OLDER_HEAD}<style>\n", "utf-8")
    assert replaced_by(REPORT, path) == "replaces a report of an older digitlab"
    with pytest.raises(OutputError, match="expected a new file or a drawing"):
        replaced_by(Mark("drawing"), path)
    path.write_text(f'{OLDER_HEAD}<link rel="stylesheet" href="/page.css">\n', "utf-8")
    with pytest.raises(OutputError, match="expected a new file or a report"):
        replaced_by(REPORT, path)


def test_what_is_said_steers_no_terminal(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(page(EVIL))
    assert replaced_by(REPORT, path).isprintable()


def test_a_drawing_does_not_replace_a_report(tmp_path: Path) -> None:
    path = tmp_path / "figure.png"
    path.write_bytes(png(REPORT))
    with pytest.raises(OutputError, match="expected a new file or a drawing that digitlab wrote"):
        replaced_by(Mark("drawing"), path)


def test_an_output_is_no_input_by_whatever_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    drawing = Path("drawing.png")
    drawing.write_bytes(png(Mark("drawing")))
    Path("folder").mkdir()
    Path("symbolic.png").symlink_to(drawing)
    os.link(drawing, "hard.png")
    for name in ("symbolic.png", "hard.png", "folder/../drawing.png", str(drawing.absolute())):
        assert replaced_by(Mark("drawing"), name, ["other.png"]) == ""
        with pytest.raises(OutputError, match="expected another file than is read"):
            replaced_by(Mark("drawing"), name, ["other.png", drawing])
        with drawing.open("rb") as read, pytest.raises(OutputError, match="expected another file"):
            replaced_by(Mark("drawing"), name, [read.fileno()])


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_folder_or_a_pipe_is_no_place_for_a_file(make, tmp_path: Path) -> None:
    make(tmp_path / "there")
    with pytest.raises(OutputError, match="expected a new file"):
        replaced_by(REPORT, tmp_path / "there")
