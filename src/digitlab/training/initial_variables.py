"""Initial values of a training's variables: those that every seed shares, and those that a seed decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from digitlab.models.parts import layer_seeds
from digitlab.training.augment import Augmenter
from digitlab.training.seeds import ChildSeeds


class _Seeded(NamedTuple):
    """A variable whose initial value follows from the layer's seed: the position of it among all drawn."""

    variable: Any
    position: int
    layer: Any


class InitialVariables:
    """The variables of a training, which can be set to what a fresh training of another seed begins with.

    Args:
        network: network in training, of one of digitlab's own families.
        optimizer: variables of its optimizer.
        augmenter: augmentation of the images; None if there is none.
        seeds: child seeds of the trial that the variables were made for.
    """

    def __init__(
        self, network: keras.Model, optimizer: Sequence[Any], augmenter: Augmenter | None, seeds: ChildSeeds
    ) -> None:
        layers: list[Any] = list(network.layers)
        kernels = [layer for layer in layers if hasattr(layer, "kernel_initializer")]
        dropouts = [layer for layer in layers if hasattr(layer, "seed_generator")]
        kernel_seeds = layer_seeds(seeds.initialization, len(kernels))
        dropout_seeds = layer_seeds(seeds.dropout, len(dropouts))
        self._kernels = []
        for layer in kernels:
            seed = layer.kernel_initializer.seed
            # Layers of a user's own function draw their seeds otherwise; they are never set back.
            position = kernel_seeds.index(seed) if seed in kernel_seeds else -1
            self._kernels.append(_Seeded(layer.kernel, position, layer))
        self._dropouts = []
        for layer in dropouts:
            state = layer.seed_generator.state
            seed = int(np.asarray(state.value)[0])
            position = dropout_seeds.index(seed) if seed in dropout_seeds else -1
            self._dropouts.append(_Seeded(state, position, layer))
        self._augmenter = augmenter
        seeded = {id(item.variable) for item in (*self._kernels, *self._dropouts)}
        self._others: list[tuple[Any, np.ndarray]] = []
        for variable in (*network.weights, *optimizer):
            if id(variable) not in seeded:
                self._others.append((variable, np.asarray(variable.value).copy()))

    @property
    def can_be_restored(self) -> bool:
        """Whether each layer's seed is known to follow from the trial's."""
        return all(item.position >= 0 for item in (*self._kernels, *self._dropouts))

    def restore(self, seeds: ChildSeeds) -> None:
        """Set all variables to what a fresh training with these seeds begins with."""
        for variable, value in self._others:
            variable.assign(value)
        kernel_seeds = layer_seeds(seeds.initialization, len(self._kernels))
        for kernel, position, layer in self._kernels:
            kind = type(layer.kernel_initializer)
            config = {**layer.kernel_initializer.get_config(), "seed": kernel_seeds[position]}
            kernel.assign(kind.from_config(config)(kernel.shape, dtype=kernel.dtype))
        dropout_seeds = layer_seeds(seeds.dropout, len(self._dropouts))
        for state, position, _ in self._dropouts:
            state.assign(keras.random.SeedGenerator(dropout_seeds[position]).state)
        if self._augmenter is not None:
            self._augmenter.restart(seeds.augmentation)
