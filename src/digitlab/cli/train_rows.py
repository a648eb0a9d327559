"""`digitlab train numbers`: train a reader of rows, save it on the way, and write it as a bundle."""

from __future__ import annotations

from pathlib import Path

from digitlab.cli.console import say
from digitlab.errors import UserError
from digitlab.spec.rows import RowRecipe
from digitlab.workspace import Workspace

THREADS = 2
"""The network is large enough for two threads to share its batches."""


def train_rows(  # the options of one command
    recipe: RowRecipe,
    seed: int,
    out: Path | None,
    threads: int | None,
    engine: str,
    data: str | None,
    store: Path,
) -> None:
    """Train a reader of rows, or go on with its training, and write it as a bundle.

    Args:
        recipe: what is trained.
        seed: of the trial.
        out: the new folder; models/RECIPE-seedS beside the store unless given.
        threads: that compute.
        engine: what trains; only TensorFlow can.
        data: whose digits are written; mnist unless given.
        store: the place of the results.
    """
    if engine == "jax":
        raise UserError(
            f"--engine jax: expected tensorflow or auto for {recipe.name!r}, received jax: it is trained "
            "by TensorFlow's kernel for CTC; leave --engine out"
        )
    from digitlab.cli.progress import step_bar
    from digitlab.data import load
    from digitlab.data.naming import locate
    from digitlab.files import ensure_new
    from digitlab.training.rows import plan_rows
    from digitlab.training.rows import train_rows as train

    target = ensure_new(out or Workspace.of(store).models / f"{recipe.name}-seed{seed}")
    state = target.with_name(f"{target.name}.training.npz")
    name = data or "mnist"
    dataset = load(name)
    trial = plan_rows(recipe, locate(name), dataset, seed, threads or THREADS)
    if state.exists():
        say(f"going on with the training that is saved in {state}")
    with step_bar(recipe.name, recipe.training.steps) as on_step:
        trained = train(trial, dataset, state, on_step)
    from digitlab.bundle.rows_writing import write_rows_bundle

    written = write_rows_bundle(target, trained, dataset)
    state.unlink()
    say(f"bundle written to {written}")
