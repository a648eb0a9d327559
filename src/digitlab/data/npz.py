"""Arrays from an `.npz` file, each checked by the archive's directory and its header before it is read."""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from digitlab.data.csv_file import LabelledImages
from digitlab.data.idx import MAX_BYTES
from digitlab.errors import DataError
from digitlab.pictures.file_kinds import DEFLATE_RATIO, kind_of, picture_format

_NAMINGS = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
)
"""Names of the arrays of both parts, as Keras and others have them."""
_NAMINGS_OF_ONE = (("x", "y"), ("X", "y"), ("images", "labels"), ("data", "target"))
"""Names of the arrays of a single part."""

_EXPECTED = "expected a folder of pictures, a .csv or an .npz file"
_ZIP = b"PK"
_HEAD = 4096  # bytes that tell what a file is
_SHOWN = 6  # names in a message
_SAVEZ = "numpy.savez('new.npz', x_train=..., y_train=..., x_test=..., y_test=...)"
_CURES = {
    "CSV text": "name the file .csv, and it is read as a table of a label and 784 pixels a row",
    "a Parquet file": f"convert its columns to arrays [n, 28, 28] and save them with {_SAVEZ}",
    "an Arrow file": f"convert its columns to arrays [n, 28, 28] and save them with {_SAVEZ}",
    "an HDF5 file": f"convert its arrays to shape [n, 28, 28] and save them with {_SAVEZ}",
    "a Matlab file": f"convert its arrays to shape [n, 28, 28] and save them with {_SAVEZ}",
    "an .npy file of one array": f"save all four arrays in one file with {_SAVEZ}",
    "a pickle": f"pickles are not loaded: save its arrays with {_SAVEZ}",
    "an IDX file": "pass the folder of the four IDX files to --data: no import is needed",
    "a gzip file": "pass the folder of four gzipped IDX files to --data; unpack anything else first",
    "a tar archive": "unpack it and pass the folder",
    "a 7z archive": "unpack it and pass the folder",
    "a RAR archive": "unpack it and pass the folder",
}


def read_npz(path: Path) -> tuple[LabelledImages, LabelledImages | None]:
    """Read the arrays of a data set from a file such as Keras's `mnist.npz`.

    Args:
        path: path of a file with `x_train`, `y_train`, `x_test` and `y_test`, with the same as `train_images`
            and so on, or with `x` and `y` alone; other arrays are ignored.

    Returns:
        The training part, and the test part, None if the file has none.

    Raises:
        DataError: the file is damaged, lacks one of the arrays, or claims more or less than it holds.
    """
    if not path.is_file():
        raise DataError(f"{path}: {_EXPECTED}, found no such file")
    try:
        _check_kind(path)
        with zipfile.ZipFile(path) as archive:
            arrays = [_read_member(archive, f"{name}.npy", path) for name in _naming(archive, path)]
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    # Exceptions of zipfile, zlib and numpy's header reader for damaged or encrypted bytes.
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, NotImplementedError) as error:
        raise DataError(f"{path}: the .npz file is damaged ({error}); get it again") from error
    train = LabelledImages(arrays[0], arrays[1])
    return train, LabelledImages(arrays[2], arrays[3]) if len(arrays) > 2 else None


def _naming(archive: zipfile.ZipFile, path: Path) -> tuple[str, ...]:
    """Return the names of the arrays in an archive, without their ending."""
    members = archive.namelist()
    for naming in (*_NAMINGS, *_NAMINGS_OF_ONE):
        if all(f"{name}.npy" in members for name in naming):
            return naming
    raise DataError(f"{path}: expected {', '.join(_NAMINGS[0])} (or x, y) in it, {_what_is_there(members)}")


def _check_kind(path: Path) -> None:
    """Raise an error for a file that is not a ZIP archive, as .npz files are, with its kind."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_ZIP):
        return
    picture = picture_format(head) if head else ""
    kind = f"one {picture} picture" if picture else kind_of(head)
    cure = _CURES.get(kind, "import pictures in a folder for each class, or numpy.savez's arrays")
    raise DataError(f"{path}: {_EXPECTED}, found {kind}: {cure}")


def _read_member(archive: zipfile.ZipFile, name: str, path: Path) -> np.ndarray:
    info = archive.getinfo(name)
    if info.file_size > MAX_BYTES or info.file_size > info.compress_size * DEFLATE_RATIO + 1:
        raise DataError(
            f"{path}: {name} claims {info.file_size:,} bytes from {info.compress_size:,}; "
            f"expected a plausible size of at most {MAX_BYTES:,}"
        )
    with archive.open(info) as member:
        if npy.read_magic(member) != (1, 0):
            raise DataError(
                f"{path}: expected {name} in version 1.0 of numpy's format: save it again with numpy"
            )
        shape, column_major, dtype = npy.read_array_header_1_0(member)
        if dtype.kind not in "iufb":
            raise DataError(f"{path}: expected {name} as numbers, found {dtype}")
        start = member.tell()
        claimed = dtype.itemsize * math.prod(shape)
        if start + claimed != info.file_size:
            raise DataError(
                f"{path}: {name} claims {claimed:,} bytes of items, it has {info.file_size - start:,}"
            )
        order = "F" if column_major else "C"
        return np.frombuffer(member.read(), dtype).reshape(shape, order=order)


def _what_is_there(names: list[str]) -> str:
    """Describe the members of an archive without the arrays of a data set, and say what to do."""
    if not names:
        return "found nothing"
    text = f"found {', '.join(names[:_SHOWN])}"
    if len(names) > _SHOWN:
        text += f" and {len(names) - _SHOWN} more"
    if not any(name.endswith(".npy") for name in names):
        text += ": unpack the archive and pass the folder of pictures"
    return text
