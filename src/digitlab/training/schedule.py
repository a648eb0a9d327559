"""What changes with the steps of a training: its learning rate, and how strongly it disturbs its examples."""

from __future__ import annotations

from typing import Any

import keras

from digitlab.spec.recipe import TrainingSpec

ops: Any = keras.ops  # whose annotations say None where they mean an array

WARM_UP = 0.25
FIRST_RATE = 0.04
"""A one-cycle schedule rises from this share of the learning rate over the first quarter of its steps."""


def learning_rate(spec: TrainingSpec, steps: int) -> Any:
    """Give the learning rate: a constant, or a Keras schedule that ends at 0 after `steps` steps.

    `cosine` falls along half a cosine (Loshchilov and Hutter 2017); `one-cycle` rises evenly over the first
    quarter of the steps and then falls so (after Smith 2018).
    """
    if spec.schedule is None:
        return spec.learning_rate
    if spec.schedule == "cosine":
        return keras.optimizers.schedules.CosineDecay(spec.learning_rate, max(steps, 1))
    return one_cycle(spec.learning_rate, steps)


def one_cycle(peak: float, steps: int) -> Any:
    """Give a Keras schedule that rises evenly to `peak` and then falls along half a cosine to 0."""
    rising = max(round(WARM_UP * steps), 1)
    return keras.optimizers.schedules.CosineDecay(
        FIRST_RATE * peak, max(steps - rising, 1), warmup_target=peak, warmup_steps=rising
    )


def disturbance(spec: TrainingSpec, step: Any, steps: int) -> Any:
    """Give the strength of augmentation and label smoothing, 0..1: whole, then falling evenly to nothing.

    Args:
        spec: how the network is trained; `fade` is the share of the steps over which it falls.
        step: steps done so far.
        steps: of the whole training.
    """
    if not spec.fade:
        return 1.0
    left = 1 - ops.cast(step, "float32") / max(steps, 1)
    return ops.clip(left / spec.fade, 0.0, 1.0)
