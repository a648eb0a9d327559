"""What the scikit-learn peers share: an MLPClassifier on pixels in 0..1, trained once and scored."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from contract import Clock, Order


def run(order: Order, settings: dict[str, Any]) -> None:
    """Train a classifier of these settings and print what came of it.

    Args:
        order: what is asked; its epochs are the most there may be.
        settings: of `MLPClassifier`.
    """
    digits = order.digits
    clock = Clock()
    from sklearn.exceptions import (  # pyright: ignore[reportMissingImports] - in an environment of its own
        ConvergenceWarning,
    )
    from sklearn.neural_network import MLPClassifier  # pyright: ignore[reportMissingImports]

    clock.part("import")
    images = digits.x_train.reshape(len(digits.x_train), -1).astype(np.float32) / 255
    tests = digits.x_test.reshape(len(digits.x_test), -1).astype(np.float32) / 255
    clock.restart()
    network = MLPClassifier(**settings, max_iter=order.epochs, random_state=order.seed)
    clock.part("compile")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a schedule may end before the loss stands still
        network.fit(images, digits.y_train)
    clock.pause()
    clock.epoch(int(network.n_iter_), float(network.score(tests, digits.y_test)))
    clock.report("scikit-learn")
