"""`train` on what people have in a notebook: functions, arrays, and a TensorFlow that runs already."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.errors import DataError, SpecError
from digitlab.training import train

IMAGES = np.zeros((60, 28, 28), np.uint8)
LABELS = np.arange(60) % 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": IMAGES}, "expected x and y, received one of them"),
        ({"y": LABELS}, "expected x and y, received one of them"),
        ({"x": IMAGES, "y": LABELS, "data": "elsewhere"}, "expected x and y, or data, received both"),
        ({"x": IMAGES, "y": LABELS[:59]}, "expected a label for each of 60 images, received 59"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        train("mlp", **arguments)


def test_a_data_set_that_was_changed_in_memory_is_split_by_its_own_labels(mnist: Dataset) -> None:
    from dataclasses import replace

    from digitlab.training.run import data_of, training_indices

    part = replace(mnist, x_train=mnist.x_train[:800], y_train=mnist.y_train[:800])
    data = data_of(mnist, "mnist", validation=100, training_size=200)
    assert training_indices(data, mnist.y_train).max() > 800
    assert training_indices(data, part.y_train).max() < 800  # the fingerprint is the same


class BuiltNetwork:
    """What of a `keras.Model` tells that it is one, without Keras."""

    layers = ()

    def __call__(self, images: object) -> object:
        return images


def test_a_network_that_is_built_already_is_refused_in_a_line_that_says_what_to_do() -> None:
    with pytest.raises(SpecError, match="write a function that builds and returns it") as caught:
        train(BuiltNetwork())
    assert "received BuiltNetwork, a network that is built already" in str(caught.value)
    with pytest.raises(SpecError, match="expected a name, a file, a Recipe or a function"):
        train(3)  # type: ignore[arg-type]


def run(folder: Path, script: str) -> list[str]:
    """Run a script as a notebook would run its cells: without a guard, and not from a file of ours."""
    path = folder / "script.py"
    path.write_text(textwrap.dedent(script), "utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", path], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_a_process_whose_tensorflow_runs_already_gives_the_same_network(tmp_path: Path) -> None:
    fresh, used = (
        run(
            tmp_path,
            f"""
            import os
            os.environ["KERAS_BACKEND"] = "tensorflow"
            {first}
            from digitlab import load_dataset, train
            (x, y), _ = load_dataset()
            epochs = []
            output = train("mlp", x[:600], y[:600], settings={{"training.epochs": 2}}, on_epoch=epochs.append)
            print(len(epochs), output.result.trial.id, float(output.result.history[-1].loss))
            print(*(float(abs(w).sum()) for w in output.model.get_weights()))
            print(output.model(x[:3].astype("float32")).shape)
            """,
        )
        for first in ("", "import tensorflow as tf; tf.constant(1) + 1")
    )
    assert fresh == used
    assert fresh[0].startswith("2 ")
    assert fresh[-1] == "(3, 10)"


@pytest.mark.slow
def test_a_function_and_arrays_with_names_are_trained(tmp_path: Path) -> None:
    lines = run(
        tmp_path,
        """
        import keras
        import numpy as np
        from digitlab import load_dataset, train
        from digitlab.errors import UserError

        def small(width=8):
            images = keras.Input((28, 28))
            hidden = keras.layers.Dense(width, activation="relu")(keras.layers.Flatten()(images))
            return keras.Model(images, keras.layers.Dense(2)(hidden))

        (x, y), _ = load_dataset()
        names = np.array(["even", "odd"])[y[:700] % 2]
        output = train(small, x[:700], names, settings={"training.epochs": 1})
        print(output.result.trial.recipe, output.result.trial.classes, output.model.output_shape)
        print(output.result.trial.model.arguments)
        try:
            train(output.model)
        except UserError as error:
            print(error)
        """,
    )
    assert lines[0] == "small 2 (None, 2)"
    assert lines[1] == "{'width': 8}"
    assert "received Functional, a network that is built already" in lines[2]


@pytest.mark.slow
def test_a_study_is_run_from_values_with_a_function_on_arrays(tmp_path: Path) -> None:
    lines = run(
        tmp_path,
        """
        import keras
        import numpy as np
        from digitlab import load_dataset, run_study
        from digitlab.data import Dataset

        def small(width=8):
            images = keras.Input((28, 28))
            hidden = keras.layers.Dense(width, activation="relu")(keras.layers.Flatten()(images))
            return keras.Model(images, keras.layers.Dense(3)(hidden))

        (x, y), _ = load_dataset()
        mine = Dataset.from_arrays(x[:700], np.array(["a", "b", "c"])[y[:700] % 3], name="my letters")
        question = {
            "name": "width", "question": "How wide?", "recipe": small,
            "overrides": {"training.epochs": 1},
            "axes": [{"path": "model.arguments.width", "values": [4, 8]}], "seeds": 2,
        }
        table = run_study(question, data=mine, store="results.sqlite")
        again = run_study(question, data=mine, store="results.sqlite")
        print(table.rows == again.rows, [len(row.seeds) for row in table.rows])
        print(table.to_pandas().columns[:3].tolist(), table.to_pandas("seed").shape)
        print(table.to_arrow("seed").column_names)
        """,
    )
    assert lines[0] == "True [2, 2]"
    assert lines[1] == "['model.arguments.width', 'seeds', 'test_error_percent'] (4, 3)"
    assert lines[2] == "['model.arguments.width', 'seed', 'test_error_percent']"
    [kept] = (tmp_path / "data").iterdir()
    assert kept.name.startswith("my-letters-")


@pytest.mark.slow
def test_layers_of_a_users_network_may_begin_as_they_like(tmp_path: Path) -> None:
    lines = run(
        tmp_path,
        """
        import keras
        from digitlab import load_dataset, train

        def rows(units=4):
            images = keras.Input((28, 28))
            read = keras.layers.GRU(units)(keras.layers.Rescaling(1 / 255)(images))
            return keras.Model(images, keras.layers.Dense(10, kernel_initializer="zeros")(read))

        (x, y), _ = load_dataset()
        output = train(rows, x[:300], y[:300], settings={"training.epochs": 1})
        print(len(output.result.history))
        """,
    )
    assert lines == ["1"]
