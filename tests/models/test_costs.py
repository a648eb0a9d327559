"""What a network costs."""

from __future__ import annotations

import pytest

from digitlab.models.costs import cost
from digitlab.spec import CNN, MLP, Convolution, resolve_recipe


def test_the_cost_of_an_mlp_is_counted_by_hand() -> None:
    assert cost(MLP(hidden=(128,))) == (784 * 128 + 128 + 128 * 10 + 10, 784 * 128 + 128 * 10)


def test_the_cost_of_a_cnn_is_counted_by_hand() -> None:
    model = CNN(convolutions=(Convolution(filters=8, kernel_size=3),), dense=(128,))
    weights, flat = 3 * 3 * 8, 13 * 13 * 8
    assert cost(model).parameters == weights + 8 + flat * 128 + 128 + 1280 + 10
    assert cost(model).multiply_adds == weights * 26 * 26 + flat * 128 + 1280


def test_a_network_without_hidden_layers_is_softmax_regression() -> None:
    assert cost(MLP(hidden=())) == (7850, 7840)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        *(resolve_recipe(name).model for name in ("mlp", "cnn", "deep-cnn", "lenet-5", "resnet")),
        MLP(hidden=(), dropout=0.5),
        MLP(hidden=(3, 5, 7), dropout=0.5, activation="tanh"),
        CNN(
            convolutions=(
                Convolution(filters=3, kernel_size=4, padding="same", pool=3),
                Convolution(filters=5, kernel_size=9, pool=1),
            ),
            dense=(),
        ),
        CNN(
            convolutions=(
                Convolution(filters=3, kernel_size=5, pool=1, stride=2),
                Convolution(filters=5, kernel_size=4, padding="same", stride=3),
            ),
            normalization="batch",
        ),
        CNN(
            convolutions=(
                Convolution(filters=3, kernel_size=5, pooling="average"),
                Convolution(filters=4, kernel_size=3, padding="same", pool=1, stride=2),
                Convolution(filters=4, kernel_size=3, padding="same", pool=1, stride=3, residual=2),
                Convolution(filters=4, kernel_size=3, padding="same", pool=1, residual=1),
            ),
            global_pooling="max",
        ),
    ],
)
def test_counts_from_the_spec_equal_those_of_keras(model: MLP | CNN) -> None:
    from digitlab.training.process import prepare_process

    prepare_process(1)
    from digitlab.models import build

    counted = sum(weight.value.shape.num_elements() for weight in build(model).trainable_weights)
    assert counted == cost(model).parameters
