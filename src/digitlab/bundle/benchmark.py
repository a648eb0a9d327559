"""Benchmark of the classifier against other runtimes: one image, a batch, and the start of a process."""

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
"""Baseline of the ratios: a bare session that takes float32, converted before the timing."""
SINGLE_CALLS = 300
"""Largest number of calls of one contestant in one round."""
SLOWEST_ROUND = 1.0
"""Seconds after which a contestant's round ends, once it has made three calls."""

Contestants = Mapping[str, Callable[[np.ndarray], object]]
"""Classifying functions by name; each is called with the dtype that it need not convert."""

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
    """Prepare the contestants: one network in each runtime, with the same number of threads.

    Args:
        bundle: the network's bundle.
        threads: number of threads of ONNX Runtime and LiteRT; TensorFlow's must be set before.
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
    """Time the contestants on the same images, in turn, for several rounds.

    Args:
        peers: the contestants, `RAW` among them.
        images: images that each call classifies, uint8 [n, 28, 28].
        rounds: number of rounds; ratios are taken within a round, between calls close in time.

    Returns:
        Figures of each contestant, by name: `seconds`, the median over the rounds of each round's median, and
        `times_raw`, the median over the rounds of the ratio to `RAW`.
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
    """Time fresh processes that classify one image, from start to exit.

    Returns:
        Median seconds of `digitlab`, which checks hashes and runs the self-test, and `RAW`, which does not.
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
    """Run all measurements.

    Args:
        bundle: a checked bundle.
        images: images of the batch, uint8 [n, 28, 28]; the first is also classified alone.
        threads: number of threads of every contestant.
        rounds: number of rounds.

    Returns:
        Figures `single` and `batch` as returned by `measure`, `batch_images`, and `load_seconds`.
    """
    with contestants(bundle, threads) as peers:
        return {
            "single": measure(peers, images[:1], rounds),
            "batch": measure(peers, images, rounds),
            "batch_images": len(images),
            "load_seconds": load_seconds(bundle, rounds),
        }
