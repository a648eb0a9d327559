"""Statistics of batch normalization, recomputed over images without augmentation when training ends.

During training, the normalizations see augmented images, and weights that are not averaged. The means and
variances that they accumulate do not fit the network that is kept.

Source:
    Izmailov et al. 2018, Averaging Weights Leads to Wider Optima and Better Generalization, section 3.2.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

ops: Any = keras.ops  # Keras annotates many of its functions as if they returned None

IMAGES = 20_000
"""Largest number of images used; more make no visible difference."""
_BATCH = 1000


def take_statistics(network: keras.Model, images: np.ndarray) -> None:
    """Recompute means and variances of each batch normalization, first to last, over images.

    Args:
        network: network whose normalizations are changed, in place.
        images: images without augmentation, uint8 [n, 28, 28]; more than `IMAGES` are thinned out evenly.
    """
    chosen = images[:: -(-len(images) // IMAGES)]
    # In this order, since each normalization changes the inputs of those after it.
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            before = keras.Model(network.input, layer.input)
            statistics: tuple[Any, ...] = (layer.moving_mean, layer.moving_variance)
            for remembered, taken in zip(statistics, _moments(before, chosen), strict=True):
                remembered.assign(taken)


def _moments(network: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and variance of each channel of a network's output, float64 [channels] each."""
    count, total, squares = 0, 0.0, 0.0
    for start in range(0, len(images), _BATCH):
        maps = ops.convert_to_numpy(network(images[start : start + _BATCH], training=False))
        values = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
        count += len(values)
        total += values.sum(axis=0)
        squares += (values**2).sum(axis=0)
    mean = np.asarray(total) / count
    return mean, np.asarray(squares) / count - mean**2
