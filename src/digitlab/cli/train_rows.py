"""`digitlab train numbers`: train a reader of rows, save its state meanwhile, and write it as a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from digitlab.cli.console import print_json, say, stdout
from digitlab.errors import UserError
from digitlab.spec.rows import RowRecipe
from digitlab.workspace import Workspace

if TYPE_CHECKING:
    from digitlab.bundle.rows_card import RowCard
    from digitlab.data.dataset import Dataset
    from digitlab.spec.rows import RowTrial
    from digitlab.training.rows import RowTrainOutput

PARITY_SEED = 2
"""Seed of the rows by which exports are verified; other rows than those of the calibration."""
CALIBRATION_SEEDS = (4, 5)
"""Seeds of the rows to which the calibration is fitted, and of those on which it is measured."""
CALIBRATION_ROWS = 1_500
"""Number of rows to which the calibration is fitted, and of others on which it is measured."""
THREADS = 2
"""Default number of threads: the network is large enough for two to share its batches."""


def train_rows(  # the options of one command
    recipe: RowRecipe,
    seed: int,
    out: Path | None,
    threads: int | None,
    engine: str,
    data: str | None,
    store: Path,
    as_json: bool = False,
) -> None:
    """Train a row reader, or resume its training, and write it as a bundle.

    Args:
        recipe: recipe to train.
        seed: seed of the trial.
        out: folder to write to, new or empty; models/RECIPE-seedS beside the store if None.
        threads: number of threads; `THREADS` if None.
        engine: name of the engine, `auto` or `tensorflow`.
        data: name or folder of the data set whose digits are written; mnist if None.
        store: path of the result store.
        as_json: whether to print the card as JSON instead of a few figures.
    """
    if engine == "jax":
        raise UserError(
            f"--engine jax: expected tensorflow or auto for {recipe.name!r}, received jax: its loss "
            "is TensorFlow's kernel for CTC; remove --engine"
        )
    from digitlab.cli.progress import step_bar
    from digitlab.data import load
    from digitlab.data.naming import locate
    from digitlab.files import ensure_new
    from digitlab.training.rows import plan_rows
    from digitlab.training.rows import train_rows as train

    target = ensure_new(out or Workspace.of(store).model(recipe.name, seed))
    state = target.with_name(f"{target.name}.training.npz")
    name = data or "mnist"
    dataset = load(name)
    trial = plan_rows(recipe, locate(name), dataset, seed, threads or THREADS)
    if state.exists():  # an earlier run was stopped
        say(f"resuming the training saved in {state}")
    with step_bar(recipe.name, recipe.training.steps) as on_step:
        trained = train(trial, dataset, state, on_step)
    card = _write(target, trained, trial, dataset)
    state.unlink()  # not before the bundle is whole
    if as_json:
        print_json({"bundle": str(target), **card.to_values()})
        return
    _print_figures(card, recipe.training.steps)
    say(f"bundle written to {target}")


def _write(target: Path, trained: RowTrainOutput, trial: RowTrial, dataset: Dataset) -> RowCard:
    """Write the bundle, calibrated and verified on rows of digits that were not trained on."""
    from digitlab.bundle.rows_unseen import unseen_rows
    from digitlab.bundle.rows_writing import PARITY_ROWS, write_rows_bundle
    from digitlab.recognition.row_calibration import calibrate_rows

    composer = unseen_rows(trial, dataset)
    fitting, checking = (composer.rows(CALIBRATION_ROWS, seed) for seed in CALIBRATION_SEEDS)
    return write_rows_bundle(
        target,
        trained.model,
        trained.result,
        composer.rows(PARITY_ROWS, PARITY_SEED),
        lambda network: calibrate_rows(network, fitting, checking),
    )


def _print_figures(card: RowCard, steps: int) -> None:
    last = card.result.validation[-1]
    right = f"{100 * last.right / last.rows:.1f} % of {last.rows} correct"
    held_back = f"{100 * last.held_back_right / last.held_back_rows:.1f} % of {last.held_back_rows}"
    stdout().print(
        f"validation rows    {right}\n"
        f"held-back papers   {held_back}\n"
        f"parameters         {card.parameters:,}\n"
        f"training           {card.result.train_seconds:,.0f} s in {steps:,} steps"
    )
