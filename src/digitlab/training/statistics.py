"""The statistics of batch normalization, taken anew over undisturbed images when training ends.

While a network trains, its normalizations see disturbed images, and weights that are not yet averaged. What
they remember of means and variances does not fit the network that is kept.

Source:
    Izmailov et al. 2018, Averaging Weights Leads to Wider Optima and Better Generalization, section 3.2.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

ops: Any = keras.ops  # whose annotations say None where they mean an array

IMAGES = 20_000
"""Images that are looked at; more change nothing that can be seen."""
_BATCH = 1000


def take_statistics(network: keras.Model, images: np.ndarray) -> None:
    """Take means and variances of each normalization, first to last, over images.

    Args:
        network: whose normalizations are changed.
        images: undisturbed, uint8 [n, 28, 28]; of more than `IMAGES` an even selection is taken.
    """
    chosen = images[:: -(-len(images) // IMAGES)]
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            before = keras.Model(network.input, layer.input)
            statistics: tuple[Any, ...] = (layer.moving_mean, layer.moving_variance)
            for remembered, taken in zip(statistics, _moments(before, chosen), strict=True):
                remembered.assign(taken)


def _moments(network: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each channel, [channels] each."""
    count, total, squares = 0, 0.0, 0.0
    for start in range(0, len(images), _BATCH):
        maps = ops.convert_to_numpy(network(images[start : start + _BATCH], training=False))
        values = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
        count += len(values)
        total += values.sum(axis=0)
        squares += (values**2).sum(axis=0)
    mean = np.asarray(total) / count
    return mean, np.asarray(squares) / count - mean**2
