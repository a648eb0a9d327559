"""The classifier beside its peers: one image, a batch, and a fresh process to its first answer."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from digitlab.bundle.export import keras_call, keras_probabilities, litert, load_network, write_litert
from digitlab.bundle.files import Bundle
from digitlab.bundle.graph import IMAGES, PROBABILITIES
from digitlab.bundle.runtime import load_classifier, open_session

RAW = "ONNX Runtime"
"""The peer that all are compared with: a bare session, given float32 that was made before the clock ran."""
SINGLE_CALLS = 300
SLOWEST_ROUND = 1.0
"""Seconds after which a contestant's calls of one round are enough."""

Contestants = Mapping[str, Callable[[np.ndarray], object]]
"""By name, what classifies images; each is given the kind of array that it takes without converting."""

_OURS = """
from digitlab.bundle import load_classifier
import numpy as np
load_classifier({folder!r}).probabilities(np.zeros((1, 28, 28), np.uint8))
"""
_BARE = """
import numpy as np, onnxruntime
session = onnxruntime.InferenceSession({file!r})
session.run(["probabilities"], {{"images": np.zeros((1, 28, 28), np.float32)}})
"""


@contextmanager
def contestants(bundle: Bundle, threads: int) -> Iterator[Contestants]:
    """Make ready what is compared, all of one network and on as many threads.

    Args:
        bundle: of the network.
        threads: of ONNX Runtime and LiteRT; TensorFlow's must be set before.
    """
    ours = load_classifier(bundle.folder, threads)
    session = open_session(bundle.onnx_path, threads)
    network = load_network(bundle)
    with tempfile.TemporaryDirectory() as folder:
        lite = Path(folder, "model.tflite")
        write_litert(network, lite)
        yield {
            RAW: lambda images: session.run([PROBABILITIES], {IMAGES: images}),
            "digitlab": ours.probabilities,
            "digitlab, calibrated": ours.calibrated,
            "LiteRT": litert(lite, threads),
            "Keras __call__": keras_call(network),
            "Keras predict": lambda images: keras_probabilities(network, images),
        }


def measure(peers: Contestants, images: np.ndarray, rounds: int) -> dict[str, dict[str, float]]:
    """Let the contestants classify one image at a time, in turn, several rounds.

    Args:
        peers: what is compared, `RAW` among them.
        images: uint8 [n, 28, 28]; given at once.
        rounds: of all of them; ratios are between neighbours in time.

    Returns:
        By contestant: `seconds`, the median over the rounds of each round's median, and `times_raw`, the
        median over the rounds of the ratio to `RAW`.
    """
    ready = {name: images if name.startswith("digitlab") else images.astype(np.float32) for name in peers}
    for name, classify in peers.items():
        classify(ready[name])  # traces graphs and reserves memory
    measured = [{name: _median(peers[name], ready[name]) for name in peers} for _ in range(rounds)]
    return {
        name: {
            "seconds": statistics.median(one[name] for one in measured),
            "times_raw": statistics.median(one[name] / one[RAW] for one in measured),
        }
        for name in peers
    }


def _median(classify: Callable[[np.ndarray], object], images: np.ndarray) -> float:
    seconds: list[float] = []
    begin = time.perf_counter()
    while len(seconds) < SINGLE_CALLS and (len(seconds) < 3 or time.perf_counter() - begin < SLOWEST_ROUND):
        called = time.perf_counter()
        classify(images)
        seconds.append(time.perf_counter() - called)
    return statistics.median(seconds)


def load_seconds(bundle: Bundle, rounds: int) -> dict[str, float]:
    """Time fresh processes from their start to their end, with one image classified.

    Returns:
        The median of each: `digitlab`, which checks hashes and runs the self-test, and `RAW`, which does not.
    """
    programs = {
        "digitlab": _OURS.format(folder=str(bundle.folder)),
        RAW: _BARE.format(file=str(bundle.onnx_path)),
    }
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            seconds[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in seconds.items()}


def recognition_figures(bundle: Bundle, images: np.ndarray, threads: int, rounds: int) -> dict[str, Any]:
    """Measure all of it.

    Args:
        bundle: that was checked.
        images: uint8 [n, 28, 28], at least as many as a batch.
        threads: of every contestant.
        rounds: that are measured.

    Returns:
        `single` and `batch` as `measure` gives them, `batch_images`, and `load_seconds`.
    """
    with contestants(bundle, threads) as peers:
        return {
            "single": measure(peers, images[:1], rounds),
            "batch": measure(peers, images, rounds),
            "batch_images": len(images),
            "load_seconds": load_seconds(bundle, rounds),
        }
