"""Parameters and operations of a network, counted from its spec without importing Keras."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from digitlab.spec.recipe import CLASSES, CNN, IMAGE_SIDE, MLP, ModelSpec, PythonModel
from digitlab.spec.trial import Trial

USUAL_WORK = 1_000_000
"""Multiply-adds of an image that a network whose size is not known yet is taken to need."""


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


def cost(model: ModelSpec, classes: int = CLASSES) -> Cost:
    """Count the parameters and multiply-adds of a network.

    Args:
        model: the network's spec.
        classes: number of outputs.

    Returns:
        The size; zeros for a network of a user's own function, whose size is known once it is built
        (`built_cost`).
    """
    if isinstance(model, PythonModel):
        return Cost(0, 0)
    if isinstance(model, MLP):
        return _dense_layers(IMAGE_SIDE**2, [*model.hidden, classes])
    total, shape = Cost(0, 0), _Maps(IMAGE_SIDE, 1)
    inputs = []  # shapes of each block's input
    for block in model.convolutions:
        inputs.append(shape)
        side = block.convolved_side(shape.side)
        total += _convolution(model, block.kernel_size, shape, block.filters, side)
        shape = _Maps(block.output_side(shape.side), block.filters)
        if block.residual is not None and inputs[-block.residual] != shape:
            total += _convolution(model, 1, inputs[-block.residual], block.filters, shape.side)
    pixels = 1 if model.global_pooling else shape.side**2
    return total + _dense_layers(pixels * shape.channels, [*model.dense, classes])


class _Maps(NamedTuple):
    """Shape of feature maps: the side of each in pixels, and their number."""

    side: int
    channels: int


def _convolution(model: CNN, kernel_size: int, maps: _Maps, filters: int, side: int) -> Cost:
    """Count a convolution with its biases, or the scales and offsets of its normalization.

    Args:
        model: the network's spec.
        kernel_size: side of the kernel in pixels.
        maps: shape of the input.
        filters: number of output maps.
        side: side of the output maps in pixels, before pooling.
    """
    weights = kernel_size**2 * maps.channels * filters
    offsets = filters  # a bias each
    if model.normalization:
        offsets = 2 * filters  # instead of the bias, a scale and an offset each
    return Cost(weights + offsets, weights * side**2)


def network_cost(model: ModelSpec, network: Any) -> Cost:
    """Count the parameters and multiply-adds of a network that is built.

    Args:
        model: the network's spec.
        network: the `keras.Model` that was built from it.
    """
    if isinstance(model, PythonModel):
        return built_cost(network)
    return cost(model, network.output_shape[-1])


def built_cost(network: Any) -> Cost:
    """Count the trained parameters of a `keras.Model`, and the multiply-adds of its kernels.

    Args:
        network: the built network; multiplications in layers without a kernel are not counted.
    """
    parameters = sum(prod(weight.shape) for weight in network.trainable_weights)
    return Cost(parameters, _multiply_adds(network))


def _multiply_adds(network: Any) -> int:
    total = 0
    for layer in network.layers:
        if hasattr(layer, "layers"):
            total += _multiply_adds(layer)  # a network in a network
            continue
        kernels = [weight for weight in layer.weights if "kernel" in weight.name]
        # Each weight of a kernel is used once at each position of the output maps.
        total += _positions(layer) * sum(prod(kernel.shape) for kernel in kernels)
    return total


def _positions(layer: Any) -> int:
    """Return the number of positions of a layer's output maps; 1 where its output is no single tensor."""
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError):  # several outputs, or called within another layer alone
        return 1
    return prod(size or 1 for size in shape[1:-1])


def epoch_work(trial: Trial) -> float:
    """Return the work of an epoch up to a factor: the multiply-adds of an image, or a guess.

    Args:
        trial: trial to train; a network of a user's own function counts as `USUAL_WORK`.
    """
    return float(cost(trial.model, trial.classes).multiply_adds or USUAL_WORK)


def _dense_layers(inputs: int, widths: Sequence[int]) -> Cost:
    """Count layers of these widths, the outputs last."""
    total = Cost(0, 0)
    for width in widths:
        total += Cost((inputs + 1) * width, inputs * width)
        inputs = width
    return total
