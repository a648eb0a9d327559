"""What the PyTorch peers share: the digits as tensors that lie ready, a step, and the score."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from contract import Digits

MEAN, DEVIATION = 0.1307, 0.3081
"""Of the pixels of MNIST, in 0..1, as both peers normalize them."""


class Tensors(NamedTuple):
    """Normalized images, float32 [n, 1, 28, 28], and labels, int64 [n]."""

    x_train: Any
    y_train: Any
    x_test: Any
    y_test: Any


def tensors_of(torch: Any, digits: Digits) -> Tensors:
    """Normalize the digits once; published code does so for each image anew, which costs more."""

    def images(pixels: np.ndarray) -> Any:
        return torch.from_numpy(((pixels.astype(np.float32) / 255 - MEAN) / DEVIATION)[:, None])

    def labels(values: np.ndarray) -> Any:
        return torch.from_numpy(values.astype(np.int64))

    return Tensors(
        images(digits.x_train), labels(digits.y_train), images(digits.x_test), labels(digits.y_test)
    )


def step(torch: Any, model: Any, optimizer: Any, images: Any, labels: Any) -> None:
    """Train on one batch: negative log likelihood of the network's log-probabilities."""
    optimizer.zero_grad()
    torch.nn.functional.nll_loss(model(images), labels).backward()
    optimizer.step()


def accuracy(torch: Any, model: Any, data: Tensors) -> float:
    """Score the network on the test set."""
    model.eval()
    with torch.no_grad():
        right = [
            (model(images).argmax(dim=1) == labels).sum().item()
            for images, labels in zip(data.x_test.split(1000), data.y_test.split(1000), strict=True)
        ]
    model.train()
    return sum(right) / len(data.y_test)
