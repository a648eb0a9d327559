from __future__ import annotations

import os
from pathlib import Path

import pytest

from digitlab.serving.settings import Settings
from digitlab.workspace import DEFAULT_STORE, Workspace

PLACES = ("models", "reports", "exports", "studies", "drawings", "measurements")
FINGERPRINT = "0123456789abcdef" * 4


def test_everything_lies_in_one_folder_beside_the_store() -> None:
    assert Path("digitlab-results", "store.sqlite") == DEFAULT_STORE
    workspace = Workspace()
    assert [getattr(workspace, place) for place in PLACES] == [Path("digitlab-results", p) for p in PLACES]


def test_the_store_decides_the_folder_whatever_its_name_is() -> None:
    workspace = Workspace.of("elsewhere/mine.db")
    assert workspace.store == Path("elsewhere", "mine.db")
    assert [getattr(workspace, place) for place in PLACES] == [Path("elsewhere", place) for place in PLACES]
    assert Workspace.of("mine.db").models == Path("models")
    assert Workspace.of("mine.db").model("cnn", 3) == Path("models", "cnn-seed3")
    assert Settings(store=Path("elsewhere/mine.db")).workspace == workspace


def test_a_study_has_a_report_for_each_data_set() -> None:
    workspace = Workspace(Path("root"))
    assert workspace.report("wide") == Path("root/reports/wide.html")
    assert workspace.report("wide", "md") == Path("root/reports/wide.md")
    assert workspace.report("wide", data="fashion") == Path("root/reports/wide-on-fashion.html")


def test_folders_of_one_name_have_reports_of_their_own() -> None:
    workspace = Workspace(Path("root"))
    reports = {
        workspace.report("wide", data=folder, fingerprint=fingerprint)
        for folder, fingerprint in (("/a/pens", FINGERPRINT), ("/b/pens/", FINGERPRINT[::-1]))
    }
    assert reports == {
        Path("root/reports/wide-on-pens-01234567.html"),
        Path("root/reports/wide-on-pens-fedcba98.html"),
    }


@pytest.mark.parametrize(
    "folder", ["../..", "/", "a b:c*?", "字" * 200, os.fsdecode(b"caf\xe9"), "x" * 300, "line\nbreak", "-->"]
)
def test_whatever_a_folder_is_called_its_report_is_a_file_that_every_system_takes(
    folder: str, tmp_path: Path
) -> None:
    path = Workspace(tmp_path).report("s" * 64, data=folder, fingerprint=FINGERPRINT)
    assert path.parent == tmp_path / "reports"
    assert not set(path.name) & set('\\/:*?"<>|\n ')
    path.parent.mkdir()
    path.write_text("a report", "utf-8")
    assert [each.name for each in path.parent.iterdir()] == [path.name]
