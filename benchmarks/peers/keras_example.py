"""Keras's own example "Simple MNIST convnet": Adam at its defaults, batches of 128, 15 epochs.

Its validation part is set aside as the example does it, the last tenth of the training images; the pass over
it after each epoch, which changes nothing, is left out of the clock in the peer's favour. So is the
tracing of the graph, which is done beforehand on a batch whose step is undone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from contract import CLASSES, Clock, Order, read_order

BATCH_SIZE = 128
VALIDATION = 0.1


def network(keras: Any) -> Any:
    """Build and compile the example's network."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(CLASSES, activation="softmax", dtype="float32"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def trace(model: Any, images: np.ndarray, targets: np.ndarray) -> None:
    """Trace the training step on one batch, and undo the step."""
    model.optimizer.build(model.trainable_variables)
    state = [*model.variables, *model.optimizer.variables]
    before = [variable.numpy() for variable in state]
    model.fit(images[:BATCH_SIZE], targets[:BATCH_SIZE], batch_size=BATCH_SIZE, verbose=0)
    for variable, value in zip(state, before, strict=True):
        variable.assign(value)


def train(order: Order, clock: Clock) -> None:
    import keras

    clock.part("import")
    keras.utils.set_random_seed(order.seed)
    keras.config.set_dtype_policy(order.precision)
    digits = order.digits
    kept = round(len(digits.y_train) * (1 - VALIDATION))
    images = (digits.x_train[:kept].astype(np.float32) / 255)[..., None]
    targets = np.eye(CLASSES, dtype=np.float32)[digits.y_train[:kept]]
    tests = (digits.x_test.astype(np.float32) / 255)[..., None]
    clock.restart()
    model = network(keras)
    trace(model, images, targets)
    clock.part("compile")

    def score(epoch: int, _logs: Any) -> None:
        clock.pause()
        answers = model.predict(tests, batch_size=1000, verbose=0).argmax(axis=1)
        clock.epoch(epoch + 1, float((answers == digits.y_test).mean()))

    scoring = keras.callbacks.LambdaCallback(on_epoch_end=score)
    model.fit(images, targets, batch_size=BATCH_SIZE, epochs=order.epochs, verbose=0, callbacks=[scoring])


def main() -> None:
    order = read_order(__doc__ or "", epochs=15)
    clock = Clock()
    train(order, clock)
    clock.report("keras")


if __name__ == "__main__":
    main()
