"""Schedules over the steps of a training: of its learning rate, augmentation and label smoothing."""

from __future__ import annotations

from typing import Any

import keras

from digitlab.spec.recipe import TrainingSpec

ops: Any = keras.ops  # Keras annotates many of its functions as if they returned None

WARM_UP = 0.25
"""Share of the steps, the first ones, over which a one-cycle schedule rises."""
FIRST_RATE = 0.04
"""Share of the peak learning rate at which a one-cycle schedule begins."""


def learning_rate(spec: TrainingSpec, steps: int) -> Any:
    """Return the learning rate: a constant, or a Keras schedule that ends at 0 after `steps` steps.

    `cosine` falls along half a cosine (Loshchilov and Hutter 2017); `one-cycle` rises linearly over the first
    quarter of the steps and then falls along half a cosine (after Smith 2018).
    """
    if spec.schedule is None:
        return spec.learning_rate
    if spec.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(spec.learning_rate, max(steps, 1))
    return one_cycle(spec.learning_rate, steps)


def one_cycle(peak: float, steps: int) -> Any:
    """Return a Keras schedule that rises linearly to `peak` and then falls along half a cosine to 0."""
    rising = max(round(WARM_UP * steps), 1)
    return keras.optimizers.schedules.CosineDecay(
        FIRST_RATE * peak, max(steps - rising, 1), warmup_target=peak, warmup_steps=rising
    )


def regularization_strength(spec: TrainingSpec, step: Any, steps: int) -> Any:
    """Return the strength of augmentation and label smoothing, 0..1: it is 1, then falls linearly to 0.

    Args:
        spec: training settings; `fade` is the share of the steps, the last ones, over which it falls.
        step: number of steps done so far.
        steps: number of steps of the whole training.
    """
    if not spec.fade:
        return 1.0
    left = 1 - ops.cast(step, "float32") / max(steps, 1)
    return ops.clip(left / spec.fade, 0.0, 1.0)
