"""Accuracy under the worst small changes of test images: projected gradient descent on the loss.

    python benchmarks/adversarial.py [NETWORK ...] [--images 1000] [--bounds 0.1 0.2 0.3] [--steps 40]

Each pixel may change by at most the bound, as a share of full white. From a random start, every step follows
the sign of the gradient and is brought back within the bound; an image counts as read only where the network
was right after every step. Writes `adversarial.json` and `adversarial.csv` into
digitlab-results/measurements, or --out.

Source:
    Madry, Makelov, Schmidt, Tsipras and Vladu 2018, Towards deep learning models resistant to adversarial
    attacks: 40 steps of a fortieth of the bound times 2.5.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from command import run
from measured import add_place, environment, results_file, write_results
from outcomes import wilson
from rich.progress import track

from digitlab.bundle.export import load_network
from digitlab.bundle.files import check_bundle, find_bundle
from digitlab.bundle.onnx_export import logits_layer
from digitlab.data import load
from digitlab.training.process import prepare_process

Attack = Callable[[np.ndarray, np.ndarray, float], np.ndarray]
NETWORKS = ("mlp", "cnn", "best")
BOUNDS = (0.1, 0.2, 0.3)
BATCH = 250
WHITE = 255.0
STEP = 2.5
"""Length of all steps together, in bounds: the edge is reached, and left again."""


def attack(network: Any, steps: int) -> Attack:
    """Prepare the attack on a network.

    Args:
        network: Keras model from images, [n, 28, 28] in 0..255, to probabilities.
        steps: number of gradient steps, 1 or more.

    Returns:
        A function from images, uint8 [n, 28, 28], labels, uint8 [n], and the bound, 0..1 of full white, to
        bool [n]: which images the network reads in spite of the worst change that was found.
    """
    import keras
    import tensorflow as tf

    # The gradient of the logits: that of probabilities near 1 would be rounded to 0.
    logits = keras.Model(network.inputs, logits_layer(network).output)

    @tf.function(reduce_retracing=True)
    def climb(original: Any, truth: Any, start: Any, bound: Any) -> Any:
        low = tf.clip_by_value(original - bound, 0.0, WHITE)
        high = tf.clip_by_value(original + bound, 0.0, WHITE)
        changed = tf.clip_by_value(start, low, high)
        right = tf.ones_like(truth, tf.bool)
        for step in range(steps + 1):
            with tf.GradientTape() as tape:
                tape.watch(changed)
                answer = logits(changed, training=False)
                loss = tf.nn.sparse_softmax_cross_entropy_with_logits(truth, answer)
            right &= tf.argmax(answer, axis=1, output_type=tf.int32) == truth
            if step < steps:  # what the last step gave is only read
                slope: Any = tape.gradient(loss, changed)
                climbed = changed + bound * STEP / steps * tf.sign(slope)
                changed = tf.clip_by_value(climbed, low, high)
        return right

    def survivors(images: np.ndarray, labels: np.ndarray, bound: float) -> np.ndarray:
        random = np.random.default_rng(0)
        survived = []
        for first in range(0, len(images), BATCH):
            original = images[first : first + BATCH].astype(np.float32)
            noise = random.uniform(-bound, bound, original.shape).astype(np.float32)
            start = original + WHITE * noise
            truth = labels[first : first + BATCH].astype(np.int32)
            # As tensors: the graph would be traced anew for each array.
            arguments = [tf.constant(value) for value in (original, truth, start, np.float32(WHITE * bound))]
            survived.append(np.asarray(climb(*arguments)))
        return np.concatenate(survived)

    return survivors


def main() -> None:
    parser = argparse.ArgumentParser(description="Accuracy under the worst small changes of test images.")
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), metavar="NETWORK")
    parser.add_argument("--images", type=int, default=1_000, help="the first so many of the test images")
    parser.add_argument("--bounds", type=float, nargs="+", default=list(BOUNDS))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--data", default="mnist")
    add_place(parser)
    arguments = parser.parse_args()
    path = results_file(arguments, "adversarial")
    prepare_process()
    dataset = load(arguments.data)
    images, labels = dataset.x_test[: arguments.images], dataset.y_test[: arguments.images]
    bounds = (0.0, *arguments.bounds)
    rows = []
    for name in arguments.networks:
        network = load_network(check_bundle(find_bundle(name)))
        survivors = attack(network, arguments.steps)
        row: dict[str, Any] = {"network": name, "n": len(images)}
        for bound in track(bounds, f"{name:6}"):
            right = int(survivors(images, labels, bound).sum())
            low, high = wilson(right, len(images))
            row |= {f"{bound}": 100 * right / len(images), f"{bound} low": low, f"{bound} high": high}
        rows.append(row)
    _print(rows, bounds)
    settings = {"environment": environment(), "steps": arguments.steps, "data": arguments.data}
    write_results(path, {**settings, "table": rows}, rows)


def _print(rows: list[dict[str, Any]], bounds: tuple[float, ...]) -> None:
    """Print the table: accuracy in percent, with its 95 % interval, for each bound."""
    print(f"{'right, %':12}" + "".join(f"{bound:>22}" for bound in bounds))
    for row in rows:
        cells = []
        for bound in bounds:
            low, high = row[f"{bound} low"], row[f"{bound} high"]
            cells.append(f"{row[f'{bound}']:6.1f} ({low:4.1f} to {high:5.1f})")
        print(f"{row['network']:12}" + "".join(f"{cell:>22}" for cell in cells))


if __name__ == "__main__":
    run(main)
