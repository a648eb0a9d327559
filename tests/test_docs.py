"""The documents are true: links lead somewhere, and the commands they name are there."""

from __future__ import annotations

import csv
import re
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from digitlab.bundle.files import check_bundle, find_bundle, shipped_names
from digitlab.spec.library import resolve_recipe
from digitlab.spec.trial import engine_version_of

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
PRESENT = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]  # which names what was removed, too


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_within_the_project_resolves(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text("utf-8"))
    inner = [link for link in links if "://" not in link]
    assert [link for link in inner if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_is_named_as_code_exists(document: Path) -> None:
    names = set(re.findall(r"`((?:src|tests|benchmarks|docs)/[\w/.-]+)`", document.read_text("utf-8")))
    assert sorted(name for name in names if not (ROOT / name).exists()) == []


def code_in(text: str) -> list[str]:
    """Return the lines of a page's code blocks, without comments, and the pieces of code in its sentences."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    sentences = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    pieces = re.findall(r"`([^`]+)`", sentences)
    return [line.partition(" #")[0] for line in lines] + [" ".join(piece.split()) for piece in pieces]


def options_of(command: Any) -> set[str]:
    return {"--help", *(option for item in command.params for option in (*item.opts, *item.secondary_opts))}


def unknown_in(code: str, program: Any) -> str | None:
    """Return the part of a command line that digitlab does not have: a command or an option."""
    command, options = program, []
    for word in code.split()[1:]:
        plain = word.strip("[],")
        if plain.startswith("--"):
            options.append(plain.partition("=")[0])
        elif not options and hasattr(command, "commands") and plain != "...":
            if plain not in command.commands:
                return plain
            command = command.commands[plain]
    return next((option for option in options if option not in options_of(command)), None)


@pytest.fixture(scope="module")
def program() -> Any:
    """The command line, with the tree of its commands."""
    from typer.main import get_command

    from digitlab.cli.main import app

    return get_command(app)


@pytest.mark.parametrize("document", PRESENT, ids=lambda path: path.name)
def test_every_digitlab_command_and_its_options_are_there(document: Path, program: Any) -> None:
    pieces = code_in(document.read_text("utf-8"))
    lines = [piece for piece in pieces if re.match(r"(\.venv/bin/)?digitlab [a-z-]", piece)]
    assert {line: unknown_in(line, program) for line in lines if unknown_in(line, program)} == {}


def test_the_readme_s_commands_are_among_those_checked() -> None:
    code = code_in((ROOT / "README.md").read_text("utf-8"))
    assert {"digitlab doctor", ".venv/bin/digitlab recognize picture.jpg"} <= {line.strip() for line in code}


@pytest.mark.parametrize(
    ("code", "unknown"),
    [
        ("digitlab study run mine.toml --seeds 5", None),
        ("digitlab serve [--host 127.0.0.1] [--model BUNDLE|NAME]", None),
        ("digitlab --debug ...", None),
        ("digitlab predict picture.png", "predict"),
        ("digitlab study stop mine", "stop"),
        ("digitlab train mlp --epoch 3", "--epoch"),
        ("digitlab study list --sort=name", "--sort"),
    ],
)
def test_a_command_or_option_that_was_removed_is_noticed(
    code: str, unknown: str | None, program: Any
) -> None:
    assert unknown_in(code, program) == unknown


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_that_is_named_alone_is_there(document: Path, program: Any) -> None:
    """It belongs to a command of digitlab, or to a program whose source has it."""
    groups = [program, *program.commands.values()]
    commands = [program] + [item for group in groups for item in getattr(group, "commands", {}).values()]
    known = set().union(*map(options_of, commands))
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "benchmarks").glob("*.py"))
    known |= set(re.findall(r'"(--[a-z-]+)"', sources))
    named = {code.split()[0] for code in code_in(document.read_text("utf-8")) if code.startswith("--")}
    assert named - known == set()


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
    versions: dict[bool, set[int]] = {False: set(), True: set()}  # by whether there is batch normalization
    for row in rows:
        versions[row["recipe"] == "resnet"].add(int(row["engine_version"]))
    [version], [normalized] = versions.values()
    text = (ROOT / "docs" / "findings.md").read_text("utf-8")
    assert says_the_engine(text, version, engine_version_of(resolve_recipe("mlp").model))
    assert f"by the engine's version {normalized}" in text
    assert normalized == engine_version_of(resolve_recipe("resnet").model)
