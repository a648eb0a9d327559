"""A recipe: a model spec and a training spec under a name."""

from __future__ import annotations

import math
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from digitlab.spec.base import Spec
from digitlab.spec.fields import FloatRange, IntRange, Items, Name

IMAGE_SIDE = 28
CLASSES = 10
"""Number of classes of data whose number is not given: the digits."""
MIN_CLASSES, MAX_CLASSES = 2, 100
"""Smallest and largest number of classes of a data set."""
MOST_GENERATED = 0.9
"""Largest share of generated images among the images of an epoch."""

Activation = Literal["relu", "tanh", "sigmoid", "gelu", "elu", "leaky_relu", "silu"]
Pooling = Literal["max", "average"]
Width = Annotated[int, IntRange(1, 16384)]
DropoutRate = Annotated[float, FloatRange(0, 1, below=True)]


class MLP(Spec):
    """A multilayer perceptron: the 784 pixels, hidden layers, ten outputs.

    Attributes:
        hidden: neurons in each hidden layer, first to last.
        activation: activation function of the hidden layers.
        dropout: share of each hidden layer's outputs that training drops.
    """

    family: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Width, ...], Items(0, 16)] = (128,)
    activation: Activation = "relu"
    dropout: DropoutRate = 0.0


class Convolution(Spec):
    """One convolution block: a convolution with or without padding, then pooling.

    Attributes:
        filters: number of feature maps.
        kernel_size: side of its square kernel, in pixels.
        padding: `valid` shrinks the map by kernel_size - 1, `same` keeps its side.
        pool: side of the pooling window and its stride; 1 is no pooling.
        stride: stride of the convolution, in pixels; None is 1.
        pooling: value of a window that is kept, `max` or `average`; None is `max`.
        residual: number of blocks, this one the last, around which there is a shortcut: their input is added
            to this block's maps before the activation (He et al. 2016). Where the maps differ in size or
            number, the shortcut is a 1x1 convolution. None is no shortcut.
    """

    filters: Annotated[int, IntRange(1, 1024)]
    kernel_size: Annotated[int, IntRange(1, IMAGE_SIDE)]
    padding: Literal["valid", "same"] = "valid"
    pool: Annotated[int, IntRange(1, 8)] = 2
    stride: Annotated[int, IntRange(1, 8)] | None = None
    pooling: Pooling | None = None
    residual: Annotated[int, IntRange(1, 16)] | None = None

    def convolved_side(self, side: int) -> int:
        """Return the side of the convolution's map for an input of `side` pixels; 0 where none is left."""
        positions = side
        if self.padding == "valid":
            positions = max(side - self.kernel_size + 1, 0)
        return math.ceil(positions / (self.stride or 1))

    def output_side(self, side: int) -> int:
        """Return the side of the block's map for an input of `side` pixels; 0 where none is left."""
        return self.convolved_side(side) // self.pool


class CNN(Spec):
    """A convolutional network: blocks, dropout, dense layers, ten outputs.

    Attributes:
        convolutions: the blocks, first to last.
        dropout: share of the last block's outputs that training drops.
        dense: neurons in each dense layer before the ten outputs.
        activation: activation function of the convolutions and the dense layers.
        normalization: `batch` is batch normalization of each block's pooled maps, before the activation
            (Ioffe and Szegedy 2015); None is no normalization.
        global_pooling: reduces each map of the last block to its mean (`average`) or its largest value
            (`max`); None keeps all its pixels.
    """

    family: Literal["cnn"] = "cnn"
    convolutions: Annotated[tuple[Convolution, ...], Items(1, 16)]
    dropout: DropoutRate = 0.0
    dense: Annotated[tuple[Width, ...], Items(0, 16)] = (128,)
    activation: Activation = "relu"
    normalization: Literal["batch"] | None = None
    global_pooling: Pooling | None = None

    @field_validator("convolutions")
    @classmethod
    def _maps_keep_pixels(cls, convolutions: tuple[Convolution, ...]) -> tuple[Convolution, ...]:
        side = IMAGE_SIDE
        for i, block in enumerate(convolutions):
            after = block.output_side(side)
            if after < 1:
                raise ValueError(
                    f"block {i}: expected a kernel_size and pool that leave a pixel of the "
                    f"{side}x{side} map, received kernel_size {block.kernel_size} and "
                    f"pool {block.pool}"
                )
            side = after
        return convolutions

    @field_validator("convolutions")
    @classmethod
    def _shortcuts_fit(cls, convolutions: tuple[Convolution, ...]) -> tuple[Convolution, ...]:
        for position, block in enumerate(convolutions):
            if block.residual is None:
                continue
            if block.residual > position + 1:
                raise ValueError(
                    f"block {position}: expected residual of {position + 1} or less, the blocks up to this "
                    f"one, received {block.residual}"
                )
            around = convolutions[position + 1 - block.residual : position + 1]
            if any(inner.pool > 1 or inner.padding != "same" for inner in around):
                raise ValueError(
                    f"block {position}: expected padding 'same' and pool 1 in the blocks of a shortcut; "
                    "a stride makes their maps smaller"
                )
        return convolutions


class Augmentation(Spec):
    """Random changes of the training images, drawn anew each time an image is seen.

    Changes are drawn uniformly from the given ranges, for each image by itself; 0 is no change.

    Attributes:
        rotation: largest rotation either way, in degrees.
        scale: largest share by which width and height, each by itself, become larger or smaller.
        shear: largest sideways shift of a row, as a share of its distance from the middle.
        shift: largest shift along each axis, in pixels.
        elastic: standard deviation of a smooth random displacement, in pixels (Simard, Steinkraus and Platt
            2003).
        thickness: largest share of a pixel by which strokes become thicker or thinner on each side.
        light: largest share by which ink and paper become greyer.
        noise: largest standard deviation of the noise in single pixels, as a share of full ink.
        strokes: share of generated digits (`digitlab.synthesis.strokes.draw_digits`) among the images of an
            epoch.
        damage: share of the images that are damaged, but legible to a person, in one of five ways: pixels
            turned black or white, a part inverted, lines across, only the outline left, a cloud; None is no
            damage.
        non_digits: share of generated images that are no digits (`digitlab.synthesis.non_digits`) among the
            images of an epoch. Training then has an eleventh class for them, which shapes the features that
            rejection uses; the network that is scored and saved has the ten digits. None is no such image.
    """

    rotation: Annotated[float, FloatRange(0, 180)] = 0.0
    scale: Annotated[float, FloatRange(0, 0.9)] = 0.0
    shear: Annotated[float, FloatRange(0, 1)] = 0.0
    shift: Annotated[float, FloatRange(0, 14)] = 0.0
    elastic: Annotated[float, FloatRange(0, 14)] = 0.0
    thickness: Annotated[float, FloatRange(0, 1)] = 0.0
    light: Annotated[float, FloatRange(0, 0.9)] = 0.0
    noise: Annotated[float, FloatRange(0, 1)] = 0.0
    strokes: Annotated[float, FloatRange(0, 0.9)] = 0.0
    damage: Annotated[float, FloatRange(0, 0.9)] | None = None
    non_digits: Annotated[float, FloatRange(0, 0.9)] | None = None

    @property
    def generates(self) -> bool:
        """Whether digits or non-digits are generated, which requires data of digits."""
        return self.strokes > 0 or bool(self.non_digits)

    @property
    def synthesizes(self) -> bool:
        """Whether images are generated or damaged, by code that `SYNTHESIS_VERSION` numbers."""
        return self.generates or bool(self.damage)

    @model_validator(mode="after")
    def _leaves_given_images(self) -> Self:
        generated = self.strokes + (self.non_digits or 0.0)
        if generated > MOST_GENERATED:
            raise ValueError(
                f"non_digits: expected strokes and non_digits of {MOST_GENERATED:g} or less together, "
                f"received {generated:g}"
            )
        return self


class PythonModel(Spec):
    """A network that a user's own function builds with Keras.

    Attributes:
        build: the function: `nets.py:lenet`, relative to the recipe's file, `package.module:function`, or the
            name under which an installed package offers it (entry points of the group `digitlab.models`). It
            returns a `keras.Model` for raw images [batch, 28, 28] in 0..255 with ten outputs.
        arguments: arguments of the function, by name.
        outputs: kind of the network's outputs, `logits` or `probabilities`.
        code: text of the function's file and of the modules beside it that are imported, by path; filled in
            when the recipe is read, so that it is a part of each trial's identity.
        packages: versions of the installed package that has the function, by distribution; filled in, too.
    """

    family: Literal["python"] = "python"
    build: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    outputs: Literal["logits", "probabilities"] = "logits"
    code: dict[str, str] = Field(default_factory=dict)
    packages: dict[str, str] = Field(default_factory=dict)


def has_module(model: PythonModel) -> bool:
    """Return whether the code of a user's network has the module of its function."""
    where = model.build.rpartition(":")[0]
    path = where.removesuffix(".py").replace(".", "/")
    return f"{path}.py" in model.code or f"{path}/__init__.py" in model.code


ModelSpec = Annotated[MLP | CNN | PythonModel, Field(discriminator="family")]


_SETTINGS_OF_OPTIMIZERS = {"momentum": ("sgd", "rmsprop", "muon"), "nesterov": ("sgd", "muon")}


class TrainingSpec(Spec):
    """Settings of a network's training.

    Attributes:
        epochs: passes over the training images.
        batch_size: images in one step of the optimizer.
        optimizer: Keras's optimizer, with Keras's defaults but for the settings below. `muon` trains the
            kernels of dense layers but the last, and AdamW the rest.
        learning_rate: step size of the optimizer; the largest one where a schedule changes it.
        loss: loss that is minimized: categorical cross-entropy, or the mean squared error of the
            probabilities against one-hot (mean over images and classes).
        precision: numeric precision; `auto` is `mixed_bfloat16` where the processor is faster with it, else
            `float32`.
        schedule: schedule of the learning rate over the steps (`digitlab.training.schedule`); None is a
            constant rate.
        momentum: momentum of `sgd`, `rmsprop` or `muon`; None is Keras's default, 0 for the first two.
        nesterov: whether the momentum of `sgd` or `muon` is Nesterov's; None is Keras's default.
        weight_decay: share of each kernel that a step takes away, times the learning rate (Loshchilov
            and Hutter 2019); None is Keras's default: 0.004 for `adamw` and `muon`, else none.
        l2: factor of the sum of the kernels' squares that is added to the loss; the losses that are reported
            are without it.
        patience: epochs in a row after which training ends because the log loss on the validation part was
            not lower than before; the network is then that of the best epoch (Prechelt 1998). None trains
            all epochs.
        label_smoothing: share of cross-entropy's target that is spread evenly over the classes (Szegedy
            et al. 2016).
        average: share of the old mean kept at each step in the running mean of the weights, with which the
            network is scored and saved (Polyak and Juditsky 1992).
        renormalize: whether the statistics of batch normalization are recomputed over training images without
            augmentation when training ends (`digitlab.training.batchnorm`).
        augmentation: random changes of the training images.
        fade: share of the steps, the last ones, over which augmentation (but for the shares of
            generated and damaged digits) and label smoothing shrink linearly to 0.
    """

    epochs: Annotated[int, IntRange(1, 10_000)] = 10
    batch_size: Annotated[int, IntRange(1, 60_000)] = 200
    optimizer: Literal["adam", "sgd", "adamw", "rmsprop", "nadam", "muon"] = "adam"
    learning_rate: Annotated[float, FloatRange(0, 10, above=True)] = 0.001
    loss: Literal["crossentropy", "mse"] = "crossentropy"
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    # None is left out of a trial's identity, so that settings which came later change no older trial's id.
    schedule: Literal["one-cycle", "cosine"] | None = None
    momentum: Annotated[float, FloatRange(0, 1, below=True)] | None = None
    nesterov: bool | None = None
    weight_decay: Annotated[float, FloatRange(0, 1)] | None = None
    l2: Annotated[float, FloatRange(0, 1)] | None = None
    patience: Annotated[int, IntRange(1, 10_000)] | None = None
    label_smoothing: Annotated[float, FloatRange(0, 1, below=True)] | None = None
    average: Annotated[float, FloatRange(0, 1, below=True)] | None = None
    renormalize: bool | None = None
    augmentation: Augmentation | None = None
    fade: Annotated[float, FloatRange(0, 1)] | None = None

    @property
    def synthesizes(self) -> bool:
        """Whether digits are generated or damaged for the training."""
        return self.augmentation is not None and self.augmentation.synthesizes

    @model_validator(mode="after")
    def _settings_have_an_optimizer(self) -> Self:
        for setting, optimizers in _SETTINGS_OF_OPTIMIZERS.items():
            if getattr(self, setting) is not None and self.optimizer not in optimizers:
                expected = " or ".join(map(repr, optimizers))
                raise ValueError(
                    f"{setting}: expected the optimizer {expected} with it, received {self.optimizer!r}"
                )
        return self

    @model_validator(mode="after")
    def _stopping_has_no_schedule(self) -> Self:
        planned = {"schedule": self.schedule, "fade": self.fade, "renormalize": self.renormalize}
        for setting, value in planned.items():
            if self.patience is not None and value is not None:
                raise ValueError(
                    f"patience: expected no {setting} with it, which needs to know the last epoch, "
                    f"received {value!r}"
                )
        return self

    @model_validator(mode="after")
    def _smoothing_has_a_loss(self) -> Self:
        if self.label_smoothing is not None and self.loss == "mse":
            raise ValueError("label_smoothing: expected the loss 'crossentropy' with it, received 'mse'")
        return self


class Recipe(Spec):
    """A model spec and a training spec under a name.

    Attributes:
        name: name on the command line.
        description: one sentence for people; no part of a trial's identity.
    """

    name: Name
    description: str = ""
    model: ModelSpec
    training: TrainingSpec = TrainingSpec()

    @model_validator(mode="after")
    def _non_digits_have_an_output(self) -> Self:
        augmentation = self.training.augmentation
        if isinstance(self.model, PythonModel) and augmentation is not None and augmentation.non_digits:
            raise ValueError(
                "training.augmentation.non_digits: expected a model of the family mlp or cnn, which gets an "
                "eleventh output for them, received python"
            )
        return self
