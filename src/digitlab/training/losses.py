"""The loss and the squared error of each image, on any Keras backend."""

from __future__ import annotations

from typing import Any

import keras

from digitlab.spec.recipe import TrainingSpec

ops: Any = keras.ops  # Keras annotates many of its functions as if they returned None


def losses(spec: TrainingSpec, logits: Any, labels: Any, strength: Any) -> tuple[Any, Any]:
    """Compute each image's loss and squared error.

    Args:
        spec: training settings, of which the loss and the label smoothing are used.
        logits: outputs before the softmax, float32 [batch, classes].
        labels: classes, int32 [batch] in 0..classes - 1.
        strength: strength of label smoothing, 0..1.

    Returns:
        The loss that is minimized, and the mean squared error against one-hot, float32 [batch] each.
    """
    classes = logits.shape[1]
    errors = ops.softmax(logits) - ops.one_hot(labels, classes)
    squared_error = ops.mean(ops.square(errors), axis=1)
    if spec.loss == "mse":
        return squared_error, squared_error
    if spec.label_smoothing is None:
        return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True), squared_error
    spread = strength * spec.label_smoothing  # share of the target that goes to all classes evenly
    targets = ops.one_hot(labels, classes) * (1 - spread) + spread / classes
    return ops.categorical_crossentropy(targets, logits, from_logits=True), squared_error
