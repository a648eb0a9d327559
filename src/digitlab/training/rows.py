"""Training of a row reader, from a recipe to a network; saved during training, and resumable."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.bundle.rows_unseen import unseen_rows
from digitlab.data import Dataset, stratified_split
from digitlab.errors import DataError, TrainingError, UserError
from digitlab.files import whole_file
from digitlab.results.rows import RowResult, RowValidation, greedy_texts, share_right
from digitlab.revision import revision
from digitlab.spec.plan import resolve_precision
from digitlab.spec.rows import RowRecipe, RowTrial
from digitlab.spec.trial import DataSpec, fitting_validation
from digitlab.synthesis.row_form import by_width, row_form
from digitlab.synthesis.rows import BATCH, RowComposer
from digitlab.training.process import environment, native_precision, prepare_process
from digitlab.training.row_stream import RowStream, row_stream
from digitlab.training.run import require_contents
from digitlab.training.seeds import child_seeds

if TYPE_CHECKING:
    import keras

    from digitlab.training.row_trainer import RowTrainer

VALIDATION_ROWS = 500
"""Number of validation rows of each kind: with the shapes and papers of training, and held-back ones."""
VALIDATION_SEED = 1
_SMOOTH = 0.98
"""Share of the running loss, as it is reported, that a step keeps."""


@dataclass(frozen=True)
class RowProgress:
    """Progress of a training.

    Attributes:
        step: number of steps done.
        loss: running mean of the loss, nats a row.
        rows_per_second: rows trained on per second since the training was started or resumed.
        waited: share of that time spent waiting for composed rows, 0..1.
        validation: validation scores of this step; None at most steps.
    """

    step: int
    loss: float
    rows_per_second: float
    waited: float
    validation: RowValidation | None


OnStep = Callable[[RowProgress], None]


@dataclass(frozen=True)
class RowTrainOutput:
    """A trained row reader.

    Attributes:
        model: float32 network; rows [n, height, W] in 0..255 in, probabilities [n, W / 4, 12] out.
        result: trial, validation scores, timings and environment of its training.
    """

    model: keras.Model
    result: RowResult


def plan_rows(recipe: RowRecipe, data: str, dataset: Dataset, seed: int, threads: int) -> RowTrial:
    """Create the trial of a recipe, its precision resolved for this machine.

    Args:
        recipe: recipe to train.
        data: name of the data set whose digits are written, or its folder.
        dataset: data set, loaded.
        seed: seed of the trial.
        threads: number of threads that compute.
    """
    ready = resolve_precision(recipe, native_precision())
    fitting = fitting_validation(len(dataset.y_train))
    return RowTrial(
        recipe=ready.name,
        model=ready.model,
        training=ready.training,
        data=DataSpec(dataset=data, validation=fitting, fingerprint=dataset.fingerprint),
        seed=seed,
        threads=threads,
    )


def train_rows(
    trial: RowTrial, dataset: Dataset, state: Path, on_step: OnStep | None = None
) -> RowTrainOutput:
    """Train a row reader, or resume its training where it was saved; the weights are the same, bit for bit.

    Args:
        trial: trial to train.
        dataset: data set whose digits the rows are composed of.
        state: file that the training is saved to and resumed from.
        on_step: function called after each step.

    Raises:
        DataError: the classes of the data are not digits, or its contents are not those the trial names.
        UserError: the file belongs to another training, or cannot be read.
        TrainingError: the loss became infinite or NaN, or rows could not be composed.
    """
    _require_digits(trial, dataset)
    saved = _load(state, trial)
    if saved is not None and saved.step == trial.training.steps:
        return _output(trial, _trainer(trial, saved), saved)
    kept, _ = stratified_split(dataset.y_train, trial.data.validation, trial.data.split_seed)
    composer = RowComposer(dataset.x_train[kept], dataset.y_train[kept])
    rows_seed = child_seeds(trial.seed).order
    done = saved.step if saved else 0
    with row_stream(composer, rows_seed, trial.training.uses, done) as stream:
        validation = _ValidationRows(unseen_rows(trial, dataset))
        trainer = _trainer(trial, saved)
        ended = _Session(trial, stream, validation, state).run(trainer, saved, on_step)
        return _output(trial, trainer, ended)


def _trainer(trial: RowTrial, saved: _Saved | None) -> RowTrainer:
    """Create the network in training, new or as it was saved."""
    prepare_process(trial.threads)
    from digitlab.training.row_trainer import RowTrainer

    trainer = RowTrainer(trial)
    if saved is not None:
        trainer.restore(saved.arrays)
    return trainer


def _output(trial: RowTrial, trainer: RowTrainer, ended: _Saved) -> RowTrainOutput:
    """Return the network and the result of a finished training."""
    last_commit, _ = ended.code[-1]
    clean_by_session = [clean for _, clean in ended.code]
    clean: bool | None = all(clean_by_session)
    if None in clean_by_session:  # not known of one session, and so not of the whole training
        clean = None
    result = RowResult(
        trial=trial,
        validation=ended.validation,
        train_seconds=ended.seconds,
        sittings=len(ended.code),
        environment=ended.environment,
        commit=last_commit,
        clean=clean,
    )
    return RowTrainOutput(trainer.network(), result)


@dataclass(frozen=True)
class _Saved:
    """A saved training: its step, the arrays of its state, and its records up to that step."""

    step: int
    arrays: list[np.ndarray]
    loss: float  # running mean
    seconds: float  # of all sessions
    code: list[tuple[str | None, bool | None]]  # commit of each session, and whether it was clean
    environment: dict[str, str]
    validation: tuple[RowValidation, ...]


class _ValidationRows:
    """Validation rows of both kinds, in row form with their texts."""

    def __init__(self, composer: RowComposer) -> None:
        self._kinds = []
        for kind_composer in (composer, composer.holding_back()):
            rows = kind_composer.rows(VALIDATION_ROWS, VALIDATION_SEED)
            texts = [row.text for row in rows]
            forms = [row_form(row.image) for row in rows]
            self._kinds.append((texts, forms))

    def validate(self, network: keras.Model, step: int, loss: float) -> RowValidation:
        """Score a network on all of them, decoded greedily."""

        def read(batch: np.ndarray) -> np.ndarray:
            return np.asarray(network(batch.astype(np.float32), training=False))

        shares = []
        for texts, forms in self._kinds:
            texts_read = greedy_texts(by_width(forms, read))
            shares.append(share_right(texts, texts_read))
        (right, rows), (held_back_right, held_back_rows) = shares
        return RowValidation(
            step=step,
            loss=loss,
            right=right,
            rows=rows,
            held_back_right=held_back_right,
            held_back_rows=held_back_rows,
        )


@dataclass(frozen=True)
class _Session:
    """A training from its start, or from where it was saved, to its end or an interruption."""

    trial: RowTrial
    stream: RowStream
    rows: _ValidationRows
    state: Path

    def run(self, trainer: RowTrainer, saved: _Saved | None, on_step: OnStep | None) -> _Saved:
        """Take the remaining steps, and return what was saved last."""
        before = saved or _Saved(0, [], np.nan, 0.0, [], {}, ())
        ended = before
        sessions = [*before.code, _code()]  # read at the start, since there may be a commit before the end
        training = self.trial.training
        validation = list(before.validation)
        loss = before.loss
        begun = time.perf_counter()
        for step, step_loss in enumerate(self._steps(trainer, before.step), start=before.step + 1):
            is_last = step == training.steps
            loss = _running_mean(loss, step_loss)
            if not np.isfinite(loss):
                raise TrainingError(
                    f"the loss became {loss} in step {step}; a smaller training.learning_rate may help"
                )
            newest = None
            if is_last or step % training.validate_every == 0:
                newest = self.rows.validate(trainer.network(), step, float(loss))
                validation.append(newest)
            seconds = time.perf_counter() - begun
            if is_last or step % training.save_every == 0:
                ended = _Saved(
                    step=step,
                    arrays=trainer.state(),
                    loss=float(loss),
                    seconds=before.seconds + seconds,
                    code=sessions,
                    environment=environment(),
                    validation=tuple(validation),
                )
                _save(self.state, self.trial, ended)
            if on_step:
                speed = BATCH * (step - before.step) / seconds
                waited = self.stream.waited / seconds
                on_step(RowProgress(step, float(loss), speed, waited, newest))
        return ended

    def _steps(self, trainer: RowTrainer, start: int) -> Iterator[float]:
        uses = iter(self.stream)
        for _ in range(start, self.trial.training.steps):
            use = next(uses)
            yield trainer.step(use.batch.images, use.batch.texts, use.before)


def _running_mean(mean: float, loss: float) -> float:
    if np.isnan(mean):  # before the first step
        return loss
    return _SMOOTH * mean + (1 - _SMOOTH) * loss


def _code() -> tuple[str | None, bool | None]:
    code = revision()
    if code is None:
        return None, None
    return code.commit, code.clean


def _require_digits(trial: RowTrial, dataset: Dataset) -> None:
    if not dataset.may_be_digits:
        raise DataError(
            f"data {dataset.name}: expected the digits 0 to 9, of which rows are composed, received "
            f"{', '.join(dataset.class_names[:3])} ..."
        )
    require_contents(trial.data, dataset)


def _save(path: Path, trial: RowTrial, saved: _Saved) -> None:
    """Save a training; where that fails, what was saved before stays."""
    records = {
        "trial": trial.id,
        "step": saved.step,
        "loss": saved.loss,
        "seconds": saved.seconds,
        "code": saved.code,
        "environment": saved.environment,
        "validation": [validation.to_values() for validation in saved.validation],
    }
    arrays: dict[str, Any] = {f"array_{i:04}": array for i, array in enumerate(saved.arrays)}
    with whole_file(path) as draft, draft.open("wb") as file:
        np.savez(file, told=np.frombuffer(json.dumps(records).encode(), np.uint8), **arrays)


def _load(path: Path, trial: RowTrial) -> _Saved | None:
    """Read a saved training; None where there is none."""
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            records = json.loads(kept["told"].tobytes())
            arrays = [kept[name] for name in sorted(kept.files) if name != "told"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path}: expected a saved training, received an unreadable file: {error}; remove it "
            "to start again"
        ) from None
    if records["trial"] != trial.id:
        raise UserError(
            f"{path}: expected the saved training of trial {trial.id}, received that of {records['trial']}: "
            "the recipe, seed, threads or code differ; remove the file to start again, or name another --out"
        )
    validation = []
    for values in records["validation"]:
        validation.append(RowValidation.from_values(values, f"{path}: validation"))
    return _Saved(
        step=records["step"],
        arrays=arrays,
        loss=records["loss"],
        seconds=records["seconds"],
        code=[(commit, clean) for commit, clean in records["code"]],
        environment=records["environment"],
        validation=tuple(validation),
    )
