"""The names of the classes: beside the files, by published contents, or by what the files are called."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from digitlab.data import classes as classes_module
from digitlab.data import load, write_idx
from digitlab.data.classes import CLASSES_FILE, DIGITS, numbered, read_classes
from digitlab.data.dataset import Dataset
from digitlab.errors import DataError

WriteFolder = Callable[..., Path]

CLOTHES = ("Top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def test_mnist_is_of_digits_wherever_it_lies_and_a_folder_that_says_nothing_of_no_known_classes(
    mnist: Dataset, write_folder: WriteFolder
) -> None:
    assert mnist.classes == DIGITS
    folder = write_folder()
    assert load(folder).classes is None


def test_a_file_beside_the_images_names_the_classes_and_changes_no_fingerprint(
    write_folder: WriteFolder,
) -> None:
    folder = write_folder()
    before = load(folder).fingerprint
    (folder / CLASSES_FILE).write_text("\n".join(CLOTHES) + "\n\n", "utf-8-sig")
    dataset = load(folder)
    assert dataset.classes == CLOTHES
    assert dataset.fingerprint == before


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "found 0 names"),
        (b"all", "found one name"),
        ("\n".join(str(i) for i in range(101)).encode(), "found 101 names"),
        ("\n".join((*CLOTHES[:9], "Bag")).encode(), "found 'Bag' twice"),
        ("\n".join((*CLOTHES[:8], "", "Boot")).encode(), "found '' among them"),
        ("\n".join((*CLOTHES[:9], "x" * 61)).encode(), "among them"),
        ("\n".join((*CLOTHES[:9], "\x1b[31mred")).encode(), "among them"),
        ("\n".join((*CLOTHES[:9], "Stiefel für Kinder")).encode("latin-1"), "found other bytes than UTF-8"),
        (b"x" * 20_000, "found a longer file"),
    ],
)
def test_a_file_of_anything_but_names_is_refused_in_one_line(
    content: bytes, found: str, write_folder: WriteFolder
) -> None:
    folder = write_folder()
    (folder / CLASSES_FILE).write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(folder)
    assert str(caught.value).startswith(f"{folder / CLASSES_FILE}: expected the names of 2 to 100 classes")
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_published_data_set_is_known_by_its_test_labels(
    write_folder: WriteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder()
    [labels] = folder.glob("t10k-labels*")
    with labels.open("rb") as file:
        digest = classes_module.hashlib.file_digest(file, "md5").hexdigest()
    monkeypatch.setitem(classes_module._PUBLISHED, digest, CLOTHES)
    assert load(folder).classes == CLOTHES


@pytest.mark.parametrize(("split", "expected"), [("digits", DIGITS), ("mnist", DIGITS), ("fashion", None)])
def test_emnists_digits_are_known_by_the_names_of_their_files(
    split: str, expected: tuple[str, ...] | None, mnist: Dataset, tmp_path: Path
) -> None:
    for part, images, labels in (
        ("train", mnist.x_train, mnist.y_train),
        ("test", mnist.x_test, mnist.y_test),
    ):
        write_idx(tmp_path / f"emnist-{split}-{part}-images-idx3-ubyte", images[:100])
        write_idx(tmp_path / f"emnist-{split}-{part}-labels-idx1-ubyte", labels[:100])
    assert load(tmp_path).classes == expected


def test_a_folder_called_like_a_known_data_set_is_not_taken_for_it(
    write_folder: WriteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder()
    folder.rename(folder.with_name("mnist"))
    monkeypatch.chdir(folder.parent)
    dataset = load("./mnist")
    assert dataset.name == f".{os.sep}mnist"
    assert dataset.classes is None


def test_a_table_shows_digits_alone_and_other_names_after_their_number(tmp_path: Path) -> None:
    assert numbered(DIGITS) == DIGITS
    assert numbered(CLOTHES)[9] == "9 Ankle boot"
    assert read_classes(tmp_path) is None
