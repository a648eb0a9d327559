"""Build the network that reads rows of digits."""

from __future__ import annotations

from typing import Any

import keras
from keras import KerasTensor, layers

from digitlab.models.parts import DropoutLayer, NormalizationLayer, Parts
from digitlab.spec.rows import ROW_CLASSES, RowModel, Stage

STATISTICS_KEPT = 0.99
"""Momentum of batch normalization: share of the running means and variances kept at each training step."""
FAINTEST = 1e-4
"""Epsilon added to the variance of a row's pixel values in 0..1, so that a row fainter than a hundredth of
full ink stays faint."""


def build_rows(
    spec: RowModel,
    initialization: int = 0,
    dropout: int = 0,
    dtype: str = "float32",
    dropout_layer: DropoutLayer = layers.Dropout,
    normalization_layer: NormalizationLayer = layers.BatchNormalization,
) -> keras.Model:
    """Build a network of standard Keras layers.

    Args:
        spec: the network's spec.
        initialization: seed of the initial weights.
        dropout: seed of the dropout masks.
        dtype: Keras dtype policy of all layers but the standardization of the row and the softmax.
        dropout_layer: factory of the dropout layers; a training engine may pass a faster one.
        normalization_layer: factory of the normalization layers; a training engine may pass a faster one.

    Returns:
        A model that maps rows, [batch, height, W] in 0..255, W any multiple of 16, to the probabilities of
        the symbols and the blank in each column, float32 [batch, W / 4, 12]. The same seeds produce the same
        weights.
    """
    maker = _Maker(spec, Parts(dtype, initialization, dropout, dropout_layer, normalization_layer))
    rows: Any = keras.Input((spec.height, None), name="rows")
    maps = maker.standardized(rows)
    for i, stage in enumerate(spec.stages, start=1):
        maps = maker.stage(maps, stage, i)
    features = maker.columns(maps)
    logits = maker.convolution(features, ROW_CLASSES, (1, 1), "logits", use_bias=True)
    columns = layers.Reshape((-1, ROW_CLASSES), dtype="float32", name="columns")(logits)
    probabilities = layers.Softmax(dtype="float32", name="probabilities")(columns)
    return keras.Model(rows, probabilities, name=spec.family)


class _Maker:
    """Factory of the layers of one network that reads rows."""

    def __init__(self, spec: RowModel, parts: Parts) -> None:
        self.spec = spec
        self.parts = parts

    def standardized(self, rows: KerasTensor) -> KerasTensor:
        """Standardize each row to mean 0 and variance 1, whatever its light: [batch, height, W, 1]."""
        pixels = layers.Rescaling(1 / 255, dtype="float32", name="rescaling")(rows)
        maps = layers.Reshape((self.spec.height, -1, 1), dtype="float32", name="one_channel")(pixels)
        axes: Any = [1, 2, 3]  # Keras takes a list here, though its annotation does not
        standardize = layers.LayerNormalization(
            axis=axes, epsilon=FAINTEST, center=False, scale=False, dtype="float32", name="standardized"
        )
        return standardize(maps)

    def stage(self, maps: KerasTensor, stage: Stage, number: int) -> KerasTensor:
        """Apply the convolutions of a stage, counted from 1, and its pooling."""
        first_residual = stage.convolutions - stage.residual + 1
        for i in range(1, stage.convolutions + 1):
            name = f"{number}_{i}"
            convolved = self.convolution(maps, stage.filters, (3, 3), f"convolution_{name}")
            added = self.normalized(convolved, name)
            if i >= first_residual:
                added = layers.Add(dtype=self.parts.dtype, name=f"sum_{name}")([maps, added])
            maps = layers.Activation("relu", dtype=self.parts.dtype, name=f"activation_{name}")(added)
        if stage.pool == (1, 1):
            return maps
        return layers.MaxPooling2D(stage.pool, dtype=self.parts.dtype, name=f"pool_{number}")(maps)

    def columns(self, maps: KerasTensor) -> KerasTensor:
        """Reduce the remaining rows of the maps to one by a convolution, and apply the blocks along it."""
        spec = self.spec
        dtype = self.parts.dtype
        # Without padding, a kernel as high as the maps leaves one row.
        convolved = self.convolution(maps, spec.width, (spec.rows_left, 1), "column", padding="valid")
        normalized = self.normalized(convolved, "column")
        line = layers.Activation("relu", dtype=dtype, name="activation_column")(normalized)
        line = self.parts.dropout(line, spec.dropout, "dropout_columns")
        for i, size in enumerate(spec.blocks, start=1):
            name = f"along_{i}"
            convolved = self.convolution(line, spec.width, (1, size), f"convolution_{name}")
            normalized = self.normalized(convolved, name)
            added = layers.Add(dtype=dtype, name=f"sum_{name}")([line, normalized])
            line = layers.Activation("relu", dtype=dtype, name=f"activation_{name}")(added)
        return self.parts.dropout(line, spec.dropout, "dropout_outputs")

    def convolution(
        self,
        maps: KerasTensor,
        filters: int,
        size: tuple[int, int],
        name: str,
        **options: Any,
    ) -> KerasTensor:
        """Add a convolution without activation."""
        settings = {"padding": "same", "use_bias": False, **options}
        return layers.Conv2D(
            filters,
            size,
            kernel_initializer=self.parts.initializer(),
            dtype=self.parts.dtype,
            name=name,
            **settings,
        )(maps)

    def normalized(self, maps: KerasTensor, name: str) -> KerasTensor:
        """Normalize each channel over the batch."""
        return self.parts.normalized(maps, STATISTICS_KEPT, f"normalization_{name}")
