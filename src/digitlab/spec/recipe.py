"""A recipe: a model spec and a training spec under a name."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from digitlab.spec.base import Spec
from digitlab.spec.fields import Items, Name, Real, Whole

IMAGE_SIDE = 28
CLASSES = 10

Activation = Literal["relu", "tanh", "sigmoid", "gelu", "elu"]
Width = Annotated[int, Whole(1, 16384)]
DropoutRate = Annotated[float, Real(0, 1, below=True)]


class MLP(Spec):
    """A multilayer perceptron: the 784 pixels, hidden layers, ten outputs.

    Attributes:
        hidden: neurons in each hidden layer, first to last.
        activation: of the hidden layers.
        dropout: share of each hidden layer's outputs that training drops.
    """

    family: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Width, ...], Items(0, 16)] = (128,)
    activation: Activation = "relu"
    dropout: DropoutRate = 0.0


class Convolution(Spec):
    """One convolution block: a convolution without padding or with it, then max pooling.

    Attributes:
        filters: feature maps it gives.
        kernel_size: side of its square kernel, in pixels.
        padding: `valid` shrinks the map by kernel_size - 1, `same` keeps its side.
        pool: side of the max-pooling window and its stride; 1 is no pooling.
    """

    filters: Annotated[int, Whole(1, 1024)]
    kernel_size: Annotated[int, Whole(1, IMAGE_SIDE)]
    padding: Literal["valid", "same"] = "valid"
    pool: Annotated[int, Whole(1, 8)] = 2

    def output_side(self, side: int) -> int:
        """Give the side of the map that leaves the block when one of `side` pixels enters (0: none left)."""
        convolved = side if self.padding == "same" else side - self.kernel_size + 1
        return max(convolved, 0) // self.pool


class CNN(Spec):
    """A convolutional network: blocks, dropout, dense layers, ten outputs.

    Attributes:
        convolutions: the blocks, first to last.
        dropout: share of the last block's outputs that training drops.
        dense: neurons in each dense layer before the ten outputs.
        activation: of the convolutions and the dense layers.
    """

    family: Literal["cnn"] = "cnn"
    convolutions: Annotated[tuple[Convolution, ...], Items(1, 16)]
    dropout: DropoutRate = 0.0
    dense: Annotated[tuple[Width, ...], Items(0, 16)] = (128,)
    activation: Activation = "relu"

    @field_validator("convolutions")
    @classmethod
    def _maps_keep_pixels(cls, convolutions: tuple[Convolution, ...]) -> tuple[Convolution, ...]:
        side = IMAGE_SIDE
        for position, block in enumerate(convolutions):
            after = block.output_side(side)
            if after < 1:
                raise ValueError(
                    f"block {position}: expected a kernel_size and pool that leave a pixel of the "
                    f"{side}x{side} map, received kernel_size {block.kernel_size} and "
                    f"pool {block.pool}"
                )
            side = after
        return convolutions


ModelSpec = Annotated[MLP | CNN, Field(discriminator="family")]


class TrainingSpec(Spec):
    """How a network is trained.

    Attributes:
        epochs: passes over the training images.
        batch_size: images in one step of the optimizer.
        optimizer: Keras's, with Keras's defaults but for the learning rate.
        learning_rate: step size of the optimizer, constant.
        loss: what is minimized: categorical cross-entropy, or the mean squared error of the
            probabilities against one-hot (mean over images and classes).
        precision: `auto` is `mixed_bfloat16` where the processor is faster with it, else `float32`.
    """

    epochs: Annotated[int, Whole(1, 10_000)] = 10
    batch_size: Annotated[int, Whole(1, 60_000)] = 200
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: Annotated[float, Real(0, 10, above=True)] = 0.001
    loss: Literal["crossentropy", "mse"] = "crossentropy"
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"


class Recipe(Spec):
    """A model spec and a training spec under a name.

    Attributes:
        name: what the command line calls it.
        description: one sentence for people; no part of a trial's identity.
    """

    name: Name
    description: str = ""
    model: ModelSpec
    training: TrainingSpec = TrainingSpec()
