"""What people wish for first, beyond the studies of the package: each from an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from digitlab.data.dataset import Dataset

pytestmark = pytest.mark.slow  # it trains networks


def digitlab(folder: Path, *arguments: str, code: int = 0) -> str:
    """Run the command line in a folder; return what it says."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "digitlab", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def study(folder: Path, axes: str, recipe: str = "mlp", overrides: str = "") -> str:
    """Write and run a small study; return its table."""
    text = f"""
        name = "wish"
        question = "Does it help?"
        recipe = "{recipe}"
        overrides = {{ "training.epochs" = 1{overrides} }}
        seeds = 2
        data = {{ training_size = 600 }}
        {axes}
    """
    (folder / "wish.toml").write_text(textwrap.dedent(text), "utf-8")
    return digitlab(folder, "study", "run", "wish.toml", "--no-report")


def test_lenet_5_with_average_pooling(tmp_path: Path) -> None:
    said = digitlab(
        tmp_path, "train", "lenet-5", "--set", "training.epochs=1", "--set", "data.training_size=3000"
    )
    assert (
        "parameters         61,706" in said
    )  # as LeCun's, with all maps of the second convolution connected
    assert "bundle written to" in said


def test_a_residual_network(tmp_path: Path) -> None:
    said = digitlab(
        tmp_path, "train", "resnet", "--set", "training.epochs=1", "--set", "data.training_size=600"
    )
    assert "bundle written to" in said


def test_my_own_keras_function(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(
        textwrap.dedent("""
            import keras
            from keras import layers

            def wide_and_deep(width=4):
                images = keras.Input((28, 28))
                flat = layers.Flatten()(layers.Rescaling(1 / 255)(images))
                deep = layers.Dense(width, activation="relu")(flat)
                return keras.Model(images, layers.Dense(10)(layers.Concatenate()([flat, deep])))
        """),
        "utf-8",
    )
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[model]\nfamily = "python"\n'
        'build = "nets.py:wide_and_deep"\narguments = { width = 4 }\n'
        "[training]\nepochs = 1\n",
        "utf-8",
    )
    said = study(tmp_path, '[[axes]]\npath = "model.arguments.width"\nvalues = [2, 4]', "mine.toml")
    assert re.search(r"2 +2 +\d", said)


def test_the_size_of_the_training_set(tmp_path: Path) -> None:
    said = study(tmp_path, '[[axes]]\npath = "data.training_size"\nvalues = [300, 600]')
    assert re.search(r"300 +2 +\d", said)
    assert re.search(r"600 +2 +\d", said)


def test_momentum(tmp_path: Path) -> None:
    axes = '[[axes]]\npath = "training.momentum"\nvalues = [0.0, 0.9]'
    assert re.search(r"0\.9 +2 +\d", study(tmp_path, axes, overrides=', "training.optimizer" = "sgd"'))


def test_three_classes_of_my_own(tmp_path: Path, mnist: Dataset) -> None:
    chosen = np.flatnonzero(np.isin(mnist.y_train[:900], [0, 1, 7]))
    names = np.array([{0: "ring", 1: "bar", 7: "hook"}[label] for label in mnist.y_train[chosen].tolist()])
    Dataset.from_arrays(mnist.x_train[chosen], names).save(tmp_path / "shapes")
    digitlab(tmp_path, "train", "mlp", "--data", "shapes", "--out", "net", "--set", "training.epochs=3")
    assert "1 hook" in digitlab(tmp_path, "evaluate", "net")
    assert "| 2 | ring |" in (tmp_path / "net" / "README.md").read_text("utf-8")


def test_my_csv_from_kaggle(tmp_path: Path, mnist: Dataset) -> None:
    rows = [",".join(["label", *(f"pixel{i}" for i in range(784))])]
    for image, label in zip(mnist.x_train[:400], mnist.y_train[:400].tolist(), strict=True):
        rows.append(",".join(map(str, [label, *image.ravel().tolist()])))
    (tmp_path / "train.csv").write_text("\n".join(rows), "utf-8")
    assert "343 training and 57 test images" in digitlab(tmp_path, "data", "import", "train.csv", "mine")
    assert "test accuracy" in digitlab(
        tmp_path, "train", "mlp", "--data", "mine", "--set", "training.epochs=1"
    )


def test_thirty_pupils_results_together(tmp_path: Path) -> None:
    for pupil in range(3):  # three stand for thirty
        digitlab(
            tmp_path,
            *("study", "run", "mlp-loss", "--seeds", "1", "--first-seed", str(pupil), "--no-report"),
            *("--store", f"pupil{pupil}/store.sqlite"),
        )
    stores = [f"pupil{pupil}/store.sqlite" for pupil in range(3)]
    said = digitlab(tmp_path, "study", "merge", *stores, "--store", "class.sqlite")
    assert "6 trials added" in said
    shown = digitlab(tmp_path, "study", "show", "mlp-loss", "--seeds", "3", "--store", "class.sqlite")
    assert re.search(r"crossentropy +3 +\d", shown)


def test_a_function_that_cannot_be_built_ends_a_study_at_once_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(
        "import keras\n\ndef broken(width=4):\n    return keras.Nothing(width)\n", "utf-8"
    )
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[model]\nfamily = "python"\nbuild = "nets.py:broken"\narguments = { width = 4 }\n',
        "utf-8",
    )
    (tmp_path / "wish.toml").write_text(
        'name = "wish"\nquestion = "Does it help?"\nrecipe = "mine.toml"\nseeds = 30\n'
        '[[axes]]\npath = "model.arguments.width"\nvalues = [2, 4]\n',
        "utf-8",
    )
    said = digitlab(tmp_path, "study", "run", "wish.toml", code=1).splitlines()
    assert said[-1].startswith(
        "digitlab: no network of the study can be built: model.build nets.py:broken: raised "
    )
    assert "nets.py, line 4" in said[-1]
    assert len(said) < 12  # not one line for each of sixty trials


def test_a_package_offers_a_network_by_an_entry_point(tmp_path: Path) -> None:
    site = tmp_path / "site"
    info = site / "digits_extra-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: digits-extra\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[digitlab.models]\ntiny-net = digits_extra:tiny\n", "utf-8")
    (info / "RECORD").write_text("digits_extra.py,,\n", "utf-8")
    (site / "digits_extra.py").write_text(
        textwrap.dedent("""
            import keras

            def tiny():
                images = keras.Input((28, 28))
                return keras.Model(images, keras.layers.Dense(10)(keras.layers.Flatten()(images)))
        """),
        "utf-8",
    )
    (tmp_path / "tiny.toml").write_text(
        'name = "tiny"\n[model]\nfamily = "python"\nbuild = "tiny-net"\n[training]\nepochs = 1\n', "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "digitlab", "train", "tiny.toml", "--out", "net"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")])),
        },
    )
    assert done.returncode == 0, done.stderr
    assert "parameters         7,850" in done.stdout
    assert '"digits-extra": "1.0"' in (tmp_path / "net" / "card.json").read_text("utf-8")
