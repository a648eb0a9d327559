"""Specs of a row reader: of its network, of its training, and of one trial."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import model_validator

from digitlab.spec.base import Spec
from digitlab.spec.fields import FloatRange, IntRange, Items, Name
from digitlab.spec.recipe import DropoutRate
from digitlab.spec.trial import SYNTHESIS_VERSION, DataSpec

ROW_CLASSES = 12
"""Number of outputs for each column: the digits, ink of digit size that is no digit, and the blank."""
OTHER, BLANK = 10, 11
"""Outputs beside the digits: ink of digit size that is no digit (`?` in a text), and the blank of CTC."""
ALPHABET = "0123456789?"
"""The character of each output but the blank."""
COLUMN = 4
"""Pixels of a row's width for each column of the output."""

ROW_ENGINE_VERSION = 1
"""Version of the row reader's training, raised whenever the same trial would yield another network."""


class Stage(Spec):
    """3x3 convolutions of one resolution, each with batch normalization; then max pooling.

    Attributes:
        filters: feature maps of each convolution.
        convolutions: number of convolutions.
        residual: number of convolutions, the last ones, that add their input to their output.
        pool: rows and columns of the max-pooling window and its stride; (1, 1) is no pooling.
    """

    filters: Annotated[int, IntRange(1, 512)]
    convolutions: Annotated[int, IntRange(1, 8)] = 1
    residual: Annotated[int, IntRange(0, 8)] = 0
    pool: Annotated[tuple[Literal[1, 2, 4], Literal[1, 2, 4]], Items(2, 2)] = (2, 2)


class RowModel(Spec):
    """A network that reads a row: convolutions, then blocks along the row, then the columns' outputs.

    Attributes:
        height: height of the rows in row form, in pixels.
        stages: stages of convolutions, first to last; together they pool a row to a quarter of its width.
        width: feature maps of the blocks along the row.
        blocks: columns that the kernel of each block along the row spans, first to last.
        dropout: share of the features that training drops before the blocks and before the outputs.
    """

    family: Literal["rows"] = "rows"
    height: Literal[32] = 32
    stages: Annotated[tuple[Stage, ...], Items(1, 8)]
    width: Annotated[int, IntRange(1, 512)] = 128
    # Plain kernels: TensorFlow computes dilated ones on a processor only where it knows a row's width.
    blocks: Annotated[tuple[Annotated[int, IntRange(1, 31)], ...], Items(0, 8)] = (5, 5, 5)
    dropout: DropoutRate = 0.0

    @model_validator(mode="after")
    def _a_quarter_of_the_width(self) -> RowModel:
        columns = 1  # pixels of width for each column
        for stage in self.stages:
            columns *= stage.pool[1]
        rows = self.rows_left
        if columns != COLUMN or rows < 1:
            raise ValueError(
                "stages: expected pools that leave a quarter of a row's width and a row of its "
                f"{self.height}, received ones that leave 1/{columns} and {rows}"
            )
        return self

    @property
    def rows_left(self) -> int:
        """Rows of the maps that leave the last stage."""
        rows = self.height
        for stage in self.stages:
            rows //= stage.pool[0]
        return rows


class RowTraining(Spec):
    """Settings of a row reader's training, by connectionist temporal classification on composed rows.

    Attributes:
        steps: number of optimizer steps, a batch each.
        learning_rate: largest learning rate of the one-cycle schedule.
        weight_decay: share of each kernel that a step takes away, times the learning rate.
        clip: largest global norm of a step's gradients; larger ones are scaled down to it.
        average: share of the old mean kept at each step in the running mean of the weights, with which the
            network is scored and saved.
        uses: number of times each composed row is used.
        validate_every: steps between two evaluations on the validation rows.
        save_every: steps between two saves of the state.
        precision: numeric precision; `auto` is `mixed_bfloat16` where the processor is faster with it, else
            `float32`.
    """

    steps: Annotated[int, IntRange(1, 10_000_000)] = 20_000
    learning_rate: Annotated[float, FloatRange(0, 1, above=True)] = 0.002
    weight_decay: Annotated[float, FloatRange(0, 1)] = 0.01
    clip: Annotated[float, FloatRange(0, 1000, above=True)] = 1.0
    average: Annotated[float, FloatRange(0, 1, below=True)] = 0.999
    uses: Annotated[int, IntRange(1, 16)] = 1
    validate_every: Annotated[int, IntRange(1, 1_000_000)] = 1_000
    save_every: Annotated[int, IntRange(1, 1_000_000)] = 500
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"


class RowRecipe(Spec):
    """A recipe of the family `rows`.

    Attributes:
        name: name on the command line.
        description: one sentence for people; no part of a trial's identity.
    """

    name: Name
    description: str = ""
    model: RowModel
    training: RowTraining = RowTraining()


class RowTrial(Spec):
    """One training run of a row reader.

    Attributes:
        recipe: name of the recipe it came from, for people; no part of its identity.
        model: the network.
        training: settings of the training, its precision resolved.
        data: data whose digits the rows are composed of, its fingerprint known.
        seed: the trial's seed.
        threads: number of threads that compute it.
        engine_version: `ROW_ENGINE_VERSION` of the code that trains it.
        synthesis_version: `SYNTHESIS_VERSION` of that code.
    """

    recipe: str = ""
    model: RowModel
    training: RowTraining
    data: DataSpec
    seed: Annotated[int, IntRange(0, 2**32 - 1)] = 0
    threads: Annotated[int, IntRange(1, 1024)] = 2
    engine_version: Annotated[int, IntRange(1, 1_000_000)] = ROW_ENGINE_VERSION
    synthesis_version: Annotated[int, IntRange(1, 1_000_000)] = SYNTHESIS_VERSION

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits: SHA-256 over everything that decides the outcome."""
        data = self.data.model_copy(update={"dataset": ""})
        decisive = self.model_copy(update={"recipe": "", "data": data})
        return hashlib.sha256(decisive.to_json().encode()).hexdigest()[:16]
