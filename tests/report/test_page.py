"""The page of a study, on synthetic results and real digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import pytest

from digitlab.errors import UserError
from digitlab.report import most_misread, write_report
from digitlab.spec import Axis

VOID = {"meta", "br", "link", "img", "hr", "input"}
EVIL = "<script>alert('1')</script>"


class Page(HTMLParser):
    """What a page holds: its tags with attributes, its text, and whether every tag is closed in turn."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text("utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data.replace("\N{NO-BREAK SPACE}", " ")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def values(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.tags if (value := attributes.get(attribute))]


@pytest.fixture(scope="module")
def page(make_table, mnist, predictions, tmp_path_factory: pytest.TempPathFactory) -> Page:
    misread = most_misread(predictions, mnist.y_test)
    path = tmp_path_factory.mktemp("report") / "page.html"
    return Page(write_report(make_table(), path, misread=misread, images=mnist.x_test))


def test_the_page_needs_no_network_no_script_and_no_other_file(page: Page) -> None:
    assert not re.search(r"https?:", page.source)
    assert not page.all("script")
    assert not page.all("link")
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    references = page.values("src") + page.values("href") + page.values("xlink:href")
    assert len(references) > 24  # the digits, at least
    assert all(reference.startswith(("#", "data:image/png;base64,")) for reference in references)
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page.source))
    assert "@import" not in page.source


def test_ids_are_unique_and_every_reference_finds_one(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    inside = [reference[1:] for reference in page.values("href") if reference.startswith("#")]
    clipped = re.findall(r"url\(#([^)]*)\)", page.source)
    assert set(inside + clipped + page.values("aria-labelledby")) <= set(ids)


def test_the_page_is_well_formed_and_tells_what_its_figures_show(page: Page) -> None:
    assert page.open == []
    assert page.all("html") == [{"lang": "en"}]
    figures = page.all("svg")
    assert len(figures) == len(page.all("figure")) == len(page.all("figcaption")) == 3
    assert all(figure["role"] == "img" and figure["aria-label"] for figure in figures)
    assert {header.get("scope") for header in page.all("th")} == {"col", "row"}
    assert any("width=device-width" in str(meta.get("content")) for meta in page.all("meta"))


def test_no_figure_brings_a_style_sheet_that_holds_for_the_whole_page(page: Page) -> None:
    assert len(page.all("style")) == 1


def test_the_page_answers_shows_and_says_how_it_was_measured(page: Page) -> None:
    for expected in (
        "How wide?",
        "The validation error is lowest at neurons = 128 (3.10 %); the test error there is 2.77 %",
        "2.52 to 3.02",
        "n = 3",
        "95 % t interval",
        "Student's",
        "No choice was made by the test set.",
        "training.batch_size = 200",
        "training.precision = float32",
        "neurons (model.hidden.0): 8, 16, 128; reference 128",
        "0 to 2, the same for every level",
        "mnist, SHA-256 " + "a" * 64,
        "5,000 of its training images are set aside for validation",
        "split seed 28",
        "threads per network: 1",
        "keras 3.15.0",
        "cpu A Processor",
        "of 5 asked",
    ):
        assert expected in page.text
    assert "model.hidden.0 = " not in page.text  # what is varied is no fixed setting


def test_what_a_user_writes_is_shown_as_text(make_table, tmp_path: Path) -> None:
    axis = Axis(path="training.optimizer", values=("adam", "sgd"), label=f'{EVIL} id="x" url(#y)')
    table = make_table(
        axis,
        question=f"Is {EVIL} shown?",
        description=EVIL,
        failed={(0, 0): f"failed {EVIL}"},
        data={"dataset": EVIL},
    )
    page = Page(write_report(table, tmp_path / "page.html"))
    assert not page.all("script")
    assert page.text.count(EVIL) >= 8
    assert f"Is {EVIL} shown?" in page.text
    assert 'id="x" url(#y)' in page.text
    assert page.open == []


def test_letters_that_the_drawing_font_lacks_are_left_to_the_readers_fonts(
    make_table, tmp_path: Path
) -> None:
    page = Page(
        write_report(make_table(Axis(path="model.hidden.0", values=(8,), label="隠れ層")), tmp_path / "p")
    )
    assert page.text.count("隠れ層") >= 4


def test_missing_and_failed_trials_show(make_table, tmp_path: Path) -> None:
    failed = {(0, seed): "out of memory" for seed in range(3)}
    page = Page(write_report(make_table(failed=failed, missing={(1, 2)}), tmp_path / "page.html"))
    for expected in (
        "neurons = 8: 3 of 3 failed: out of memory (3 times).",
        "3 failed",
        "1 not done",
        "So far,",
    ):
        assert expected in page.text


def test_before_anything_is_trained_there_is_a_page_without_figures(make_table, tmp_path: Path) -> None:
    everything = {(cell, seed) for cell in range(3) for seed in range(3)}
    page = Page(write_report(make_table(missing=everything), tmp_path / "page.html"))
    assert "No trial of this study is done yet." in page.text
    assert not page.all("svg")


def test_equal_tables_give_equal_pages(make_table, tmp_path: Path) -> None:
    one, other = (write_report(make_table(), tmp_path / name) for name in ("one.html", "other.html"))
    assert one.read_bytes() == other.read_bytes()


def test_the_folder_is_made_and_the_page_replaces_the_old_one(make_table, tmp_path: Path) -> None:
    path = tmp_path / "reports" / "study.html"
    assert write_report(make_table(question="First?"), path) == path
    write_report(make_table(question="Second?"), path)
    assert "Second?" in path.read_text("utf-8")
    assert "First?" not in path.read_text("utf-8")
    assert list(path.parent.iterdir()) == [path]


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_when_the_disk_is_full_the_old_page_stays_and_nothing_is_left_behind(
    make_table, tmp_path: Path
) -> None:
    path = write_report(make_table(), tmp_path / "study.html")
    before = path.read_bytes()
    with file_size_limit(10_000), pytest.raises(UserError, match=r"study\.html: cannot be written: .*disk"):
        write_report(make_table(question="Another?"), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_one_line(make_table, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "page.html", tmp_path / "folder"):
        with pytest.raises(UserError, match=r"cannot be written: .*name another file$"):
            write_report(make_table(), path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]
