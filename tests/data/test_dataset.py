from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitlab.data.catalog import CATALOG, FILE_NAMES, ROLES
from digitlab.data.dataset import Dataset, load, load_dataset
from digitlab.data.idx import write_idx
from digitlab.errors import DataError

WriteFolder = Callable[..., Path]
PLAIN = {role: name.removesuffix(".gz") for role, name in FILE_NAMES.items()}
DOTTED = {role: name.replace("-idx", ".idx") for role, name in FILE_NAMES.items()}
EMNIST = {role: f"emnist-digits-{name.replace('t10k', 'test')}" for role, name in FILE_NAMES.items()}


def test_mnist_has_its_sixty_and_ten_thousand_digits(mnist: Dataset) -> None:
    assert (mnist.x_train.shape, mnist.x_test.shape) == ((60_000, 28, 28), (10_000, 28, 28))
    assert (mnist.y_train.shape, mnist.y_test.shape) == ((60_000,), (10_000,))
    assert np.bincount(mnist.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert {array.dtype for array in (mnist.x_train, mnist.y_train, mnist.x_test, mnist.y_test)} == {
        np.dtype(np.uint8)
    }


def test_mnist_lies_upright_and_white_on_black(mnist: Dataset) -> None:
    ones = mnist.x_train[mnist.y_train == 1].astype(float)
    rows, columns = np.indices((28, 28))
    mass = ones.sum((1, 2))
    spread = [
        ((ones * axis**2).sum((1, 2)) / mass - ((ones * axis).sum((1, 2)) / mass) ** 2).mean()
        for axis in (rows, columns)
    ]
    assert spread[0] > 3 * spread[1]  # a one is taller than wide
    assert mnist.x_train[:, 0].mean() < 1 < mnist.x_train[:, 14].mean()


def test_the_arrays_are_read_only(mnist: Dataset) -> None:
    for array in (mnist.x_train, mnist.y_train, mnist.x_test, mnist.y_test):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_load_dataset_gives_the_pairs_that_keras_gives(mnist: Dataset) -> None:
    (x_train, y_train), (x_test, y_test) = load_dataset()
    for array, expected in zip(
        (x_train, y_train, x_test, y_test),
        (mnist.x_train, mnist.y_train, mnist.x_test, mnist.y_test),
        strict=True,
    ):
        np.testing.assert_array_equal(array, expected, strict=True)


def test_the_fingerprint_of_mnist_is_known_without_reading_it(mnist: Dataset) -> None:
    assert load("mnist").fingerprint == mnist.fingerprint == CATALOG["mnist"].fingerprint


@pytest.mark.parametrize("names", [FILE_NAMES, PLAIN, DOTTED], ids=["gzipped", "plain", "dotted"])
def test_a_folder_with_files_named_like_mnists_is_a_data_set(
    write_folder: WriteFolder, small: dict[str, np.ndarray], names: dict[str, str]
) -> None:
    # Other pictures under the same names, as Fashion-MNIST and KMNIST are.
    folder = write_folder(names, train_images=255 - small["train-images"])
    loaded = load(folder)
    np.testing.assert_array_equal(loaded.x_train, 255 - small["train-images"])
    np.testing.assert_array_equal(loaded.y_train, small["train-labels"])
    np.testing.assert_array_equal(loaded.x_test, small["test-images"])
    np.testing.assert_array_equal(loaded.y_test, small["test-labels"])
    assert loaded.name == str(folder)
    assert not loaded.x_train.flags.writeable


def test_emnists_images_are_turned_upright(
    write_folder: WriteFolder, small: dict[str, np.ndarray], tmp_path: Path
) -> None:
    lying = {f"{part}_images": small[f"{part}-images"].swapaxes(1, 2) for part in ("train", "test")}
    loaded = load(write_folder(EMNIST, **lying))
    np.testing.assert_array_equal(loaded.x_train, small["train-images"])
    np.testing.assert_array_equal(loaded.x_test, small["test-images"])


def test_the_fingerprint_is_of_the_contents_and_not_of_the_files(
    write_folder: WriteFolder, small: dict[str, np.ndarray], tmp_path: Path
) -> None:
    prints = set()
    for names in (FILE_NAMES, DOTTED):
        folder = write_folder(names)
        prints.add(load(folder).fingerprint)
        folder.rename(tmp_path / f"set-{len(list(tmp_path.iterdir()))}")
    lying = {f"{part}_images": small[f"{part}-images"].swapaxes(1, 2) for part in ("train", "test")}
    folder = write_folder(EMNIST, **lying)
    prints |= {load(folder).fingerprint}
    assert len(prints) == 1


@pytest.mark.parametrize("role", ROLES)
def test_one_changed_value_changes_the_fingerprint(
    write_folder: WriteFolder, small: dict[str, np.ndarray], role: str
) -> None:
    folder = write_folder()
    before = load(folder).fingerprint
    changed = small[role].copy()
    changed[0] = 9 if role.endswith("labels") else 1
    write_idx(folder / FILE_NAMES[role], changed)
    assert load(folder).fingerprint != before


def test_an_unknown_name_is_answered_with_the_known_ones_and_that_a_folder_will_do() -> None:
    with pytest.raises(DataError, match=r"'minst': expected a name \(mnist\) or a folder"):
        load("minst")


def test_a_file_and_a_folder_of_pictures_are_answered_with_the_import(tmp_path: Path) -> None:
    (tmp_path / "digits.csv").write_text("label,pixel0\n7,0\n")
    with pytest.raises(DataError, match=r"found a file: convert it with  digitlab data import"):
        load(tmp_path / "digits.csv")
    for digit in range(10):
        (tmp_path / "pictures" / str(digit)).mkdir(parents=True)
    with pytest.raises(
        DataError, match=r"found 0, 1, 2, 3 and 6 more: convert pictures .* digitlab data import"
    ):
        load(tmp_path / "pictures")


def test_the_names_of_files_may_be_in_capital_letters(
    write_folder: WriteFolder, small: dict[str, np.ndarray]
) -> None:
    folder = write_folder({role: name.upper() for role, name in PLAIN.items()})
    np.testing.assert_array_equal(load(folder).x_test, small["test-images"])


def test_a_name_goes_before_a_folder_and_a_path_is_always_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist: Dataset
) -> None:
    (tmp_path / "mnist").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load("mnist").fingerprint == mnist.fingerprint
    for folder in ("./mnist", Path("mnist")):
        with pytest.raises(DataError, match="found an empty folder"):
            load(folder)


DIGITS = np.zeros((300, 28, 28), np.uint8)
LABELS = (np.arange(300) % 10).astype(np.uint8)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_images": np.zeros((300, 32, 32), np.uint8)}, "28x28, found uint8 of shape 300x32x32"),
        ({"train_images": np.zeros((300, 28, 28, 3), np.uint8)}, "found uint8 of shape 300x28x28x3"),
        ({"train_images": np.zeros((300, 784), np.uint8)}, "found uint8 of shape 300x784"),
        ({"test_images": np.zeros((100, 28, 28), np.float32)}, "the test part.*found float32"),
        ({"train_labels": LABELS.astype(np.int32)}, "expected uint8 labels of one dimension, found int32"),
        ({"train_labels": LABELS[:, None]}, "found uint8 of shape 300x1"),
        ({"train_labels": LABELS[:299]}, "found 300 images and 299 labels"),
        ({"train_labels": LABELS + np.uint8(1)}, "found none of class 0: number the classes from 0 on"),
        ({"train_labels": LABELS * np.uint8(0)}, r"expected 2 to 100 classes, found labels 0\.\.0"),
        ({"train_labels": LABELS + np.uint8(200)}, r"expected 2 to 100 classes, found labels 200\.\.209"),
        (
            {"train_labels": LABELS % np.uint8(8)},
            r"labels of classes 0\.\.7, as in the train part, found label 9",
        ),
        ({"test_labels": np.full(100, 46, np.uint8)}, "the test part.*found label 46"),
        (
            {"test_images": DIGITS[:0], "test_labels": LABELS[:0]},
            "the test part: expected images, found none",
        ),
    ],
)
def test_anything_but_classes_of_28x28_is_refused_naming_what_was_found(
    write_folder: WriteFolder, changed: dict[str, np.ndarray], message: str
) -> None:
    folder = write_folder(**changed)
    with pytest.raises(DataError, match=message) as raised:
        load(folder)
    assert str(folder) in str(raised.value)


def test_a_damaged_file_in_a_folder_is_named(write_folder: WriteFolder) -> None:
    folder = write_folder()
    path = folder / FILE_NAMES["test-images"]
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz: the gzip file is truncated"):
        load(folder)


def test_a_bundled_file_that_was_altered_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mnist: Dataset
) -> None:
    # A copy of the package's data, one label of which is changed.
    import dataclasses
    import shutil

    from digitlab.data import dataset

    shutil.copytree(CATALOG["mnist"].folder, tmp_path / "mnist")
    labels = mnist.y_test.copy()
    labels[7] = (labels[7] + 1) % 10
    write_idx(tmp_path / "mnist" / FILE_NAMES["test-labels"], labels)
    altered = dataclasses.replace(CATALOG["mnist"], folder=tmp_path / "mnist")
    monkeypatch.setattr(dataset, "CATALOG", {"mnist": altered})
    with pytest.raises(DataError, match=r"mnist: its test-labels are not the published ones.*ff7bcfd4"):
        load("mnist")


def test_the_bundled_files_compress_the_published_bytes_alone(mnist: Dataset) -> None:
    path = CATALOG["mnist"].folder / FILE_NAMES["test-images"]
    assert len(gzip.decompress(path.read_bytes())) == 16 + mnist.x_test.size
