"""A recipe: a model spec and a training spec under a name."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

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
        stride: pixels from one place of the kernel to the next; 1 unless said.
    """

    filters: Annotated[int, Whole(1, 1024)]
    kernel_size: Annotated[int, Whole(1, IMAGE_SIDE)]
    padding: Literal["valid", "same"] = "valid"
    pool: Annotated[int, Whole(1, 8)] = 2
    stride: Annotated[int, Whole(1, 8)] | None = None

    def convolved_side(self, side: int) -> int:
        """Give the side of the map that the convolution makes of one of `side` pixels (0: none left)."""
        places = side if self.padding == "same" else max(side - self.kernel_size + 1, 0)
        return -(-places // (self.stride or 1))

    def output_side(self, side: int) -> int:
        """Give the side of the map that leaves the block when one of `side` pixels enters (0: none left)."""
        return self.convolved_side(side) // self.pool


class CNN(Spec):
    """A convolutional network: blocks, dropout, dense layers, ten outputs.

    Attributes:
        convolutions: the blocks, first to last.
        dropout: share of the last block's outputs that training drops.
        dense: neurons in each dense layer before the ten outputs.
        activation: of the convolutions and the dense layers.
        normalization: `batch` normalizes what each block pools, over the images of a batch, before its
            activation (Ioffe and Szegedy 2015); nothing unless said.
    """

    family: Literal["cnn"] = "cnn"
    convolutions: Annotated[tuple[Convolution, ...], Items(1, 16)]
    dropout: DropoutRate = 0.0
    dense: Annotated[tuple[Width, ...], Items(0, 16)] = (128,)
    activation: Activation = "relu"
    normalization: Literal["batch"] | None = None

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


class Augmentation(Spec):
    """Random changes of the training images, drawn anew each time an image is seen.

    Each image draws its own changes evenly from the ranges given; 0 is no change.

    Attributes:
        rotation: up to so many degrees either way.
        scale: width and height each become up to this share larger or smaller.
        shear: rows slide sideways by up to this share of their distance from the middle.
        shift: up to so many pixels in each direction.
        elastic: strength of a smooth random displacement, pixels (Simard, Steinkraus and Platt 2003).
        thickness: strokes become up to this share of a pixel on each side thicker or thinner.
        light: ink and paper become up to this share greyer.
        noise: strength of random grey in single pixels, as a share of full ink.
        strokes: share of generated digits (`digitlab.synthesis.draw_digits`) among the images of an epoch.
        damage: share of the images that are damaged so that a person still reads them, in one of five ways:
            pixels struck black or white, a part in negative, lines across, only the outline left, a cloud;
            none unless said.
    """

    rotation: Annotated[float, Real(0, 180)] = 0.0
    scale: Annotated[float, Real(0, 0.9)] = 0.0
    shear: Annotated[float, Real(0, 1)] = 0.0
    shift: Annotated[float, Real(0, 14)] = 0.0
    elastic: Annotated[float, Real(0, 14)] = 0.0
    thickness: Annotated[float, Real(0, 1)] = 0.0
    light: Annotated[float, Real(0, 0.9)] = 0.0
    noise: Annotated[float, Real(0, 1)] = 0.0
    strokes: Annotated[float, Real(0, 0.9)] = 0.0
    damage: Annotated[float, Real(0, 0.9)] | None = None

    @property
    def synthesizes(self) -> bool:
        """Whether digits are drawn or damaged, which `SYNTHESIS_VERSION` counts."""
        return self.strokes > 0 or bool(self.damage)


ModelSpec = Annotated[MLP | CNN, Field(discriminator="family")]


class TrainingSpec(Spec):
    """How a network is trained.

    Attributes:
        epochs: passes over the training images.
        batch_size: images in one step of the optimizer.
        optimizer: Keras's, with Keras's defaults but for the learning rate.
        learning_rate: step size of the optimizer, the largest where a schedule changes it.
        loss: what is minimized: categorical cross-entropy, or the mean squared error of the
            probabilities against one-hot (mean over images and classes).
        precision: `auto` is `mixed_bfloat16` where the processor is faster with it, else `float32`.
        schedule: how the learning rate changes with the steps, `digitlab.training.schedule`; constant
            unless said.
        weight_decay: share of each kernel that a step takes away, times the learning rate (Loshchilov
            and Hutter 2019).
        label_smoothing: share of cross-entropy's target that is spread evenly over the classes (Szegedy
            et al. 2016).
        average: the network that is scored and saved has the running mean of the weights, with this share of
            the old mean kept at each step (Polyak and Juditsky 1992).
        renormalize: whether the statistics of batch normalization are taken anew over undisturbed training
            images when training ends, `digitlab.training.statistics`.
        augmentation: random changes of the training images.
        fade: share of the steps, the last ones, over which augmentation (but for the shares of
            generated and damaged digits) and label smoothing shrink evenly to nothing.
    """

    epochs: Annotated[int, Whole(1, 10_000)] = 10
    batch_size: Annotated[int, Whole(1, 60_000)] = 200
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: Annotated[float, Real(0, 10, above=True)] = 0.001
    loss: Literal["crossentropy", "mse"] = "crossentropy"
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    # None is left out of a trial's identity, so that settings which came later change no older trial's id.
    schedule: Literal["one-cycle", "cosine"] | None = None
    weight_decay: Annotated[float, Real(0, 1)] | None = None
    label_smoothing: Annotated[float, Real(0, 1, below=True)] | None = None
    average: Annotated[float, Real(0, 1, below=True)] | None = None
    renormalize: bool | None = None
    augmentation: Augmentation | None = None
    fade: Annotated[float, Real(0, 1)] | None = None

    @property
    def synthesizes(self) -> bool:
        """Whether digits are drawn or damaged for the training."""
        return self.augmentation is not None and self.augmentation.synthesizes

    @model_validator(mode="after")
    def _smoothing_has_a_loss(self) -> Self:
        if self.label_smoothing is not None and self.loss == "mse":
            raise ValueError("label_smoothing: expected the loss 'crossentropy' with it, received 'mse'")
        return self


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
