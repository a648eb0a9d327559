"""Where the time of a training goes: `python benchmarks/kernels.py RECIPE...`, one thread.

A process trains as it is, and another with oneDNN's log of its kernels. What the kernels do not
take is elementwise operations and the graph's own steps. The arithmetic of an epoch (three times the
multiply-adds of classifying, but for the first layer, whose input needs no gradient) over its seconds is
compared with the fastest matrix product of this machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import defaultdict
from typing import NamedTuple

from command import run
from epochs import IMAGES, epoch_case, time_epoch
from precision import product_rate

from digitlab.models.costs import cost
from digitlab.spec.library import resolve_recipe
from digitlab.spec.recipe import CNN, IMAGE_SIDE, MLP, Recipe
from digitlab.training.process import prepare_process

TRAINING = """
import sys
from digitlab.spec import Recipe
from digitlab.training import train

train(Recipe.from_json(sys.argv[1]), settings={"training.epochs": 2})
"""
SIDE = 1024
"""Of the matrices whose product is the fastest."""


class Kernel(NamedTuple):
    """A kind of work in oneDNN's log: `convolution, backward_data`."""

    name: str
    shape: str


def main() -> None:
    """Print a table of each recipe."""
    parser = argparse.ArgumentParser(description="Where the time of a training goes.")
    parser.add_argument("recipes", nargs="+")
    recipes = [resolve_recipe(name) for name in parser.parse_args().recipes]
    prepare_process(1)
    rate = 1e9 * max(product_rate(SIDE, SIDE, SIDE, False, "float32") for _ in range(3))
    print(f"fastest matrix product: {rate / 1e9:.0f} GFLOP/s of one thread")
    for recipe in recipes:
        seconds = time_epoch(epoch_case(recipe.name, recipe, 3, "1"))["seconds"]
        arithmetic = 2 * IMAGES * training_multiply_adds(recipe)
        share = arithmetic / seconds / rate
        print(f"\n{recipe.name}: {seconds:.2f} s an epoch, {arithmetic / 1e9:.0f} GFLOP, {share:.0%} of it")
        kernels = kernel_seconds(kernel_log(recipe))
        for kernel, taken in list(kernels.items())[:12]:
            print(f"{taken:7.3f} s  {kernel.name:32} {kernel.shape}")
        logged = sum(kernels.values())
        print(f"{logged:7.3f} s  all kernels")
        print(f"{seconds - logged:7.3f} s  the rest: elementwise operations, the optimizer, the graph")


def training_multiply_adds(recipe: Recipe) -> int:
    """Count those of one image: forward, by weights, and by inputs but for the first layer's."""
    model = recipe.model
    if isinstance(model, CNN):
        block = model.convolutions[0]
        first = block.kernel_size**2 * block.filters * block.convolved_side(IMAGE_SIDE) ** 2
    elif isinstance(model, MLP):
        first = IMAGE_SIDE**2 * model.hidden[0]
    else:
        raise SystemExit(f"recipe {recipe.name}: expected a network of the family mlp or cnn")
    return 3 * cost(model).multiply_adds - first


def kernel_log(recipe: Recipe) -> str:
    """Train two epochs in a process whose oneDNN says each kernel and its time."""
    environment = os.environ | {"ONEDNN_VERBOSE": "profile_exec"}
    command = [sys.executable, "-c", TRAINING, recipe.to_json()]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def kernel_seconds(log: str) -> dict[Kernel, float]:
    """Add up the kernels of oneDNN's log, for one of its two epochs; scoring is left out by its batches."""
    seconds: defaultdict[Kernel, float] = defaultdict(float)
    for line in log.splitlines():
        fields = line.split(",")
        if not line.startswith("onednn_verbose") or "exec" not in fields:
            continue
        begin = fields.index("exec")  # the fields before it depend on oneDNN's version
        kind, direction, shape = fields[begin + 2], fields[begin + 4], fields[-2]
        if "mb1000" in shape or shape.startswith("1000x"):  # networks are scored in batches of 1000
            continue
        name = kind if direction == "undef" else f"{kind}, {direction}"
        milliseconds = float(fields[-1])
        seconds[Kernel(name, shape)] += milliseconds / 1000 / 2
    return dict(sorted(seconds.items(), key=lambda item: -item[1]))


if __name__ == "__main__":
    run(main)
