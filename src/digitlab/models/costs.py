"""Parameters and operations of a network, counted from its spec without importing Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from digitlab.spec.recipe import CLASSES, IMAGE_SIDE, MLP, ModelSpec


class Cost(NamedTuple):
    """The size of a network.

    Attributes:
        parameters: number of trained weights, biases, and scales and offsets of normalization.
        multiply_adds: number of multiplications, each with its addition, to classify one image; biases,
            activations and pooling are not counted.
    """

    parameters: int
    multiply_adds: int

    def __add__(self, other: object) -> Cost:
        """Add the cost of further layers."""
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(self.parameters + other.parameters, self.multiply_adds + other.multiply_adds)


def cost(model: ModelSpec) -> Cost:
    """Count the parameters and multiply-adds of a network.

    Args:
        model: the network's spec.
    """
    if isinstance(model, MLP):
        return _dense_layers(IMAGE_SIDE**2, model.hidden)
    total = Cost(0, 0)
    side = IMAGE_SIDE
    channels = 1
    for block in model.convolutions:
        weights = block.kernel_size**2 * channels * block.filters
        offsets = block.filters  # a bias each
        if model.normalization:
            offsets = 2 * block.filters  # instead of the bias, a scale and an offset each
        positions = block.convolved_side(side) ** 2  # all weights are used at each of them
        total += Cost(weights + offsets, weights * positions)
        side = block.output_side(side)
        channels = block.filters
    return total + _dense_layers(side**2 * channels, model.dense)


def _dense_layers(inputs: int, widths: Sequence[int]) -> Cost:
    total = Cost(0, 0)
    for width in (*widths, CLASSES):
        total += Cost((inputs + 1) * width, inputs * width)
        inputs = width
    return total
