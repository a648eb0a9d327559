"""Schedules of the learning rate, weight decay and the running mean of weights."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from digitlab.spec.recipe import MLP, TrainingSpec

pytestmark = pytest.mark.slow  # TensorFlow takes seconds to import


@pytest.fixture(scope="module")
def optimizers() -> Any:
    from digitlab.training.process import prepare_process

    prepare_process(1)
    from digitlab.training import optimizers

    return optimizers


def rates(optimizers: Any, schedule: str | None, steps: int) -> list[float]:
    values = {"schedule": schedule} if schedule else {}
    rate: Any = optimizers.learning_rate(
        TrainingSpec.from_values({"learning_rate": 0.01, **values}, "test"), steps
    )
    if not schedule:
        return [rate] * (steps + 1)
    return [float(rate(step)) for step in range(steps + 1)]


def test_without_a_schedule_the_learning_rate_is_constant(optimizers) -> None:
    assert set(rates(optimizers, None, 10)) == {0.01}


def test_a_cosine_falls_from_the_learning_rate_to_zero(optimizers) -> None:
    falling = rates(optimizers, "cosine", 100)
    assert falling[0] == pytest.approx(0.01)
    assert falling[50] == pytest.approx(0.005, rel=0.01)
    assert falling[100] == pytest.approx(0, abs=1e-6)
    assert (np.diff(falling) < 0).all()


def test_one_cycle_rises_over_a_quarter_and_then_falls_to_zero(optimizers) -> None:
    cycle = rates(optimizers, "one-cycle", 100)
    assert cycle[0] == pytest.approx(0.04 * 0.01)
    assert int(np.argmax(cycle)) == 25
    assert max(cycle) == pytest.approx(0.01)
    assert cycle[100] == pytest.approx(0, abs=1e-6)


def test_weight_decay_spares_biases(optimizers) -> None:
    import keras

    layer: Any = keras.layers.Dense(2)
    layer.build((None, 3))
    layer.bias.assign([1.0, 1.0])
    before = layer.kernel.numpy()
    optimizer = optimizers.make_optimizer(
        TrainingSpec(optimizer="sgd", weight_decay=0.5, learning_rate=0.1), 1
    )
    optimizer.build(layer.trainable_variables)
    zeros = [keras.ops.zeros_like(each) for each in layer.trainable_variables]
    optimizer.apply(zeros, layer.trainable_variables)
    np.testing.assert_allclose(layer.kernel.numpy(), before * 0.95, rtol=1e-6)
    np.testing.assert_allclose(layer.bias.numpy(), [1, 1])


def test_the_fused_adam_steps_as_that_of_keras(optimizers) -> None:
    import keras

    from digitlab.training.fused_adam import FusedAdam

    spec = TrainingSpec(learning_rate=0.01, schedule="one-cycle", weight_decay=0.1)
    start = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    weights = []
    for adam in (keras.optimizers.Adam, FusedAdam):
        weight: Any = keras.Variable(start)
        optimizer = optimizers.make_optimizer(spec, 20, adam)
        optimizer.build([weight])
        chance = np.random.default_rng(1)
        for _ in range(20):
            optimizer.apply([keras.ops.convert_to_tensor(chance.normal(size=(5, 3)), "float32")], [weight])
        weights.append(weight.numpy())
    assert np.abs(weights[0] - start).max() > 0.05
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-5, atol=1e-6)


def test_the_average_follows_the_weights_quickly_at_first_and_slowly_later(optimizers) -> None:
    import keras

    weight: Any = keras.Variable(np.zeros(1, np.float32))
    average = optimizers.WeightAverage([weight], 0.9)
    weight.assign([1.0])
    average.update(1)
    assert float(average.means[0][0]) == pytest.approx(1 - 2 / 11)
    weight.assign([0.0])
    average.update(1000)
    assert float(average.means[0][0]) == pytest.approx(0.9 * (1 - 2 / 11))


@pytest.mark.parametrize("name", get_args(TrainingSpec.model_fields["optimizer"].annotation))
def test_every_optimizer_goes_downhill(optimizers, name: Any) -> None:
    import keras

    weight: Any = keras.Variable(np.full((4, 3), 0.5, np.float32), name="kernel")
    optimizer = optimizers.make_optimizer(TrainingSpec(optimizer=name, learning_rate=0.01), 20)
    optimizer.build([weight])
    for _ in range(20):
        optimizer.apply([2 * weight.value], [weight])  # gradient of the squares' sum
    assert np.abs(weight.numpy()).max() < 0.49


def test_momentum_and_decay_are_those_of_the_spec(optimizers) -> None:
    sgd = optimizers.make_optimizer(TrainingSpec(optimizer="sgd", momentum=0.9, nesterov=True), 1)
    assert (sgd.momentum, sgd.nesterov, sgd.weight_decay) == (0.9, True, None)
    plain = optimizers.make_optimizer(TrainingSpec(optimizer="sgd"), 1)
    assert (plain.momentum, plain.nesterov) == (0.0, False)
    assert optimizers.make_optimizer(TrainingSpec(optimizer="adamw"), 1).weight_decay == 0.004
    decayed = optimizers.make_optimizer(TrainingSpec(optimizer="adamw", weight_decay=0.1), 1)
    assert decayed.weight_decay == 0.1


def test_muon_leaves_the_last_layer_and_the_biases_to_adamw(optimizers) -> None:
    from digitlab.models import build

    network = build(MLP(hidden=(8,)))
    muon = optimizers.make_optimizer(TrainingSpec(optimizer="muon"), 1)
    muon.build(network.trainable_variables)
    pairs = zip(network.trainable_variables, muon.adam_velocities, strict=True)
    assert [variable.path for variable, velocity in pairs if velocity is None] == ["dense_1/kernel"]
