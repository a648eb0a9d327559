"""The page of one study and of several, on synthetic results and real digits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from digitlab.errors import UserError
from digitlab.report import StudyData, write_report
from digitlab.results import StudyTable
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


NETWORK = Axis(path="recipe", values=("mlp", "cnn"), label="network", reference="cnn")
EPOCHS = Axis(path="training.epochs", values=(1, 2, 5), label="epochs", reference=2)
WIDTHS = Axis(path="model.hidden.0", values=(8, 16, 32, 64, 128), label="neurons")
KERNEL = ((0.5, -0.25, 0.0),) * 3


@pytest.fixture(scope="module")
def page(make_material, mnist, predictions, tmp_path_factory: pytest.TempPathFactory) -> Page:
    path = tmp_path_factory.mktemp("report") / "page.html"
    material = make_material(answers=lambda cell, seed: predictions[(cell + seed) % 5], digits=mnist)
    return Page(write_report([material], path))


@pytest.fixture(scope="module")
def several(make_material, mnist, predictions, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Three studies: networks with kernels, two crossed axes, and two losses judged by two metrics."""
    answers = lambda cell, seed: predictions[(cell + seed) % 5]  # noqa: E731
    loss = Axis(path="training.loss", values=("crossentropy", "mse"), label="loss")
    kernels = lambda cell: (KERNEL,) * 8 if cell else ()  # noqa: E731
    studies = [
        make_material(NETWORK, name="networks", kernels=kernels, answers=answers, digits=mnist),
        make_material(EPOCHS, WIDTHS, name="crossed", answers=answers, digits=mnist, description="Both."),
        make_material(
            loss, name="losses", mse=lambda cell, seed: 0.01 + 0.001 * cell, question="Which loss?"
        ),
    ]
    path = tmp_path_factory.mktemp("report") / "page.html"
    return Page(write_report(studies, path, title="All of them", description="Three."))


def alone(table: StudyTable) -> list[StudyData]:
    return [StudyData(table)]


@pytest.fixture(params=["page", "several"])
def any_page(request: pytest.FixtureRequest) -> Page:
    return request.getfixturevalue(request.param)


def test_the_page_needs_no_network_no_script_and_no_other_file(any_page: Page) -> None:
    page = any_page
    assert not re.search(r"https?:", page.source)
    assert not page.all("script")
    assert not page.all("link")
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    references = page.values("src") + page.values("href") + page.values("xlink:href")
    assert len(references) > 24  # the digits, at least
    assert all(reference.startswith(("#", "data:image/png;base64,")) for reference in references)
    assert len(page.source.encode()) < 600_000
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page.source))
    assert "@import" not in page.source


def test_ids_are_unique_and_every_reference_finds_one(any_page: Page) -> None:
    page = any_page
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    inside = [reference[1:] for reference in page.values("href") if reference.startswith("#")]
    clipped = re.findall(r"url\(#([^)]*)\)", page.source)
    assert set(inside + clipped + page.values("aria-labelledby")) <= set(ids)


def test_the_page_is_well_formed_and_tells_what_its_figures_show(any_page: Page) -> None:
    page = any_page
    assert page.open == []
    assert page.all("html") == [{"lang": "en"}]
    figures = page.all("svg")
    assert len(figures) == len(page.all("figure")) == len(page.all("figcaption")) >= 3
    regions = [each for each in page.all("div") if each.get("role") == "region"]
    assert len(regions) == len(page.all("table"))
    assert all(region["aria-label"] for region in regions)
    assert all(figure["role"] == "img" and figure["aria-label"] for figure in figures)
    assert {header.get("scope") for header in page.all("th")} == {"col", "row"}
    assert any("width=device-width" in str(meta.get("content")) for meta in page.all("meta"))


def test_no_figure_brings_a_style_sheet_that_holds_for_the_whole_page(any_page: Page) -> None:
    assert len(any_page.all("style")) == 1


def test_the_page_answers_shows_and_says_how_it_was_measured(page: Page) -> None:
    for expected in (
        "How wide?",
        "The validation error is lowest at neurons = 128 (3.10 %); the test error there is 2.77 %",
        "2.52 to 3.02",
        "n = 3",
        "95 % t interval",
        "Student's",
        "No choice was made on the test set.",
        "training.batch_size = 200",
        "training.precision = float32",
        "neurons (model.hidden.0): 8, 16, 128; reference 128",
        "0 to 2, the same for every level",
        "With neurons = 8, networks err 5.33 points more than with 128 on these 10,000 images, with each "
        "of 3 seeds alike",
        "mnist, 5,000 of its training images kept for validation; 3 seeds a level",
        "verdicts by Holm's p below 0.05",
        "never narrower than the first",
        "summed over 3 networks at neurons = 128, the level of least validation error",
        "mnist, SHA-256 ca679089cd9dd461",
        "5,000 of its training images are set aside for validation",
        "split seed 28",
        "threads per network: 1",
        "keras 3.15.0",
        "cpu A Processor",
        "misread by the most networks, of 9;",
    ):
        assert expected in page.text
    assert "model.hidden.0 = " not in page.text  # what is varied is no fixed setting


def test_several_studies_have_a_contents_with_an_answer_each(several: Page) -> None:
    assert "All of them" in several.text
    links = [target["href"] for target in several.all("a")]
    assert links == ["#networks", "#crossed", "#losses"]
    assert [article["id"] for article in several.all("article")] == ["networks", "crossed", "losses"]
    assert several.text.count("The validation error is lowest at network = cnn (4.60 %)") == 2
    assert len(several.all("h1")) == 1


def test_how_it_was_measured_is_told_once_with_what_differs(several: Page) -> None:
    assert several.text.count("No choice was made on the test set.") == 1
    assert several.text.count("keras 3.15.0, system Linux x86_64") == 1
    assert "networks: cnn: model.family = cnn" not in several.text  # both recipes, each by its own name
    assert "networks: mlp: model.family = mlp" in several.text
    assert "cnn: model.family = cnn" in several.text
    assert "networks, crossed: mnist, SHA-256 ca679089cd9dd461" in several.text
    assert "losses: mnist, SHA-256 " + "a" * 64 in several.text


def test_crossed_axes_are_a_surface_and_their_long_tables_are_folded_away(several: Page) -> None:
    assert "epochs ↓ neurons →" in several.text.replace("\N{NO-BREAK SPACE}", " ")
    details = several.source.split("<details>")[1:]
    folded = [each for each in details if "trials with its id" not in each]
    assert len(folded) == 2
    assert len(details) == 2 + 3  # and the trials of each study
    assert all(each.split("</details>")[0].count("<tr>") in (1 + 15, 1 + 14) for each in folded)
    shades = [float(each.group(1)) for each in re.finditer(r"--shade: ([\d.]+)", several.source)]
    assert len(shades) >= 15 + 100
    assert all(0 <= shade <= 1 for shade in shades)


def test_kernels_are_pictures_where_recipes_are_compared(several: Page) -> None:
    assert "The 8 kernels of 3x3 in the first layer of cnn, of the network of seed 0 after 5 epochs." in (
        several.text
    )
    (figure,) = [each for each in several.all("svg") if "kernels" in str(each["aria-label"])]
    assert (
        figure["aria-label"] == "The 8 kernels of 3x3 in the first layer of cnn: weights from −0.25 to 0.50."
    )


def test_two_losses_are_followed_by_two_metrics(several: Page) -> None:
    section = several.source.split('id="losses"')[1]
    assert section.count("<figure>") == 4  # levels and curves, by error and by squared error
    assert "the mean squared error is 0.00100 more than with crossentropy" in section


@pytest.mark.slow  # draws two reports
def test_known_wrong_labels_are_marked_on_mnist_and_on_no_other_data(
    make_material, mnist, tmp_path: Path
) -> None:
    answers = mnist.y_test.copy()
    answers[[0, 5937]] = 3
    for digits, known in ((mnist, ", by re-labelling 3"), (replace(mnist, fingerprint="a" * 64), "")):
        material = make_material(answers=lambda cell, seed: answers, digits=digits)
        page = Page(write_report([material], tmp_path / "page.html"))
        (told,) = [each["aria-label"] for each in page.all("svg") if "Misread" in str(each["aria-label"])]
        assert told == (
            "Misread digits. image 0: published 7, read 3, 9 of 9 wrong; "
            f"image 5937: published 5{known}, read 3, 9 of 9 wrong."
        )
        assert ("labels known to be wrong" in page.text) == bool(known)


def test_without_its_data_a_page_says_why_it_shows_no_digits(
    make_material, predictions, tmp_path: Path
) -> None:
    material = make_material(answers=lambda cell, seed: predictions[0])
    page = Page(write_report([material], tmp_path / "page.html"))
    assert "the data of this study has changed since" in page.text
    assert "on new digits" not in page.text.split("Methods")[0]


def test_what_a_user_writes_is_shown_as_text(make_table, tmp_path: Path) -> None:
    axis = Axis(path="training.optimizer", values=("adam", "sgd"), label=f'{EVIL} id="x" url(#y)')
    table = make_table(
        axis,
        question=f"Is {EVIL} shown?",
        description=EVIL,
        failed={(0, 0): f"failed {EVIL}"},
        data={"dataset": EVIL},
    )
    page = Page(write_report(alone(table), tmp_path / "page.html"))
    assert not page.all("script")
    assert page.text.count(EVIL) >= 8
    assert f"Is {EVIL} shown?" in page.text
    assert 'id="x" url(#y)' in page.text
    assert page.open == []


def test_letters_that_the_drawing_font_lacks_are_left_to_the_readers_fonts(
    make_table, tmp_path: Path
) -> None:
    page = Page(
        write_report(
            alone(make_table(Axis(path="model.hidden.0", values=(8,), label="隠れ層"))), tmp_path / "p"
        )
    )
    assert page.text.count("隠れ層") >= 4


def test_missing_and_failed_trials_show(make_table, tmp_path: Path) -> None:
    failed = {(0, seed): "out of memory" for seed in range(3)}
    page = Page(write_report(alone(make_table(failed=failed, missing={(1, 2)})), tmp_path / "page.html"))
    for expected in (
        "neurons = 8: 3 of 3 failed: out of memory (3 times).",
        "3 failed",
        "1 not done",
        "So far,",
    ):
        assert expected in page.text


def test_before_anything_is_trained_there_is_a_page_without_figures(make_table, tmp_path: Path) -> None:
    everything = {(cell, seed) for cell in range(3) for seed in range(3)}
    page = Page(write_report(alone(make_table(missing=everything)), tmp_path / "page.html"))
    assert "No trial of this study is done yet." in page.text
    assert not page.all("svg")


@pytest.mark.slow  # draws two reports
def test_equal_tables_give_equal_pages(make_table, tmp_path: Path) -> None:
    one, other = (write_report(alone(make_table()), tmp_path / name) for name in ("one.html", "other.html"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow  # draws two reports
def test_the_folder_is_made_and_the_page_replaces_the_old_one(make_table, tmp_path: Path) -> None:
    path = tmp_path / "reports" / "study.html"
    assert write_report(alone(make_table(question="First?")), path) == path
    write_report(alone(make_table(question="Second?")), path)
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


@pytest.mark.slow  # draws two reports
def test_when_the_disk_is_full_the_old_page_stays_and_nothing_is_left_behind(
    make_table, tmp_path: Path
) -> None:
    path = write_report(alone(make_table()), tmp_path / "study.html")
    before = path.read_bytes()
    with file_size_limit(10_000), pytest.raises(UserError, match=r"study\.html: cannot be written: .*disk"):
        write_report(alone(make_table(question="Another?")), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_one_line(make_table, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "page.html", tmp_path / "folder"):
        with pytest.raises(
            UserError, match=r"(expected a new file|cannot be written).*name another( place)?$"
        ):
            write_report(alone(make_table()), path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]
