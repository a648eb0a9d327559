"""Many seeds of one recipe, trained in one program on JAX."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from digitlab.data import load
from digitlab.data.naming import locate
from digitlab.errors import UserError
from digitlab.results.record import EpochRecord
from digitlab.spec.library import resolve_recipe
from digitlab.spec.plan import resolve_precision
from digitlab.spec.recipe import Recipe
from digitlab.spec.study import with_settings
from digitlab.training.process import jax_precision, prepare_jax
from digitlab.training.run import Run, Trained, plan_trial, training_part
from digitlab.training.seeds import child_seeds

OnEpochOfAll = Callable[[tuple[EpochRecord, ...]], None]


def train_seeds(
    recipe: str | Recipe,
    seeds: Sequence[int],
    *,
    settings: Mapping[str, Any] | None = None,
    data: str = "mnist",
    threads: int = 1,
    on_epoch: OnEpochOfAll | None = None,
) -> tuple[Trained, ...]:
    """Train the networks of many seeds together in this process; each as if trained alone, up to rounding.

    This is worthwhile on an accelerator, which one small network does not keep busy.

    Args:
        recipe: name of a recipe, its file, or the recipe itself.
        seeds: seeds of the trials, one or more.
        settings: changes to the recipe, by dotted path: `{"training.epochs": 5}`.
        data: name in the catalogue, or a folder.
        threads: number of threads where JAX computes on the processor.
        on_epoch: function called after each epoch with the record of each trial.

    Returns:
        Trained network and result of each seed, in the order given; the time is divided evenly among them.

    Raises:
        UserError: a recipe, setting, seed or data set is unknown or invalid.
        MissingExtraError: JAX is not installed.
        TrainingError: the loss or an output of a network became infinite or NaN.
    """
    if not seeds:
        raise UserError("seeds: expected one or more, received none; pass a list of integers")
    begin = time.perf_counter()
    asked = with_settings(resolve_recipe(recipe), dict(settings or {}), "setting")
    prepare_jax(threads)
    from digitlab.training.jax import JaxSeeds

    ready = resolve_precision(asked, jax_precision())
    dataset = load(data)
    place = locate(data)
    trials = [plan_trial(ready, place, dataset, seed, threads) for seed in seeds]
    children = [child_seeds(trial.seed) for trial in trials]
    # Generated images depend on the seed; without them all trials share the same arrays.
    own = ready.training.augmentation is not None and ready.training.augmentation.generates
    parts = [training_part(trial, dataset) for trial in (trials if own else trials[:1])]
    images, labels = zip(*(parts if own else parts * len(trials)), strict=True)
    together = JaxSeeds(trials, children, images, labels)
    share = (time.perf_counter() - begin) / len(trials)
    scored = zip(trials, together.networks, strict=True)
    runs = [Run(trial, network, len(labels[0]), dataset) for trial, network in scored]
    orders = [np.random.default_rng(child.order) for child in children]
    for _ in range(ready.training.epochs):
        _one_epoch(together, runs, [order.permutation(len(labels[0])).astype(np.int32) for order in orders])
        if on_epoch:
            on_epoch(tuple(run.history[-1] for run in runs))
    return tuple(Trained(run.network.network(), run.result(share)) for run in runs)


def _one_epoch(together: Any, runs: Sequence[Run], orders: Sequence[np.ndarray]) -> None:
    begin = time.perf_counter()
    totals = together.run_epoch(orders)
    share = (time.perf_counter() - begin) / len(runs)
    for run, each in zip(runs, totals, strict=True):
        run.score(each, share)
