"""Speed of the classifier beside other runtimes, and cost of reading a picture.

    python -m benchmarks recognition [--model best] [--threads 1] [--rounds 5]

The classifier classifies an image, a batch, and the first image of a fresh process. The recognizer reads a
row, a drawing and a photograph, with one thread; and the whole command `digitlab recognize` is timed. Writes
`recognition.json` and `.csv`.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from command import at_least, run
from measured import add_place, environment, results_file, write_results
from recognition_cost import reading_costs
from summary import median_ratio
from summary_tables import rows_table

from digitlab.bundle.export import (
    keras_call,
    keras_probabilities,
    litert,
    load_network,
    require,
    write_litert,
)
from digitlab.bundle.files import Bundle, check_bundle, find_bundle
from digitlab.bundle.runtime import IMAGES, PROBABILITIES, load_classifier, open_session
from digitlab.cli.study_output import print_table
from digitlab.data import load
from digitlab.report.tables import TextTable
from digitlab.training.process import prepare_process

BATCH = 1000
RAW = "ONNX Runtime"
"""Baseline of the ratios: a bare session that takes float32, converted before the timing."""
SINGLE_CALLS = 300
"""Largest number of calls of one runtime in one round."""
SLOWEST_ROUND = 1.0
"""Seconds after which a runtime's round ends, once it has made three calls."""

Classifiers = Mapping[str, Callable[[np.ndarray], object]]
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
def classifiers(bundle: Bundle, threads: int) -> Iterator[Classifiers]:
    """Prepare the runtimes: one network in each runtime, with the same number of threads.

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


def measure(runtimes: Classifiers, images: np.ndarray, rounds: int) -> dict[str, dict[str, float]]:
    """Time the runtimes on the same images, in turn, for several rounds.

    Args:
        runtimes: classifying functions by name, `RAW` among them.
        images: images that each call classifies, uint8 [n, 28, 28].
        rounds: number of rounds; ratios are taken within a round, between calls close in time.

    Returns:
        Figures of each runtime, by name: `seconds`, the median over the rounds of each round's median, and
        `times_raw`, the median over the rounds of the ratio to `RAW`.
    """
    floats = images.astype(np.float32)
    ready = {name: images if name.startswith("digitlab") else floats for name in runtimes}
    for name, classify in runtimes.items():
        classify(ready[name])  # traces graphs and reserves memory
    seconds: dict[str, list[float]] = {name: [] for name in runtimes}
    for _ in range(rounds):
        for name, classify in runtimes.items():
            seconds[name].append(_median(classify, ready[name]))
    return {
        name: {
            "seconds": statistics.median(seconds[name]),
            "times_raw": median_ratio(seconds[name], seconds[RAW]),
        }
        for name in runtimes
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


def classifier_figures(bundle: Bundle, images: np.ndarray, threads: int, rounds: int) -> dict[str, Any]:
    """Measure the classifier beside other runtimes.

    Args:
        bundle: a checked bundle.
        images: images of the batch, uint8 [n, 28, 28]; the first is also classified alone.
        threads: number of threads of every runtime.
        rounds: number of rounds.

    Returns:
        Figures `single` and `batch` as returned by `measure`, `batch_images`, and `load_seconds`.
    """
    with classifiers(bundle, threads) as runtimes:
        return {
            "single": measure(runtimes, images[:1], rounds),
            "batch": measure(runtimes, images, rounds),
            "batch_images": len(images),
            "load_seconds": load_seconds(bundle, rounds),
        }


def _classifier_table(figures: dict[str, Any]) -> TextTable:
    count = figures["batch_images"]
    rows = []
    for name, single in figures["single"].items():
        batch = figures["batch"][name]
        rows.append(
            (
                name,
                f"{1000 * single['seconds']:.3f}",
                f"{single['times_raw']:.2f}",
                f"{1000 * batch['seconds']:.1f}",
                f"{count / batch['seconds']:,.0f}",
                f"{100 / batch['times_raw']:.0f} %",
            )
        )
    columns = ("runtime", "one image, ms", "times raw", f"{count:,} images, ms", "images/s", "of raw")
    return TextTable(columns, tuple(rows), (False, *[True] * 5))


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Time the classifier beside ONNX Runtime, LiteRT and Keras, and the reading of pictures."
    )
    parser.add_argument("--model", default="best", metavar="BUNDLE|NAME", help="the network [best]")
    parser.add_argument("--threads", type=at_least(1), default=1, help="of every runtime [1]")
    parser.add_argument("--rounds", type=at_least(1), default=5, help="rounds; medians are over them [5]")
    add_place(parser)
    chosen = parser.parse_args()
    bundle = check_bundle(find_bundle(chosen.model))
    require("ai_edge_litert", "export")
    path = results_file(chosen, "recognition")
    prepare_process(chosen.threads, split=True)
    figures = classifier_figures(bundle, load("mnist").x_test[:BATCH], chosen.threads, chosen.rounds)
    print_table(_classifier_table(figures))
    print(
        "fresh process to first answer: "
        + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in figures["load_seconds"].items())
    )
    costs = reading_costs(chosen.model, chosen.rounds)
    print_table(rows_table("cost", costs))
    figures |= {
        "reading": costs,
        "model": chosen.model,
        "parameters": bundle.card.parameters,
        "multiply_adds": bundle.card.multiply_adds,
        "threads": chosen.threads,
        "rounds": chosen.rounds,
        "environment": environment() | {"ai-edge-litert": version("ai-edge-litert")},
    }
    rows = [
        {"what": f"{name}, {kind}", **values}
        for kind in ("single", "batch")
        for name, values in figures[kind].items()
    ]
    write_results(path, figures, [*rows, *costs])


if __name__ == "__main__":
    run(main)
