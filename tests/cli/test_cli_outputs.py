"""Where the command line writes: beside the store, and never in the place of what is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitlab.cli.main import run


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of results that is not the usual one, below the current folder."""
    monkeypatch.chdir(tmp_path)
    return Path("elsewhere")


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (["train", "mlp", "--seed", "7"], "models/mlp-seed7"),
        (["export", "mlp", "--format", "onnx"], "exports/mlp/onnx"),
    ],
)
def test_networks_and_their_exports_lie_beside_the_store_that_is_named(
    command: list[str], place: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = elsewhere / place
    taken.mkdir(parents=True)
    (taken / "notes.txt").write_text("mine")
    assert run([*command, "--store", "elsewhere/mine.sqlite"]) == 2
    assert f"{taken}: expected a new folder" in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["elsewhere"]
