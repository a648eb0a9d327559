"""The documents are true: links lead somewhere, and the commands they name are there."""

from __future__ import annotations

import csv
import re
import runpy
import subprocess
from pathlib import Path

import pytest

from digitlab.bundle.files import check_bundle, find_bundle, shipped_names
from digitlab.spec.library import resolve_recipe
from digitlab.spec.trial import engine_version_of

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_within_the_project_resolves(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text("utf-8"))
    inner = [link for link in links if "://" not in link]
    assert [link for link in inner if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_as_code_exists(document: Path) -> None:
    names = set(re.findall(r"`((?:src|tests|benchmarks|docs)/[\w/.-]+)`", document.read_text("utf-8")))
    assert sorted(name for name in names if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_digitlab_command_is_there(document: Path) -> None:
    from digitlab.cli.main import app

    commands = set(
        re.findall(
            r"digitlab ((?:study|data) [a-z]+|train|evaluate|export|recognize|serve|doctor)\b",
            document.read_text("utf-8"),
        )
    )
    for command in commands:
        assert app(args=[*command.split(), "--help"], standalone_mode=False) == 0


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_benchmark_is_there(document: Path) -> None:
    suite = runpy.run_path(str(ROOT / "benchmarks" / "__main__.py"))["SUITE"]
    names = set(re.findall(r"python -m benchmarks ([a-z]+)", document.read_text("utf-8")))
    assert names <= set(suite)


def test_every_make_target_in_the_readme_is_there() -> None:
    targets = set(re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text("utf-8"))) - {"make"}
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=True)


def test_the_readme_fits_on_a_screen_or_two() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 70


def says_the_engine(text: str, version: int, present: int) -> bool:
    """Whether a page whose figures are of an engine version says so, and that it is older where it is.

    Each sentence about an engine version counts, and there must be one.
    """
    plain = " ".join(text.split())
    said = re.findall(r"engine version (\d+)(?:, older than the present (\d+))?", plain)
    true = (str(version), "" if version == present else str(present))
    return bool(said) and all(each == true for each in said)


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("All of engine version 2.", True),
        ("Nothing is said.", False),
        ("Trained by engine version 1.", False),
        ("Trained by engine version 2, older than the present 3.", False),
    ],
)
def test_a_page_of_the_present_engine_says_that_one_and_no_other(text: str, true: bool) -> None:
    assert says_the_engine(text, version=2, present=2) == true


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("Trained by engine version 1, older than\nthe present 2.", True),
        ("Trained by engine version 1.", False),
        ("Trained by engine version 2.", False),
        ("Trained by engine version 1, older than the present 3.", False),
        ("", False),
    ],
)
def test_a_page_of_an_older_engine_says_so(text: str, true: bool) -> None:
    assert says_the_engine(text, version=1, present=2) == true


def test_the_networks_and_their_figures_are_of_the_present_engine() -> None:
    for name in shipped_names():
        trial = check_bundle(find_bundle(name)).card.trial
        assert trial.engine_version == engine_version_of(trial.model), name
    with (ROOT / "docs" / "networks.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            model = resolve_recipe(row["recipe"]).model
            assert int(row["engine_version"]) == engine_version_of(model), row["recipe"]


def test_the_findings_say_the_engine_of_their_figures() -> None:
    with (ROOT / "docs" / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    [version] = {int(row["engine_version"]) for row in rows}
    present = engine_version_of(resolve_recipe("mlp").model)
    assert says_the_engine((ROOT / "docs" / "findings.md").read_text("utf-8"), version, present)
