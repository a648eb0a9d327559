"""`digitlab evaluate` on the networks that come with digitlab."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from clothes import CLOTHES, write_clothes
from digitlab.bundle.files import check_bundle
from digitlab.cli.main import run
from digitlab.data.idx import write_idx
from digitlab.errors import DataError
from digitlab.studies import plan_study
from real_digits import read_mnist

FILES = {
    "train-images-idx3-ubyte": "x_train",
    "train-labels-idx1-ubyte": "y_train",
    "t10k-images-idx3-ubyte": "x_test",
    "t10k-labels-idx1-ubyte": "y_test",
}


@pytest.fixture
def few(tmp_path: Path) -> str:
    """A folder with a data set of 100 digits in each part."""
    mnist = read_mnist()
    for file, part in FILES.items():
        write_idx(tmp_path / file, getattr(mnist, part)[:100])
    return str(tmp_path)


def test_people_get_a_column_for_each_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "mlp", "cnn", "--ensemble"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    rows = [line.split() for line in out.splitlines()]
    assert ["mlp", "cnn", "ensemble"] in rows
    errors = next(row for row in rows if row[:2] == ["error", "%"])
    assert len(errors) == 5
    assert "error % against corrected labels" in out
    assert "confusion" not in out


def test_one_network_is_shown_with_its_confusion_matrix(few: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "cnn", "--data", few]) == 0
    out = capsys.readouterr().out
    assert "100 test images" in out
    assert "confusion" in out
    assert "corrected" not in out


def test_other_data_than_a_networks_own_is_told(few: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "mlp", "--data", few]) == 0
    out = capsys.readouterr().out
    assert "mlp was trained on other data: mnist" in out
    assert run(["evaluate", "mlp", "--data", few, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["data"], found["trained_on"], found["classes"]) == (few, "mnist", None)


def test_the_classes_of_the_data_name_the_rows_of_the_confusion_matrix(
    few: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(few, "classes.txt").write_text("\n".join(CLOTHES), "utf-8")
    assert run(["evaluate", "mlp", "--data", few]) == 0
    out = capsys.readouterr().out
    assert "mlp was trained on other data: mnist, whose classes differ" in out
    assert [line for line in out.splitlines() if line.split()[:3] == ["9", "Ankle", "boot"]]


@pytest.mark.slow
def test_a_network_of_other_classes_is_scored_on_its_own_data_and_reads_no_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clothes").mkdir()
    write_clothes(Path("clothes"))
    train = ["train", "mlp", "--set", "training.epochs=5", "--data", "clothes", "--out", "net"]
    # In processes of their own: libraries warn while they train, and a service needs its own event loop.
    program = [sys.executable, "-m", "digitlab"]
    subprocess.run([*program, *train], capture_output=True, timeout=300, check=True)
    assert run(["evaluate", "net"]) == 0
    out = capsys.readouterr().out
    assert f"on the 500 test images of {tmp_path / 'clothes'}" in out
    accuracy = next(float(line.split()[-1]) for line in out.splitlines() if "accuracy %" in line)
    assert accuracy > 70, "scored on MNIST it would be about 15"
    card = check_bundle(tmp_path / "net").card
    assert card.classes == CLOTHES
    assert card.calibration.rejection is None
    assert run(["recognize", "--model", "net", "clothes"]) == 2
    assert "received one of other classes (Top, Trouser, Pullover" in capsys.readouterr().err
    serve = [*program, "serve", "--port", "0", "--model", "net"]
    served = subprocess.run(serve, capture_output=True, text=True, timeout=60, check=False)
    assert served.returncode == 2
    assert "received one of other classes" in served.stderr
    with pytest.raises(DataError, match=r"expected data of the digits 0 to 9, received .*clothes"):
        plan_study("best", data="clothes")
    Path("clothes").rename("moved")
    assert run(["evaluate", "net"]) == 2
    assert "which is not available" in capsys.readouterr().err
    assert run(["export", "net", "--format", "onnx", "--out", "exports"]) == 2
    assert "set --data to its place" in capsys.readouterr().err
    assert run(["evaluate", "net", "--data", "moved"]) == 0
    assert "was trained on other data" not in capsys.readouterr().out


def test_machines_get_one_object_for_each_network(few: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "mlp", "cnn", "--ensemble", "--robustness", "--data", few, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = [json.loads(line) for line in out.splitlines()]
    assert [one["bundle"] for one in found] == ["mlp", "cnn", "ensemble"]
    for one in found:
        assert one["images"] == 100
        assert one["accuracy"] == one["correct"] / 100
        assert len(one["robustness"]["accuracy"]) == 15
        assert one["robustness"]["mean"] == pytest.approx(sum(one["robustness"]["accuracy"].values()) / 15)


def test_the_rows_of_the_corruptions_follow_their_mean(few: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "mlp", "--robustness", "--data", few]) == 0
    out = capsys.readouterr().out
    assert "accuracy % over 15 corruptions" in out
    assert out.index("over 15") < out.index("shot noise") < out.index("Canny edges")


@pytest.mark.slow
def test_evaluating_needs_no_training_library(few: str) -> None:
    code = (
        "import sys; from digitlab.cli.main import run; code = run(sys.argv[1:]); "
        "print(code, [name for name in ('tensorflow', 'keras', 'scipy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, "evaluate", "mlp", "--data", few]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
