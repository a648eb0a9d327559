from __future__ import annotations

import base64
import gzip
import io
import pickle
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from digitlab.data.catalog import FILE_NAMES
from digitlab.data.dataset import Dataset, load
from digitlab.data.importer import PictureOptions, import_dataset, import_folder, import_npz
from digitlab.errors import DataError, ImageError, OutputError


def picture_folder(folder: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    """A folder with a folder of PNG files for each class."""
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{number}.png")
    return folder


@pytest.fixture
def pictures(tmp_path: Path, mnist: Dataset) -> Path:
    return picture_folder(tmp_path / "pictures", mnist.x_train[:210], mnist.y_train[:210])


def same_pictures(
    images: np.ndarray, labels: np.ndarray, others: np.ndarray, other_labels: np.ndarray
) -> bool:
    """Whether both hold the same pictures under the same labels, in any order."""

    def sorted_pairs(x: np.ndarray, y: np.ndarray) -> list[bytes]:
        return sorted(bytes([label]) + image.tobytes() for image, label in zip(x, y, strict=True))

    return sorted_pairs(images, labels) == sorted_pairs(others, other_labels)


def test_a_folder_of_classes_becomes_a_data_set_with_a_seventh_held_out(
    tmp_path: Path, pictures: Path, mnist: Dataset
) -> None:
    import_dataset(pictures, tmp_path / "new" / "set")
    made = load(tmp_path / "new" / "set")
    assert (len(made.y_train), len(made.y_test)) == (180, 30)
    together = (np.concatenate([made.x_train, made.x_test]), np.concatenate([made.y_train, made.y_test]))
    assert same_pictures(*together, mnist.x_train[:210], mnist.y_train[:210])
    expected = np.bincount(mnist.y_train[:210]) / 7
    assert np.all(np.abs(np.bincount(made.y_test, minlength=10) - expected) < 1)
    # Not class by class: the first fifty hold nearly all of them.
    assert len(np.unique(made.y_train[:50])) >= 8


NAMES = tuple(f"class {letter}" for letter in "abcdefghij")


def test_names_of_classes_beside_the_folders_come_along(tmp_path: Path, pictures: Path) -> None:
    (pictures / "classes.txt").write_text("\n".join(NAMES), "utf-8")
    import_dataset(pictures, tmp_path / "set")
    assert load(tmp_path / "set").classes == NAMES


def test_names_of_classes_beside_parts_come_along(tmp_path: Path, mnist: Dataset) -> None:
    for part in ("train", "test"):
        picture_folder(tmp_path / "pictures" / part, mnist.x_train[:100], mnist.y_train[:100])
    (tmp_path / "pictures" / "classes.txt").write_text("\n".join(NAMES), "utf-8")
    import_dataset(tmp_path / "pictures", tmp_path / "set")
    assert load(tmp_path / "set").classes == NAMES


def test_names_that_do_not_fit_stop_an_import(tmp_path: Path, pictures: Path) -> None:
    (pictures / "classes.txt").write_text("boot\n", "utf-8")
    with pytest.raises(
        DataError, match=r"classes\.txt: expected the names of 2 to 100 classes.* found one name"
    ):
        import_dataset(pictures, tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_train_and_test_folders_are_kept_apart(tmp_path: Path, mnist: Dataset) -> None:
    picture_folder(tmp_path / "in" / "train", mnist.x_train[:100], mnist.y_train[:100])
    picture_folder(tmp_path / "in" / "test", mnist.x_test[:40], mnist.y_test[:40])
    (tmp_path / "in" / ".DS_Store").touch()
    (tmp_path / "in" / "train" / "3" / "Thumbs.db").touch()
    import_folder(tmp_path / "in", tmp_path / "set")
    made = load(tmp_path / "set")
    assert same_pictures(made.x_train, made.y_train, mnist.x_train[:100], mnist.y_train[:100])
    assert same_pictures(made.x_test, made.y_test, mnist.x_test[:40], mnist.y_test[:40])


def test_the_same_folder_and_seed_give_the_same_data_set(tmp_path: Path, pictures: Path) -> None:
    prints = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        import_folder(pictures, tmp_path / name, test_share=0.2, seed=seed)
        prints.append(load(tmp_path / name).fingerprint)
    assert prints[0] == prints[1] != prints[2]
    assert len(load(tmp_path / "a").y_test) == 42


def test_the_progress_sees_every_picture(tmp_path: Path, pictures: Path) -> None:
    seen = []

    def watch(paths: Sequence[Path]) -> Iterable[Path]:
        for path in paths:
            seen.append(path)
            yield path

    import_folder(pictures, tmp_path / "set", progress=watch)
    assert sorted(seen) == sorted(pictures.glob("*/*.png"))


def test_color_pictures_are_taken_as_grey_and_their_polarity_is_kept(tmp_path: Path, mnist: Dataset) -> None:
    source = picture_folder(tmp_path / "in", 255 - mnist.x_train[:100], mnist.y_train[:100])
    for path in source.glob("*/*.png"):
        Image.open(path).convert("RGB").save(path)
    import_folder(source, tmp_path / "set")
    made = load(tmp_path / "set")
    assert np.concatenate([made.x_train, made.x_test]).mean() > 200


def test_each_image_is_known_by_its_picture_and_what_was_left_out_is_told(
    tmp_path: Path, pictures: Path
) -> None:
    left = [".DS_Store", "__MACOSX/._3", "3/Thumbs.db", "4/._1.png", "@eaDir/x"]
    for name in left:
        (pictures / name).parent.mkdir(exist_ok=True)
        (pictures / name).touch()
    imported = import_dataset(pictures, tmp_path / "set")
    made = load(tmp_path / "set")
    for part, images, labels in (
        ("train", made.x_train, made.y_train),
        ("test", made.x_test, made.y_test),
    ):
        paths = imported.pictures[part]
        assert [int(path.parent.name) for path in paths] == labels.tolist()
        np.testing.assert_array_equal(np.stack([np.asarray(Image.open(path)) for path in paths]), images)
    assert {path.relative_to(pictures).parts[0] for path in imported.left_out} == {
        ".DS_Store",
        "__MACOSX",
        "@eaDir",
        "3",
        "4",
    }
    assert len(imported.left_out) == len(left)


def spoil(pictures: Path, what: str) -> None:
    path = next((pictures / "4").iterdir())
    if what.startswith("class 7 is called "):
        (pictures / "7").rename(pictures / what.removeprefix("class 7 is called "))
    elif what == "an empty class":
        for picture in (pictures / "9").iterdir():
            picture.unlink()
    elif what == "a class of Thumbs.db alone":
        for picture in (pictures / "9").iterdir():
            picture.unlink()
        (pictures / "9" / "Thumbs.db").touch()
    elif what == "a file for a class":
        (pictures / "9").rename(pictures.parent / "9")
        (pictures / "9").touch()
        (pictures.parent / "9").rename(pictures / ".9")
    elif what == "a foreign folder":
        (pictures / "letters").mkdir()
    elif what == "a large picture":
        Image.new("L", (32, 30)).save(path)
    elif what == "a transparent picture":
        Image.new("LA", (28, 28)).save(path)
    elif what == "a damaged picture":
        path.write_bytes(path.read_bytes()[:-20])
    elif what == "a text":
        path.write_text("seven")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("class 7 is called seven", "found no 7 but 'seven': rename 'seven' to 7"),
        ("class 7 is called Class_07", "found no 7 but 'Class_07': rename 'Class_07' to 7"),
        ("class 7 is called 7 ", "found no 7 but '7 ': rename '7 ' to 7"),
        ("an empty class", "9: expected pictures of this class, found an empty folder"),
        ("a class of Thumbs.db alone", "9: expected pictures of this class, found an empty folder"),
        ("a file for a class", "found '9', no folder: remove what is no class"),
        ("a foreign folder", "letters: expected pictures of this class, found an empty folder"),
        ("a large picture", r"png: expected a picture of 28x28 pixels, found 32x30"),
        ("a transparent picture", "png: expected opaque pixels"),
        ("a damaged picture", "png: the PNG file is truncated"),
        ("a text", "png: expected a picture in PNG"),
    ],
)
def test_a_folder_that_is_no_data_set_is_refused_and_nothing_is_written(
    tmp_path: Path, pictures: Path, what: str, message: str
) -> None:
    spoil(pictures, what)
    with pytest.raises(DataError, match=message) as raised:
        import_folder(pictures, tmp_path / "set")
    assert str(pictures) in str(raised.value)
    assert isinstance(raised.value, ImageError) == (what in ("a damaged picture", "a text"))
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_a_folder_around_the_pictures_is_named_and_what_archives_leave_beside_it_does_not_hide_it(
    tmp_path: Path, pictures: Path
) -> None:
    (tmp_path / "around" / "__MACOSX").mkdir(parents=True)
    pictures.rename(tmp_path / "around" / "digits")
    with pytest.raises(DataError, match=r"found 'digits' alone: pass .*around/digits"):
        import_folder(tmp_path / "around", tmp_path / "set")


def test_parts_of_other_names_are_named(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "in" / "Testing").mkdir(parents=True)
    pictures.rename(tmp_path / "in" / "Training")
    with pytest.raises(DataError, match="rename 'Testing' to test, rename 'Training' to train"):
        import_folder(tmp_path / "in", tmp_path / "set")
    (tmp_path / "in" / "Testing").rename(tmp_path / "test")
    (tmp_path / "in" / "Training").rename(tmp_path / "in" / "train")
    with pytest.raises(DataError, match="found 'train' alone: pass "):
        import_folder(tmp_path / "in", tmp_path / "set")


def test_a_folder_of_idx_files_is_a_data_set_already(tmp_path: Path, pictures: Path) -> None:
    import_folder(pictures, tmp_path / "set")
    with pytest.raises(DataError, match="found IDX files: the folder is a data set already"):
        import_folder(tmp_path / "set", tmp_path / "again")


def test_a_test_part_may_lack_a_class(tmp_path: Path, mnist: Dataset) -> None:
    picture_folder(tmp_path / "in" / "train", mnist.x_train[:100], mnist.y_train[:100])
    few = mnist.y_test[:100] != 7
    picture_folder(tmp_path / "in" / "test", mnist.x_test[:100][few], mnist.y_test[:100][few])
    import_folder(tmp_path / "in", tmp_path / "set")
    assert 7 not in load(tmp_path / "set").y_test


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan"), 0.04, 0.999])
def test_a_share_that_leaves_no_two_parts_is_refused(tmp_path: Path, pictures: Path, share: float) -> None:
    with pytest.raises(DataError, match="test share"):
        import_folder(pictures, tmp_path / "set", test_share=share)


def test_a_target_in_use_is_refused_and_left_as_it_is_and_an_empty_one_is_filled(
    tmp_path: Path, pictures: Path
) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name in ("used", "file"):
        with pytest.raises(OutputError, match=f"{name}: expected a new folder"):
            import_folder(pictures, tmp_path / name)
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["notes.txt"]
    (tmp_path / "empty").mkdir()
    import_folder(pictures, tmp_path / "empty")
    assert {path.name for path in (tmp_path / "empty").iterdir()} == set(FILE_NAMES.values())


def test_a_target_that_cannot_be_written_is_an_error_of_one_line(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        import_folder(pictures, tmp_path / "file" / "set")


def small_arrays(mnist: Dataset) -> dict[str, np.ndarray]:
    return {
        "x_train": mnist.x_train[:200],
        "y_train": mnist.y_train[:200],
        "x_test": mnist.x_test[:50],
        "y_test": mnist.y_test[:50],
    }


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("label_type", [np.uint8, np.int64, ">i4"])
def test_a_file_like_that_of_keras_becomes_a_data_set(
    tmp_path: Path, mnist: Dataset, save: Callable[..., None], label_type: type
) -> None:
    arrays = small_arrays(mnist)
    arrays |= {name: arrays[name].astype(label_type) for name in ("y_train", "y_test")}
    save(tmp_path / "mnist.npz", **arrays, extra=np.ones(3))
    import_dataset(tmp_path / "mnist.npz", tmp_path / "set")
    made = load(tmp_path / "set")
    np.testing.assert_array_equal(made.x_train, mnist.x_train[:200], strict=True)
    np.testing.assert_array_equal(made.y_train, mnist.y_train[:200], strict=True)
    np.testing.assert_array_equal(made.x_test, mnist.x_test[:50], strict=True)
    np.testing.assert_array_equal(made.y_test, mnist.y_test[:50], strict=True)


def test_images_in_columns_first_order_are_read_right(tmp_path: Path, mnist: Dataset) -> None:
    arrays = small_arrays(mnist)
    arrays["x_train"] = np.asfortranarray(arrays["x_train"])
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    import_npz(tmp_path / "a.npz", tmp_path / "set")
    np.testing.assert_array_equal(load(tmp_path / "set").x_train, mnist.x_train[:200])


class Trap:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.path,)


def test_nothing_is_ever_unpickled(tmp_path: Path, mnist: Dataset) -> None:
    trap = np.array([Trap(tmp_path / "sprung")] * 50, object)
    np.savez(tmp_path / "a.npz", allow_pickle=True, **small_arrays(mnist) | {"y_test": trap})  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"expected y_test\.npy as numbers, found object"):
        import_npz(tmp_path / "a.npz", tmp_path / "set")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x_train": np.full((200, 28, 28), 0.5) * 3}, r"or floats 0\.\.1, received float64 of 1\.5\.\.1\.5"),
        ({"x_train": np.full((200, 28, 28), -1)}, r"whole numbers 0\.\.255 .*received int64 of -1\.\.-1"),
        ({"x_train": np.full((200, 28, 28), np.nan)}, "expected finite numbers"),
        ({"x_train": np.zeros((200, 32, 32), np.uint8)}, r"of shape \[n, 28, 28\].*received \[200, 32, 32\]"),
        (
            {"y_train": np.full(200, 0.5)},
            "expected a whole number or a name for each image, received float64",
        ),
        ({"y_train": np.full(200, 26)}, "test labels of classes of the training part, received 0"),
        ({"y_train": np.arange(200)}, "expected at most 100 classes, received 200 labels"),
        ({"y_train": np.eye(10)[np.zeros(200, int)]}, "of one-hot rows take labels.argmax"),
        ({"y_train": np.zeros(0, np.int64)}, "a label for each of 200 images, received 0"),
        ({"y_test": np.zeros(49, np.uint8)}, "50 images and 49 labels"),
    ],
)
def test_an_npz_file_of_anything_else_is_refused_naming_what_was_found(
    tmp_path: Path, mnist: Dataset, changed: dict[str, np.ndarray], message: str
) -> None:
    np.savez(tmp_path / "a.npz", **small_arrays(mnist) | changed)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=message) as raised:
        import_npz(tmp_path / "a.npz", tmp_path / "set")
    assert "a.npz" in str(raised.value)
    assert not (tmp_path / "set").exists()


def npz(path: Path, mnist: Dataset, **members: bytes) -> Path:
    """An archive of the small arrays in which some members are other bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in small_arrays(mnist).items():
            stream = io.BytesIO()
            np.save(stream, array)
            archive.writestr(f"{name}.npy", members.get(name, stream.getvalue()))
    return path


def npy(shape: str, items: bytes, dtype: str = "|u1") -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text.encode() + items


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (npy("(1000000, 1000, 1000)", bytes(100)), "claims 1,000,000,000,000 bytes of items, it has 100"),
        (npy("(200,)", bytes(199)), "claims 200 bytes of items, it has 199"),
        (npy("(200,)", bytes(201)), "claims 200 bytes of items, it has 201"),
        (npy("(-1,)", bytes(100)), "claims -1 bytes|damaged"),
        (npy("(2, 100)", bytes(200)), "a label for each of 200 images, received 2"),
        (npy("__import__('os')", bytes(100)), "damaged"),
        (b"\x93NUMPY\3\0" + bytes(200), "version 1.0"),
        (b"no array", "damaged"),
        (b"", "damaged"),
    ],
)
def test_a_member_that_claims_what_it_does_not_hold_is_refused(
    tmp_path: Path, mnist: Dataset, member: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        import_npz(npz(tmp_path / "a.npz", mnist, y_train=member), tmp_path / "set")


def test_a_member_that_would_inflate_beyond_the_limit_is_refused_from_the_directory(
    tmp_path: Path, mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = npz(tmp_path / "a.npz", mnist)
    monkeypatch.setattr("digitlab.data.npz.MAX_BYTES", 150_000)
    with pytest.raises(DataError, match=r"x_train\.npy claims 156,928 bytes"):
        import_npz(path, tmp_path / "set")


def test_a_damaged_or_missing_file_is_refused(tmp_path: Path, mnist: Dataset) -> None:
    whole = npz(tmp_path / "a.npz", mnist).read_bytes()
    flipped = bytearray(whole)
    flipped[5000] ^= 1
    for number, content in enumerate((whole[:-100], bytes(flipped))):
        path = tmp_path / f"{number}.npz"
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"the \.npz file is damaged"):
            import_npz(path, tmp_path / "set")
    with pytest.raises(
        DataError, match=r"expected a folder of pictures, a \.csv or an \.npz file, found no such file"
    ):
        import_dataset(tmp_path / "missing", tmp_path / "set")


def bytes_of_npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ones(3))
    return stream.getvalue()


FOREIGN = {
    "nothing": (b"", "an empty file"),
    "text": (b"text", "found text"),
    "JSON": (b'{"x_train": []}', "JSON"),
    "a Parquet file": (b"PAR1\x15\4\x15" + bytes(99), "a Parquet file"),
    "an HDF5 file": (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
    "a Matlab file": (b"MATLAB 5.0 MAT-file" + bytes(99), "a Matlab file"),
    "an .npy file": (bytes_of_npy(), r"an \.npy file of one array: save all four"),
    "a pickle": (pickle.dumps(np.ones(3)), "a pickle: pickles are not loaded"),
    "an IDX file": (b"\0\0\x08\3" + bytes(99), "an IDX file: pass the folder of the four IDX files"),
    "a gzip file": (gzip.compress(b"\0\0\x08\3"), "a gzip file: pass the folder of four gzipped IDX files"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), "one PNG picture: import pictures in a folder"),
    "base64": (base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(99)), "base64 text of a picture"),
    "something else": (bytes(range(1, 256)), "found something else"),
}


@pytest.mark.parametrize("suffix", [".npz", ".csv"])
@pytest.mark.parametrize(("content", "found"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_of_another_kind_is_named_by_its_content_and_not_called_damaged(
    tmp_path: Path, content: bytes, found: str, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(
        DataError, match=f"expected a folder of pictures, a .csv or an .npz file, .*{found}"
    ) as raised:
        import_dataset(path, tmp_path / "set")
    assert "damaged" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_archive_of_other_things_is_refused_naming_them(tmp_path: Path, pictures: Path) -> None:
    np.savez(tmp_path / "other.npz", weights=np.ones(3))
    with pytest.raises(DataError, match=r"expected x_train, .* found weights\.npy$"):
        import_npz(tmp_path / "other.npz", tmp_path / "set")
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for path in sorted(pictures.glob("*/*.png")):
            archive.write(path, path.relative_to(pictures))
    with pytest.raises(DataError, match=r"found 0/1\.png, .*and 204 more: unpack the archive"):
        import_dataset(tmp_path / "digits.zip", tmp_path / "set")


def test_an_npz_file_under_another_name_is_read(tmp_path: Path, mnist: Dataset) -> None:
    npz(tmp_path / "a.zip", mnist)
    import_dataset(tmp_path / "a.zip", tmp_path / "set")
    assert len(load(tmp_path / "set").y_train) == 200


def small_pictures(folder: Path, classes: dict[str, int], size: tuple[int, int] = (28, 28)) -> Path:
    """Some pictures of each class: a white bar on black, in another place for each."""
    for number, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            picture = np.zeros(size, np.uint8)
            picture[2 + 3 * number, i % size[1]] = 200
            Image.fromarray(picture).save(folder / name / f"{i}.png")
    return folder


def test_the_names_of_folders_become_the_names_of_two_to_a_hundred_classes(tmp_path: Path) -> None:
    import_dataset(
        small_pictures(tmp_path / "in", {"tree": 30, "ball": 20, "10": 30, "9": 20}), tmp_path / "set"
    )
    made = load(tmp_path / "set")
    assert made.classes == ("9", "10", "ball", "tree")  # numbers by value, then words
    assert (len(made.y_train), len(made.y_test)) == (86, 14)
    assert np.bincount(np.concatenate([made.y_train, made.y_test])).tolist() == [20, 30, 20, 30]
    rows = made.x_train.max(axis=2).argmax(axis=1)
    assert set(rows[made.y_train == 3]) == {2}  # trees, which were drawn first


@pytest.mark.parametrize("odd", ["ball", "tree"])
def test_both_parts_must_have_the_same_classes(tmp_path: Path, odd: str) -> None:
    small_pictures(tmp_path / "in" / "train", {"cup": 20, "ball": 20})
    small_pictures(
        tmp_path / "in" / "test", {"cup": 20, odd: 20} if odd == "tree" else {"cup": 20, "ball": 0, "hat": 9}
    )
    with pytest.raises(DataError, match="expected the same classes in train and test, found"):
        import_dataset(tmp_path / "in", tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_pictures_of_other_sizes_are_scaled_and_inverted_where_that_is_asked_for(tmp_path: Path) -> None:
    wide = np.full((40, 80), 250, np.uint8)
    wide[:, 39:41] = 10  # a dark stroke from top to bottom, two pixels wide
    for name in ("a", "b"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for i in range(40):
            Image.fromarray(wide).save(tmp_path / "in" / name / f"{i}.png")
    with pytest.raises(DataError, match=r"found 80x40: scale it first, or add --resize"):
        import_dataset(tmp_path / "in", tmp_path / "set")
    done = import_dataset(tmp_path / "in", tmp_path / "set", options=PictureOptions(resize=True, invert=True))
    assert (done.resized, done.inverted) == (80, 80)
    image = load(tmp_path / "set").x_train[0]
    assert image[:7].max() == image[21:].max() == 5  # filled with the ground: 80x40 becomes 28x14
    assert image[10, 13] > 80
    assert image[10, 5] == 5


def test_a_file_is_neither_scaled_nor_inverted(tmp_path: Path, mnist: Dataset) -> None:
    np.savez(tmp_path / "a.npz", x=mnist.x_train[:100], y=mnist.y_train[:100])
    with pytest.raises(DataError, match="expected a folder of pictures to resize or invert"):
        import_dataset(tmp_path / "a.npz", tmp_path / "set", options=PictureOptions(invert=True))


@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("X", "y"), ("images", "labels"), ("data", "target")])
def test_arrays_of_one_part_are_split(tmp_path: Path, mnist: Dataset, x: str, y: str) -> None:
    images = mnist.x_train[:210].reshape(-1, 784) / np.float32(255)
    np.savez(tmp_path / "a.npz", **{x: images, y: mnist.y_train[:210, None]})  # type: ignore[arg-type]
    import_dataset(tmp_path / "a.npz", tmp_path / "set")
    made = load(tmp_path / "set")
    assert (len(made.y_train), len(made.y_test)) == (180, 30)
    together = (np.concatenate([made.x_train, made.x_test]), np.concatenate([made.y_train, made.y_test]))
    assert same_pictures(*together, mnist.x_train[:210], mnist.y_train[:210])
