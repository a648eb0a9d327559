"""What training minimizes and counts, for each image, on any Keras backend."""

from __future__ import annotations

from typing import Any

import keras

from digitlab.spec.recipe import CLASSES, TrainingSpec

ops: Any = keras.ops  # whose annotations say None where they mean an array


def losses(spec: TrainingSpec, logits: Any, labels: Any, strength: Any) -> tuple[Any, Any]:
    """Give each image's loss and squared error.

    Args:
        spec: how the network is trained.
        logits: float32 [batch, 10].
        labels: int32 [batch] in 0..9.
        strength: of label smoothing, 0..1.

    Returns:
        What is minimized, and the mean squared error against one-hot, float32 [batch] each.
    """
    errors = ops.softmax(logits) - ops.one_hot(labels, CLASSES)
    squared_error = ops.mean(ops.square(errors), axis=1)
    if spec.loss == "mse":
        return squared_error, squared_error
    if spec.label_smoothing is None:
        return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True), squared_error
    spread = strength * spec.label_smoothing
    targets = ops.one_hot(labels, CLASSES) * (1 - spread) + spread / CLASSES
    return ops.categorical_crossentropy(targets, logits, from_logits=True), squared_error
