from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from digitlab.cli.data import app
from digitlab.cli.data_warnings import warn_of_data
from digitlab.data.catalog import FILE_NAMES
from digitlab.data.dataset import Dataset, load
from digitlab.data.idx import write_idx
from digitlab.errors import DataError

WriteFolder = Callable[..., Path]


def invoke(*arguments: str | Path) -> tuple[str, str]:
    """What a command writes to stdout and to stderr; its error is raised."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout, result.stderr


def test_list_names_the_bundled_data_set_with_its_sizes_and_licence() -> None:
    out, err = invoke("list")
    [row] = [line for line in out.splitlines() if "mnist" in line]
    for cell in ("60,000", "10,000", "CC BY-SA 3.0", str(Path("data") / "mnist")):
        assert cell in row
    assert err == ""


def test_list_as_json_is_one_object_a_line() -> None:
    out, _ = invoke("list", "--json")
    [row] = [json.loads(line) for line in out.splitlines()]
    assert (row["name"], row["train"], row["test"]) == ("mnist", 60_000, 10_000)
    assert Path(row["where"]).is_dir()


def test_check_counts_the_classes_and_knows_the_published_files(mnist: Dataset) -> None:
    out, _ = invoke("check", "mnist")
    for text in ("5,923", "1,135", "60,000", mnist.fingerprint, "the published files of mnist"):
        assert text in out
    [found] = [json.loads(line) for line in invoke("check", "mnist", "--json")[0].splitlines()]
    assert found["counts"]["train"] == np.bincount(mnist.y_train).tolist()
    assert found["counts"]["test"] == np.bincount(mnist.y_test).tolist()
    assert (found["fingerprint"], found["same_as"]) == (mnist.fingerprint, "mnist")


def test_check_takes_a_folder_and_says_when_its_contents_are_unknown(write_folder: WriteFolder) -> None:
    folder = write_folder()
    out, _ = invoke("check", folder)
    assert "no known data set" in out
    [found] = [json.loads(line) for line in invoke("check", folder, "--json")[0].splitlines()]
    assert (found["name"], found["same_as"]) == (str(folder), None)


def test_check_raises_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found an empty folder"):
        invoke("check", tmp_path)


def test_import_makes_a_folder_that_check_accepts(tmp_path: Path, mnist: Dataset) -> None:
    for number, (image, label) in enumerate(zip(mnist.x_train[:100], mnist.y_train[:100], strict=True)):
        folder = tmp_path / "in" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    out, err = invoke("import", tmp_path / "in", tmp_path / "set", "--test-share", "0.25")
    assert out == ""
    assert "75 training and 25 test images" in err
    assert len(load(tmp_path / "set").y_test) == 25
    invoke("check", tmp_path / "set")


def test_check_has_nothing_to_tell_of_mnist() -> None:
    out, err = invoke("check", "mnist")
    assert out.endswith("findings     none\n")
    assert err == ""
    [found] = [json.loads(line) for line in invoke("check", "mnist", "--json")[0].splitlines()]
    assert found["findings"] == []


def test_check_tells_what_is_odd_with_its_weight(
    write_folder: WriteFolder, small: dict[str, np.ndarray]
) -> None:
    images = 255 - small["train-images"]
    images[0] = 0
    folder = write_folder(train_images=images)
    out, _ = invoke("check", folder)
    [polarity, blank] = [
        line.split() for line in out.splitlines() if "training images " in line and " of " in line
    ]
    assert polarity[:5] == ["polarity", "grave", "299", "of", "300"]
    assert blank[:5] == ["blank", "slight", "1", "of", "300"]
    [found] = [json.loads(line) for line in invoke("check", folder, "--json")[0].splitlines()]
    assert [(one["kind"], one["part"], one["count"], one["grave"]) for one in found["findings"]] == [
        ("polarity", "train", 299, True),
        ("blank", "train", 1, False),
    ]
    assert found["findings"][1]["places"] == [["train", 0]]


def test_import_tells_what_is_odd_and_what_it_left_out(tmp_path: Path, mnist: Dataset) -> None:
    for number, (image, label) in enumerate(zip(mnist.x_train[:100], mnist.y_train[:100], strict=True)):
        folder = tmp_path / "in" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image if number == 8 else image).save(folder / f"{number}.png")
    (tmp_path / "in" / "__MACOSX").mkdir()
    out, err = invoke("import", tmp_path / "in", tmp_path / "set")
    assert out == ""
    [wrote, classes, left, warning] = err.splitlines()
    assert classes == "10 classes: 0, 1, 2, 3 and 6 more"
    assert "86 training and 14 test images" in wrote
    assert left == f"left out, files of desktops and archives: {tmp_path / 'in' / '__MACOSX'}"
    assert warning.startswith("warning: 1 of ")
    assert "dark ink on light ground" in warning
    assert warning.endswith(f"(the first: {tmp_path / 'in' / '1' / '8.png'})")


def test_what_is_grave_is_one_line_and_what_is_slight_is_none(
    write_folder: WriteFolder, small: dict[str, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_folder(train_images=255 - small["train-images"], test_images=255 - small["test-images"])
    warn_of_data([str(folder), str(folder), "mnist"])
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"warning: data {folder}: 300 of 300 training images are dark ink")
    assert line.endswith("; and 1 more:  digitlab data check")
    blank = small["train-images"].copy()
    blank[0] = 0
    write_idx(folder / FILE_NAMES["train-images"], blank)
    write_idx(folder / FILE_NAMES["test-images"], small["test-images"])
    warn_of_data([str(folder)])
    assert capsys.readouterr().err == ""


def test_the_commands_page_loads_no_arrays_and_no_pictures() -> None:
    code = (
        "import sys\nimport digitlab.cli.data, digitlab.data\n"
        "assert not {'numpy', 'PIL'} & set(sys.modules), 'heavy'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
