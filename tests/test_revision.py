from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import digitlab

PROGRAM = """
import json, sys
sys.path.insert(0, sys.argv[1])
from digitlab.revision import revision
print(json.dumps(revision()))
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def revision_of(source: Path) -> list | None:
    command = [sys.executable, "-c", PROGRAM, str(source)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with the package's outermost modules in it, committed."""
    package = Path(digitlab.__file__).parent
    (tmp_path / "src" / "digitlab").mkdir(parents=True)
    for name in ("__init__.py", "__init__.pyi", "revision.py"):
        shutil.copy(package / name, tmp_path / "src" / "digitlab" / name)
    (tmp_path / ".gitignore").write_text("__pycache__\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "a clone")
    return tmp_path


def test_a_clone_without_changes_is_its_commit(clone: Path) -> None:
    assert revision_of(clone / "src") == [git(clone, "rev-parse", "HEAD"), True]


def test_a_changed_file_of_the_package_is_told(clone: Path) -> None:
    with (clone / "src" / "digitlab" / "__init__.py").open("a") as file:
        file.write("# changed\n")
    assert revision_of(clone / "src") == [git(clone, "rev-parse", "HEAD"), False]


def test_a_new_file_in_the_package_is_told_and_one_beside_it_is_not(clone: Path) -> None:
    (clone / "mine.toml").write_text("")
    assert revision_of(clone / "src") == [git(clone, "rev-parse", "HEAD"), True]
    (clone / "src" / "digitlab" / "new.py").write_text("")
    assert revision_of(clone / "src") == [git(clone, "rev-parse", "HEAD"), False]


def test_an_installed_package_in_another_project_s_clone_has_no_revision(clone: Path) -> None:
    site = clone / "venv" / "digitlab"
    shutil.copytree(clone / "src" / "digitlab", site)
    assert revision_of(site.parent) is None
