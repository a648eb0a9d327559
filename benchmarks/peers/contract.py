"""What every peer of the board does alike: its arguments, its digits, its clock and what it prints.

A peer trains once, in a process of its own, and prints one JSON object:

    {"import_seconds": 1.9,            its libraries
     "compile_seconds": 0.8,           building the network and tracing its graph
     "epochs": [{"epoch": 1, "seconds": 9.1, "accuracy": 0.985}, ...],
     "versions": {"torch": "2.13.0+cpu"}}

Each entry of `epochs` is a schedule of its own: training seconds from the first step to the end of that
epoch, and the accuracy on the test set there. Scoring is outside of the clock. A peer whose schedule depends
on its length has one entry.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

CLASSES = 10


class Digits(NamedTuple):
    """Images, uint8 [n, 28, 28], and labels, uint8 [n]."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


class Order(NamedTuple):
    """What is asked of a peer."""

    digits: Digits
    seed: int
    epochs: int
    precision: str


def read_order(description: str, epochs: int) -> Order:
    """Read the arguments and the digits.

    Args:
        description: of the peer.
        epochs: of its published schedule.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help=".npz of x_train, y_train, x_test, y_test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--images", type=int, help="train on the first so many")
    parser.add_argument("--precision", default="float32", help="of a peer that can choose")
    arguments = parser.parse_args()
    with np.load(arguments.data) as arrays:
        digits = Digits(*(arrays[name] for name in Digits._fields))
    few = digits._replace(
        x_train=digits.x_train[: arguments.images], y_train=digits.y_train[: arguments.images]
    )
    return Order(few, arguments.seed, arguments.epochs, arguments.precision)


class Clock:
    """Tells how long parts take, and keeps what the board is told; it starts as it is made."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._epochs: list[dict[str, Any]] = []
        self._trained = 0.0
        self._begin = time.perf_counter()

    def restart(self) -> None:
        """Start anew: what went before belongs to no part."""
        self._begin = time.perf_counter()

    def part(self, name: str) -> None:
        """End a part, `import` or `compile`, and start the next."""
        self._seconds[f"{name}_seconds"] = time.perf_counter() - self._begin
        self.restart()

    def pause(self) -> None:
        """Stop counting training seconds: scoring follows, then `epoch`."""
        self._trained += time.perf_counter() - self._begin

    def epoch(self, number: int, accuracy: float) -> None:
        """Keep an epoch that has been scored, and start the next."""
        self._epochs.append({"epoch": number, "seconds": self._trained, "accuracy": accuracy})
        self.restart()

    def report(self, *packages: str) -> None:
        """Print what came of it, with the versions of some packages."""
        versions = {name: version(name) for name in packages} | {"python": platform.python_version()}
        print(json.dumps({**self._seconds, "epochs": self._epochs, "versions": versions}))
