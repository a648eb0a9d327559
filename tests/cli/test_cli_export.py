"""`digitlab export`, used as a person does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from digitlab.bundle.files import check_bundle

pytestmark = pytest.mark.slow


def digitlab(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "digitlab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=600, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle in it, `mine`."""
    place = tmp_path_factory.mktemp("export")
    settings = ("--set", "training.epochs=1", "--set", "model.hidden=[16]")
    done = digitlab("train", "mlp", *settings, "--out", "mine", folder=place)
    assert done.returncode == 0, done.stderr
    return place


def test_all_formats_are_proved_on_the_whole_test_set_and_the_card_keeps_it(folder: Path) -> None:
    done = digitlab("export", "mine", "--format", "all", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    exports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [export["format"] for export in exports] == ["onnx", "litert", "saved-model"]
    assert all(export["proved"] and export["proof"]["images"] == 10_000 for export in exports)
    kept = check_bundle(folder / "mine").card.proofs
    for export in exports:
        place = folder / "digitlab-results" / "exports" / "mine" / export["format"]
        assert export["folder"] == str(place)
        assert json.loads((place / "proof.json").read_text("utf-8"))["proof"] == export["proof"]
        assert json.loads(kept[export["format"]].to_json()) == export["proof"]


def test_float16_prints_its_cost(folder: Path) -> None:
    asked = ("--format", "onnx", "--quantize", "float16", "--out", "o")
    done = digitlab("export", "mine", *asked, folder=folder)
    assert done.returncode == 0, done.stderr
    for words in ("onnx-float16", "ONNX Runtime", "0.01", "right", "kB", "ms per image", "verified"):
        assert words in done.stdout
    assert (folder / "o" / "onnx-float16" / "model.onnx").stat().st_size < 30_000
    assert "onnx-float16 written to " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "--format", "onnx"], "no model 'nowhere': expected a "),
        (["mine", "--format", "svg"], "Invalid value for '--format'"),
        (["mine", "--format", "onnx", "--out", "mine/card.json"], "cannot be written"),
        (["mine", "--format", "onnx", "--data", "nowhere", "--out", "q"], "no data set 'nowhere'"),
        (["mine", "--format", "saved-model", "--quantize", "float16", "--out", "q"], "expected no "),
        (["mine", "--format", "onnx", "--quantize", "int8", "--out", "q"], "Invalid value for '--quantize'"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], words: str, folder: Path) -> None:
    done = digitlab("export", *arguments, folder=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
