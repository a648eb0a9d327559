"""The documents are true: links lead somewhere, and the commands they name are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

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
            r"digitlab ((?:study|data|bench) [a-z]+|train|evaluate|export|recognize|serve|doctor)\b",
            document.read_text("utf-8"),
        )
    )
    for command in commands:
        assert app(args=[*command.split(), "--help"], standalone_mode=False) == 0


def test_every_make_target_in_the_readme_is_there() -> None:
    targets = set(re.findall(r"\bmake ([a-z]+)", (ROOT / "README.md").read_text("utf-8"))) - {"make"}
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=True)


def test_the_readme_fits_on_a_screen_or_two() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 70
