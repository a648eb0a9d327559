"""Statistics of batch normalization, recomputed over images without augmentation when training ends.

During training, the normalizations see augmented images, and weights that are not averaged. The means and
variances that they accumulate do not fit the network that is kept.

Source:
    Izmailov et al. 2018, Averaging Weights Leads to Wider Optima and Better Generalization, section 3.2.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

ops: Any = keras.ops  # Keras annotates many of its functions as if they returned None

IMAGES = 20_000
"""Largest number of images used; more make no visible difference."""
_BATCH = 1000


def recalibrate_batchnorm(network: keras.Model, images: np.ndarray) -> None:
    """Recompute means and variances of each batch normalization, first to last, over images.

    Args:
        network: network whose normalizations are changed, in place.
        images: images without augmentation, uint8 [n, 28, 28]; more than `IMAGES` are thinned out evenly.
    """
    stride = math.ceil(len(images) / IMAGES)
    chosen = images[::stride]
    # In this order, since each normalization changes the inputs of those after it.
    for layer in network.layers:
        if not isinstance(layer, keras.layers.BatchNormalization):
            continue
        layers_before = keras.Model(network.input, layer.input)
        mean, variance = _moments(layers_before, chosen)
        moving_mean: Any = layer.moving_mean
        moving_variance: Any = layer.moving_variance
        moving_mean.assign(mean)
        moving_variance.assign(variance)


def _moments(network: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean and variance of each channel of a network's output, float64 [channels] each."""
    # Sums over batches, since the feature maps of all images at once would take gigabytes.
    count = 0
    total = 0.0
    squares = 0.0
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        maps = ops.convert_to_numpy(network(batch, training=False))
        values = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
        count += len(values)
        total += values.sum(axis=0)
        squares += (values**2).sum(axis=0)
    mean = np.asarray(total) / count
    variance = np.asarray(squares) / count - mean**2  # float64, in which the difference is exact enough
    return mean, variance
