"""Is bfloat16 faster than float32 here? Matrix products of the classroom's shapes, and whole epochs.

All on one thread. The rule in `digitlab.training.process.native_precision` comes from this. Writes
`precision.json` into digitlab-results/measurements, or where --out says.

    python benchmarks/precision.py
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from command import run
from measured import add_place, results_file, write_results

from digitlab.training import train
from digitlab.training.process import environment, prepare_process

SHAPES = {
    "mlp-128 forward": (200, 784, 128, False),
    "mlp-128 weight gradient": (784, 200, 128, True),
    "mlp-1024 forward": (200, 784, 1024, False),
    "mlp-1024 weight gradient": (784, 200, 1024, True),
}
EPOCHS = {"mlp": {}, "mlp, 1024 neurons": {"model.hidden.0": 1024}, "cnn": {}, "deep-cnn": {}}
PRECISIONS = ("float32", "mixed_bfloat16")
ROUNDS = 3


def product_rate(rows: int, inner: int, columns: int, transposed: bool, dtype: Any) -> float:
    """Measure a product of [rows, inner] and [inner, columns] in 10^9 operations a second."""
    import tensorflow as tf

    left = tf.cast(tf.random.normal((inner, rows) if transposed else (rows, inner)), dtype)
    right = tf.cast(tf.random.normal((inner, columns)), dtype)
    operations = 2 * rows * inner * columns
    count = max(3, int(4e9 / operations))

    @tf.function(autograph=False)
    def repeated() -> Any:
        def body(i: Any, total: Any, left: Any, right: Any) -> tuple[Any, ...]:
            product = tf.matmul(left, right, transpose_a=transposed)
            return i + 1, total + tf.cast(product[0, 0], tf.float32), left, right

        # The matrices go round the loop, so that the product is not moved out of it.
        state = [0, 0.0, left, right]
        _, total, _, _ = tf.while_loop(lambda i, *_: i < count, body, state, parallel_iterations=1)
        return total

    repeated()
    begin = time.perf_counter()
    repeated()
    return operations * count / (time.perf_counter() - begin) / 1e9


def epoch_seconds(recipe: str, settings: dict[str, Any], precision: str) -> float:
    """Train three epochs and give the median of the last two."""
    changed = {**settings, "training.epochs": 3, "training.precision": precision}
    history = train(recipe, settings=changed).result.history
    return statistics.median(record.seconds for record in history[1:])


def main() -> None:
    parser = argparse.ArgumentParser(description="Is bfloat16 faster than float32 here?")
    add_place(parser)
    path = results_file(parser.parse_args(), "precision")
    prepare_process(1)
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")  # a graph for each shape is meant, and not a mistake
    types = {"float32": tf.float32, "mixed_bfloat16": tf.bfloat16}
    measured: dict[str, dict[str, float]] = {}
    print(f"{'':28} {'float32':>9} {'bfloat16':>9}")
    for name, shape in SHAPES.items():
        rates = {}
        for precision in PRECISIONS:
            rounds = [product_rate(*shape, types[precision]) for _ in range(ROUNDS)]
            rates[precision] = statistics.median(rounds)
        measured[f"{name}, GFLOP/s"] = rates
        print(f"{name:28} {rates['float32']:9.0f} {rates['mixed_bfloat16']:9.0f}  GFLOP/s")
    for name, settings in EPOCHS.items():
        recipe, _, _ = name.partition(",")
        seconds = {precision: epoch_seconds(recipe, settings, precision) for precision in PRECISIONS}
        measured[f"{name}, s / epoch"] = seconds
        print(f"{name:28} {seconds['float32']:9.2f} {seconds['mixed_bfloat16']:9.2f}  s / epoch")
    write_results(path, {"environment": environment(), "measured": measured})


if __name__ == "__main__":
    run(main)
