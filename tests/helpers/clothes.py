"""A data set of ten classes that are no digits: real digits turned on their side, and called clothes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from digitlab.data import write_idx
from digitlab.data.classes import CLASSES_FILE
from real_digits import read_mnist

CLOTHES = ("Top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def write_clothes(folder: Path, *, named: bool = True) -> None:
    """Write 2,000 training and 500 test images.

    Args:
        folder: that is there.
        named: whether a file beside them names the classes.
    """
    mnist = read_mnist()
    parts = {
        "train": (mnist.x_train[:2000], mnist.y_train[:2000]),
        "t10k": (mnist.x_test[:500], mnist.y_test[:500]),
    }
    for part, (images, labels) in parts.items():
        turned = np.ascontiguousarray(images.transpose(0, 2, 1)[:, ::-1])
        write_idx(folder / f"{part}-images-idx3-ubyte", turned)
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels)
    if named:
        (folder / CLASSES_FILE).write_text("\n".join(CLOTHES), "utf-8")
