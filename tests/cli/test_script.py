"""The command line of the classroom script, with functions that only note how they are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from digitlab.cli.script import run_script
from digitlab.errors import DataError

Call = tuple[Any, ...]


@pytest.fixture
def start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[Call], str]]:
    """Start the script with arguments: its exit code, the calls of its functions, and its messages."""

    def started(*arguments: str) -> tuple[int, list[Call], str]:
        calls: list[Call] = []

        def perceptron(epochs: int = 10, neurons: int = 128, seed: int = 0, plot: Any = None) -> None:
            """Train a perceptron."""
            calls.append(("perceptron", epochs, neurons, seed, plot))

        def convolutional(epochs: int = 5, kernel_size: int = 3, loss: str = "mse", plot: Any = None) -> None:
            """Train a convolutional network."""
            if epochs == 7:
                raise KeyboardInterrupt
            calls.append(("convolutional", epochs, kernel_size, loss, plot))

        def predict(path: str, names: Sequence[str]) -> None:
            if path == "none.png":
                raise DataError("none.png: expected a picture, received none")
            calls.append(("predict", path, *names))

        monkeypatch.chdir(tmp_path)
        networks = {"perceptron": perceptron, "convolutional": convolutional}
        code = run_script(arguments, networks, predict)
        return code, calls, capsys.readouterr().err

    return started


def test_without_arguments_the_first_network_is_trained_and_drawn(start: Callable[..., Any]) -> None:
    assert start() == (0, [("perceptron", 10, 128, 0, Path("perceptron.png"))], "")


def test_options_are_passed_to_the_function(start: Callable[..., Any]) -> None:
    code, calls, _ = start("convolutional", "--kernel-size", "5", "--epochs=2", "--loss", "mse", "--no-plot")
    assert (code, calls) == (0, [("convolutional", 2, 5, "mse", None)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["perceptrom"], "expected perceptron, convolutional, classroom, mlp-neurons"),
        (["perceptron", "convolutional"], "expected one experiment and its options, received convolutional"),
        (["--neuron-count", "3"], "expected one experiment and its options, received --neuron-count"),
        (["--epochs"], "--epochs: expected one argument"),
        (["--epochs", "0"], "--epochs: expected a whole number from 1 to 10,000, received '0'"),
        (["--epochs", "ten"], "--epochs: expected a whole number from 1 to 10,000, received 'ten'"),
        (["--neurons", "-3"], "--neurons: expected a whole number from 1 to 16,384, received '-3'"),
        (["--seed", "1e3"], "--seed: expected a whole number from 0 to 4,294,967,295, received '1e3'"),
        (["--seed", "9" * 5000], "--seed: "),
        (
            ["--kernel-size", "3"],
            "perceptron: expected no options but --epochs, --neurons, --seed",
        ),
        (["convolutional", "--neurons", "3"], "received --neurons; leave it out"),
        (["convolutional", "--loss", "hinge"], "--loss: invalid choice: 'hinge'"),
        (["--seeds", "3"], "received --seeds; leave it out"),
        (["mlp-loss", "--epochs", "3"], "mlp-loss: expected no options but --seeds, received --epochs"),
        (["mlp-loss", "--predict", "seven.png"], "mlp-loss: expected no options but --seeds"),
        (["--predict", "seven.png", "--seed", "3"], "--predict: expected no options but --predict"),
        (["--predict", "none.png"], "none.png: expected a picture"),
        (["convolutional", "--epochs", "7"], "interrupted: what was not finished is not kept"),
    ],
)
def test_a_mistake_is_one_line_and_trains_nothing(
    arguments: list[str], message: str, start: Callable[..., Any]
) -> None:
    code, calls, told = start(*arguments)
    assert code == (130 if "interrupted" in message else 2)
    assert calls == []
    assert message in told
    assert len(told.splitlines()) == 1


def test_a_picture_is_read_by_all_networks_or_by_the_named_one(start: Callable[..., Any]) -> None:
    assert start("--predict", "seven.png")[1] == [("predict", "seven.png", "perceptron", "convolutional")]
    assert start("perceptron", "--predict", "seven.png")[1] == [("predict", "seven.png", "perceptron")]


def test_help_gives_each_default_once(start: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        start("--help")
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "(default: perceptron 10, convolutional 5)" in text
    assert "(default: convolutional 3)" in text
    assert "perceptron Train a perceptron." in text
    assert "mlp-neurons How wide must the hidden layer be?" in text
