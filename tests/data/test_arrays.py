"""Data sets of arrays in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from digitlab.data import Dataset, load, write_idx
from digitlab.errors import DataError


@pytest.fixture
def x(mnist: Dataset) -> np.ndarray:
    return mnist.x_train[:210]


@pytest.fixture
def y(mnist: Dataset) -> np.ndarray:
    return mnist.y_train[:210]


@pytest.mark.parametrize("form", ["uint8", "columns", "channels", "float", "unit", "int64"])
def test_images_of_any_usual_form_are_the_same_data(x: np.ndarray, y: np.ndarray, form: str) -> None:
    forms = {
        "uint8": x,
        "columns": x.reshape(-1, 784),
        "channels": x[..., None],
        "float": x.astype(np.float32),
        "unit": x / np.float32(255),
        "int64": x.astype(np.int64),
    }
    data = Dataset.from_arrays(forms[form], y, x[:50], y[:50])
    np.testing.assert_array_equal(data.x_train, x)
    assert data.fingerprint == Dataset.from_arrays(x, y, x[:50], y[:50]).fingerprint
    assert not data.x_train.flags.writeable
    assert x.flags.writeable == forms["uint8"].flags.writeable  # those of the caller stay as they were


def test_a_test_part_is_set_aside_stratified_and_by_the_seed(x: np.ndarray, y: np.ndarray) -> None:
    data = Dataset.from_arrays(x, y)
    assert (len(data.y_train), len(data.y_test)) == (180, 30)
    assert np.all(np.abs(np.bincount(data.y_test, minlength=10) - np.bincount(y) / 7) < 1)
    assert data.fingerprint == Dataset.from_arrays(x, y).fingerprint
    assert data.fingerprint != Dataset.from_arrays(x, y, seed=1).fingerprint


def test_labels_become_classes(x: np.ndarray, y: np.ndarray) -> None:
    assert Dataset.from_arrays(x, y).classes is None
    words = np.array(["even", "odd"])[y % 2]
    named = Dataset.from_arrays(x, words)
    assert named.classes == ("even", "odd")
    assert named.class_count == 2
    assert Dataset.from_arrays(x, words.astype(object)).classes == ("even", "odd")
    assert Dataset.from_arrays(x, y % 2, classes=("even", "odd")).fingerprint == named.fingerprint
    assert Dataset.from_arrays(x, y % 2 * 5 + 3).classes == ("3", "8")
    assert Dataset.from_arrays(x, y % 2 == 1).classes is None
    assert Dataset.from_arrays(x, words, classes=("odd", "even")).y_train.sum() == (named.y_train == 0).sum()


def test_a_data_set_is_written_and_read_again(x: np.ndarray, y: np.ndarray, tmp_path: Path) -> None:
    data = Dataset.from_arrays(x, np.array(["a", "b", "c"])[y % 3])
    data.save(tmp_path / "set")
    again = load(tmp_path / "set")
    assert (again.fingerprint, again.classes) == (data.fingerprint, data.classes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": "one class"}, "expected 2 to 100 classes, found labels 0"),
        ({"y": np.zeros((210, 10))}, "of one-hot rows take labels.argmax"),
        ({"y": np.zeros(209, int)}, "expected a label for each of 210 images, received 209"),
        ({"x": np.zeros((210, 27, 28))}, r"received \[210, 27, 28\]"),
        ({"x": np.full((210, 28, 28), 300)}, r"received int64 of 300\.\.300"),
        ({"x": np.full((210, 28, 28), "a")}, "expected numbers 0..255, received <U1"),
        ({"x_test": np.zeros((9, 28, 28))}, "expected x_test and y_test or neither, received one of them"),
        ({"classes": ("a", "a")}, "found 'a' twice"),
        ({"classes": ("a", "b")}, r"expected labels 0\.\.1 of the 2 classes that have names"),
        ({"test_share": 0.0}, "test share: expected more than 0"),
        ({"test_share": 0.001}, "0.001 of 210 images are 0; expected at least 10"),
    ],
)
def test_anything_else_is_refused_in_one_line(
    x: np.ndarray, y: np.ndarray, change: dict[str, Any], message: str
) -> None:
    arguments: dict[str, Any] = {"x": x, "y": y} | change
    if isinstance(arguments["y"], str):
        arguments["y"] = np.zeros(210, int)
    with pytest.raises(DataError, match=message):
        Dataset.from_arrays(**arguments)


def test_a_class_without_a_training_image_is_refused(x: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(DataError, match="expected all 11 classes in the train part, found none of class 10"):
        Dataset.from_arrays(x, y, classes=[*"abcdefghijk"])


def test_emnist_letters_count_from_one_in_their_files_and_have_names(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (260, 28, 28)).astype(np.uint8)
    labels = (np.arange(260) % 26 + 1).astype(np.uint8)
    for part in ("train", "test"):
        write_idx(tmp_path / f"emnist-letters-{part}-images-idx3-ubyte", images)
        write_idx(tmp_path / f"emnist-letters-{part}-labels-idx1-ubyte", labels)
    data = load(tmp_path)
    assert data.classes == tuple("abcdefghijklmnopqrstuvwxyz")
    assert data.y_train[:3].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(data.x_train, images.swapaxes(1, 2))
