"""Layers shared by the families of networks: seeded, and of one dtype policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from keras import KerasTensor, initializers, layers


class DropoutLayer(Protocol):
    """Factory of dropout layers, such as `keras.layers.Dropout`."""

    def __call__(self, rate: float, *, seed: int, dtype: str, name: str) -> Any:
        """Create a layer.

        Args:
            rate: share of the inputs to drop in training, 0..1.
            seed: seed of the dropout masks.
            dtype: Keras dtype policy.
            name: the layer's name.
        """
        ...


class NormalizationLayer(Protocol):
    """Factory of layers that normalize channels over a batch, such as `keras.layers.BatchNormalization`."""

    def __call__(self, *, momentum: float, dtype: str, name: str) -> Any:
        """Create a layer.

        Args:
            momentum: share of the running statistics kept at each training step, 0..1.
            dtype: Keras dtype policy.
            name: the layer's name.
        """
        ...


class Parts:
    """Factory of the layers of one network, each with its own seed and all of one dtype policy.

    Args:
        dtype: Keras dtype policy: `float32` or `mixed_bfloat16`.
        initialization: seed of the initial weights.
        dropout: seed of the dropout masks.
        dropout_layer: factory of the dropout layers.
        normalization_layer: factory of the normalization layers.
    """

    def __init__(
        self,
        dtype: str,
        initialization: int,
        dropout: int,
        dropout_layer: DropoutLayer = layers.Dropout,
        normalization_layer: NormalizationLayer = layers.BatchNormalization,
    ) -> None:
        self.dtype = dtype
        self.dropout_layer = dropout_layer
        self.normalization_layer = normalization_layer
        self._initialization = np.random.default_rng(initialization)
        self._dropout = np.random.default_rng(dropout)

    def initializer(self) -> Any:  # Any: Keras's annotations accept only names of initializers
        """Create the next layer's initializer (Glorot and Bengio 2010, Keras's default)."""
        return initializers.GlorotUniform(seed=_draw(self._initialization))

    def dropout(self, inputs: KerasTensor, rate: float, name: str) -> KerasTensor:
        """Add a dropout layer with a rate in 0..1; a rate of 0 adds none."""
        if rate == 0:
            return inputs
        layer = self.dropout_layer(rate, seed=_draw(self._dropout), dtype=self.dtype, name=name)
        return layer(inputs)

    def normalized(self, maps: KerasTensor, momentum: float, name: str) -> KerasTensor:
        """Normalize each channel over the batch.

        Args:
            maps: feature maps, [batch, rows, columns, channels].
            momentum: share of the running statistics kept at each training step, 0..1.
            name: the layer's name.
        """
        return self.normalization_layer(momentum=momentum, dtype=self.dtype, name=name)(maps)

    def dense_layers(
        self, features: KerasTensor, widths: Sequence[int], activation: str, dropout: float
    ) -> KerasTensor:
        """Stack dense layers, each followed by dropout.

        Args:
            features: inputs of the first layer, [batch, inputs].
            widths: number of neurons of each layer.
            activation: activation of each layer.
            dropout: dropout rate after each layer, 0..1.

        Returns:
            Output of the last layer, [batch, widths[-1]].
        """
        for i, width in enumerate(widths, start=1):
            layer = self.dense(width, f"dense_{i}", activation)
            features = self.dropout(layer(features), dropout, name=f"dense_{i}_dropout")
        return features

    def dense(self, width: int, name: str, activation: str | None = None) -> layers.Dense:
        """Create a dense layer of `width` neurons."""
        return layers.Dense(
            width,
            activation=activation,
            kernel_initializer=self.initializer(),
            dtype=self.dtype,
            name=name,
        )


def layer_seeds(seed: int, count: int) -> list[int]:
    """Return the seeds that the first layers of a network draw, in the order in which they are added.

    Args:
        seed: seed of the network's initial weights, or of its dropout masks.
        count: number of layers.
    """
    generator = np.random.default_rng(seed)
    return [_draw(generator) for _ in range(count)]


def _draw(generator: np.random.Generator) -> int:
    """Draw a layer's seed; in the order in which the layers are added, which decides the weights."""
    return int(generator.integers(2**31 - 1))
