from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitlab.data.catalog import CATALOG, FILE_NAMES, find_files
from digitlab.data.idx import idx_sha256, read_idx, write_idx
from digitlab.errors import DataError


@pytest.mark.parametrize("name", CATALOG)
def test_a_bundled_data_set_has_the_published_hashes_and_a_licence(name: str) -> None:
    entry = CATALOG[name]
    paths = find_files(entry.folder).paths
    assert {role: idx_sha256(read_idx(path)) for role, path in paths.items()} == entry.sha256
    assert entry.licence in (entry.folder / "LICENCE.md").read_text(encoding="utf-8")


def test_the_plain_file_is_taken_where_both_are_there(tmp_path: Path, digit: np.ndarray) -> None:
    for name in FILE_NAMES.values():
        write_idx(tmp_path / name, digit)
        write_idx(tmp_path / name.removesuffix(".gz"), digit)
    assert [path.suffix for path in find_files(tmp_path).paths.values()] == [""] * 4


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "found an empty folder"),
        (["notes.txt", "a.png"], "found a.png, notes.txt"),
        ([f"{number}.png" for number in range(9)], "and 5 more"),
        (["train-images-idx3-ubyte", "train-labels-idx1-ubyte"], "no file of test-images or test-labels"),
        (["train-images-idx3-ubyte.zip"], "expected the four files"),
        (
            ["train-images-idx3-ubyte.gz", "emnist-letters-train-images-idx3-ubyte.gz"],
            "found files named like MNIST's, letters",
        ),
        (
            ["emnist-digits-train-images-idx3-ubyte.gz", "emnist-letters-train-images-idx3-ubyte.gz"],
            "found digits, letters",
        ),
    ],
)
def test_a_folder_without_the_four_files_of_one_data_set_is_refused_naming_what_was_found(
    tmp_path: Path, files: list[str], message: str
) -> None:
    for name in files:
        (tmp_path / name).touch()
    with pytest.raises(DataError, match=message) as raised:
        find_files(tmp_path)
    assert str(tmp_path) in str(raised.value)
