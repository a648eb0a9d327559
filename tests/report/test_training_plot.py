"""The figure of one training, which replaces nothing but an earlier one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitlab.errors import OutputError
from digitlab.marks import read_mark
from digitlab.report import save_training_plot
from digitlab.report.training_plot import MARK
from real_digits import read_mnist


def save(path: Path, misread: int) -> None:
    mnist = read_mnist()
    predictions = mnist.y_test.copy()
    predictions[:misread] = (predictions[:misread] + 1) % 10
    save_training_plot(path, [(0.9, 0.92), (0.95, 0.94)], mnist.x_test, mnist.y_test, predictions)


@pytest.mark.parametrize("misread", [0, 3, 40])
def test_a_plot_is_a_png_file_with_a_mark(misread: int, tmp_path: Path) -> None:
    save(tmp_path / "mlp.png", misread)
    assert (tmp_path / "mlp.png").read_bytes().startswith(b"\x89PNG")
    assert read_mark(tmp_path / "mlp.png") == MARK
    save(tmp_path / "mlp.png", misread)  # over its own


def test_a_picture_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mlp.png").write_bytes(b"a picture of mine")
    with pytest.raises(OutputError, match="expected a new file or a plot that digitlab wrote"):
        save(tmp_path / "mlp.png", 3)
    assert (tmp_path / "mlp.png").read_bytes() == b"a picture of mine"


def test_one_epoch_is_drawn_without_a_warning(tmp_path: Path) -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    labels = np.array([1, 2], np.uint8)
    save_training_plot(tmp_path / "one.png", [(0.5, 0.5)], images, labels, labels)
    assert (tmp_path / "one.png").is_file()
