"""Where the time of a training goes: `python benchmarks/kernels.py RECIPE...`, one thread.

A process trains two epochs, as it is and again with oneDNN's log of its kernels. What the kernels do not
take is elementwise operations and the graph's own steps. The arithmetic of an epoch (three times the
multiply-adds of classifying, but for the first layer, whose input needs no gradient) over its seconds is
compared with the fastest matrix product of this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from typing import NamedTuple

from digitlab.models.costs import cost
from digitlab.spec.library import resolve_recipe
from digitlab.spec.recipe import CNN, IMAGE_SIDE, Recipe

TRAINING = """
import json, sys
from digitlab.training import train

trained = train(sys.argv[1], settings={"training.epochs": 2})
print(json.dumps(trained.result.history[1].seconds))
"""
IMAGES = 55_000
"""Training images that are left when validation has its part."""


class Kernel(NamedTuple):
    """A kind of work in oneDNN's log: `convolution, backward_data`."""

    name: str
    shape: str


def main() -> None:
    """Print a table of each recipe."""
    parser = argparse.ArgumentParser(description="Where the time of a training goes.")
    parser.add_argument("recipes", nargs="+")
    rate = matrix_rate()
    print(f"fastest matrix product: {rate / 1e9:.0f} GFLOP/s of one thread")
    for name in parser.parse_args().recipes:
        recipe = resolve_recipe(name)
        seconds = min(train(name)[0] for _ in range(2))
        arithmetic = 2 * IMAGES * training_multiply_adds(recipe)
        share = arithmetic / seconds / rate
        print(f"\n{name}: {seconds:.2f} s an epoch, {arithmetic / 1e9:.0f} GFLOP, {share:.0%} of that rate")
        kernels = kernel_seconds(train(name, log=True)[1])
        for kernel, taken in list(kernels.items())[:12]:
            print(f"{taken:7.3f} s  {kernel.name:32} {kernel.shape}")
        logged = sum(kernels.values())
        print(f"{logged:7.3f} s  all kernels")
        print(f"{seconds - logged:7.3f} s  the rest: elementwise operations, the optimizer, the graph")


def matrix_rate() -> float:
    """Measure the floating-point operations a second of a product of 1024x1024 matrices, one thread."""
    from digitlab.training.process import prepare_process

    prepare_process(1)
    import tensorflow as tf

    side = 1024
    matrix = tf.random.normal((side, side))
    seconds = []
    for _ in range(20):
        begin = time.perf_counter()
        tf.matmul(matrix, matrix).numpy()
        seconds.append(time.perf_counter() - begin)
    return 2 * side**3 / min(seconds)


def training_multiply_adds(recipe: Recipe) -> int:
    """Count those of one image: forward, by weights, and by inputs but for the first layer's."""
    model = recipe.model
    if isinstance(model, CNN):
        block = model.convolutions[0]
        first = block.kernel_size**2 * block.filters * block.convolved_side(IMAGE_SIDE) ** 2
    else:
        first = IMAGE_SIDE**2 * model.hidden[0]
    return 3 * cost(model).multiply_adds - first


def train(recipe: str, *, log: bool = False) -> tuple[float, str]:
    """Train two epochs in a process; give the seconds of the second, and what was printed."""
    environment = os.environ | ({"ONEDNN_VERBOSE": "profile_exec"} if log else {})
    done = subprocess.run(
        [sys.executable, "-c", TRAINING, recipe], capture_output=True, text=True, check=True, env=environment
    )
    return json.loads(done.stdout.splitlines()[-1]), done.stdout


def kernel_seconds(log: str) -> dict[Kernel, float]:
    """Add up the kernels of oneDNN's log, for one of its two epochs; scoring is left out by its batches."""
    seconds: defaultdict[Kernel, float] = defaultdict(float)
    for line in log.splitlines():
        fields = line.split(",")
        if not line.startswith("onednn_verbose") or "exec" not in fields:
            continue
        begin = fields.index("exec")
        kind, direction, shape = fields[begin + 2], fields[begin + 4], fields[-2]
        if "mb1000" not in shape and not shape.startswith("1000x"):
            name = kind if direction == "undef" else f"{kind}, {direction}"
            seconds[Kernel(name, shape)] += float(fields[-1]) / 1000 / 2
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


if __name__ == "__main__":
    main()
