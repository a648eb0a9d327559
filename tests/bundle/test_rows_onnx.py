"""A reader of rows, written to ONNX and run by ONNX Runtime, reads as in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digitlab.bundle.onnx_export import rows_to_onnx
from digitlab.bundle.rows_runtime import rows_with
from digitlab.spec.rows import RowModel, Stage
from digitlab.training.process import prepare_process

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to import

HEIGHT = 32
TINY = RowModel(
    stages=(Stage(filters=4), Stage(filters=8, convolutions=2, residual=1), Stage(filters=8, pool=(2, 1))),
    width=8,
    blocks=(3, 4),
    dropout=0.1,
)


@pytest.fixture(scope="module")
def keras() -> Any:
    prepare_process(threads=1)
    import keras

    return keras


def read(model: Any, rows: np.ndarray) -> np.ndarray:
    return rows_with(rows_to_onnx(model, HEIGHT).SerializeToString(), HEIGHT)(rows)


def faint_writing(width: int) -> np.ndarray:
    """Rows of pale ink on light paper, uint8 [8, 32, width]."""
    random = np.random.default_rng(0)
    paper = random.uniform(90, 220, (8, 1, 1))
    return (paper + random.normal(0, 3, (8, HEIGHT, width))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("width", [32, 144, 1024])
def test_a_reader_whose_normalization_has_learnt_answers_as_in_keras(keras: Any, width: int) -> None:
    from digitlab.models.rows import build_rows

    keras.utils.set_random_seed(0)
    model = build_rows(TINY)
    random = np.random.default_rng(0)
    for weight in model.weights:
        if len(weight.shape) == 1:  # scales of either sign, offsets, means and variances
            positive = "variance" in weight.path
            weight.assign(random.uniform(0.5, 2, weight.shape) * (1 if positive else random.choice([-1, 1])))
    rows = np.concatenate([random.integers(0, 256, (3, HEIGHT, width), np.uint8), faint_writing(width)])
    expected = np.asarray(model(rows.astype(np.float32), training=False))
    assert abs(read(model, rows) - expected).max() < 1e-4


def test_the_mean_of_faint_writing_is_exact(keras: Any) -> None:
    width = 224
    layers = keras.layers
    taken = keras.Input((HEIGHT, None), name="rows")
    pixels = layers.Rescaling(1 / 255, name="rescaling")(taken)
    maps = layers.Reshape((HEIGHT, -1, 1), name="one_channel")(pixels)
    standardized = layers.LayerNormalization(axis=[1, 2, 3], epsilon=1e-4, center=False, scale=False)(maps)
    logits = layers.Conv2D(12, (HEIGHT, 1), use_bias=False, name="logits")(standardized)
    columns = layers.Reshape((-1, 12), name="columns")(logits)
    model = keras.Model(taken, layers.Softmax()(columns))
    kernel = np.zeros((HEIGHT, 1, 1, 12))
    kernel[..., 0] = 1  # the first of twelve logits is the sum of a column
    model.get_layer("logits").set_weights([kernel])

    rows = faint_writing(width)
    grey = rows / 255
    scale = np.sqrt(grey.var(axis=(1, 2), keepdims=True) + 1e-4)
    sums = ((grey - grey.mean(axis=(1, 2), keepdims=True)) / scale).sum(axis=1)
    answers = read(model, rows)[..., :2].astype(np.float64)
    assert abs(np.log(answers[..., 0] / answers[..., 1]) - sums).max() < 1e-3
