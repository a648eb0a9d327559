"""The figure of one training: its learning curves, and the first digits that are misread."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlab.files import write_whole
from digitlab.marks import Mark, mark_png, replaced_by
from digitlab.report.canvas import ACCENT, GREY, MaxNLocator, figure_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARK = Mark("plot")
_DIGITS = 8  # misread digits, in one row


def save_training_plot(
    path: Path | str,
    accuracies: Sequence[tuple[float, float]],
    images: np.ndarray,
    labels: np.ndarray,
    predictions: np.ndarray,
) -> None:
    """Draw the accuracy after each epoch, and the first images that are misread.

    Args:
        path: PNG file; only an earlier plot is replaced.
        accuracies: accuracy on the training images and on the validation images after each epoch, 0..1.
        images: test images, uint8 [n, 28, 28].
        labels: labels of the test images, uint8 [n].
        predictions: digits that the network reads, uint8 [n].

    Raises:
        OutputError: something other than a plot is there, or the file cannot be written.
    """
    from matplotlib.figure import Figure

    replaced_by(MARK, path)
    with figure_style():
        figure = Figure(figsize=(9, 5.5), layout="constrained")
        grid = figure.add_gridspec(2, _DIGITS, height_ratios=(3, 1))
        _draw_curves(figure.add_subplot(grid[0, :]), accuracies)
        misread = np.flatnonzero(predictions != labels)[:_DIGITS]
        for column, i in enumerate(misread):
            axes = figure.add_subplot(grid[1, column])
            axes.imshow(images[i], cmap="gray_r")
            axes.set_title(f"{labels[i]} read as {predictions[i]}", fontsize=9)
            axes.set_axis_off()
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png", dpi=120)
    write_whole(path, mark_png(drawn.getvalue(), MARK))


def _draw_curves(axes: Axes, accuracies: Sequence[tuple[float, float]]) -> None:
    epochs = range(1, len(accuracies) + 1)
    training, validation = 100 * np.array(accuracies).T
    axes.plot(epochs, training, "o--", color=GREY, label="training images, while the network learns")
    axes.plot(epochs, validation, "o-", color=ACCENT, label="validation images, after the epoch")
    axes.set(xlabel="epoch", ylabel="accuracy (%)", title="Accuracy in each epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="lower right")
