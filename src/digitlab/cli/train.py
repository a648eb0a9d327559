"""`digitlab train`: train the network of a recipe and write it as a bundle."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from digitlab.cli.console import print_json, say, stdout
from digitlab.cli.options import DataOption, JsonOption, StoreOption
from digitlab.errors import BundleError, SpecError, UserError
from digitlab.training.backend import EngineName
from digitlab.workspace import DEFAULT_STORE, Workspace

if TYPE_CHECKING:
    from digitlab.results.record import Result

RecipeArgument = Annotated[
    str | None,
    typer.Argument(
        help="Name of a recipe (mlp, cnn, deep-cnn, fast ...), or a TOML file.", show_default=False
    ),
]
TrialOption = Annotated[
    str | None,
    typer.Option("--trial", metavar="ID", help="Train a trial of the store again, in place of a recipe."),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Change a setting: training.epochs=5."),
]
OutOption = Annotated[
    Path | None, typer.Option(help="New folder for the bundle [models/RECIPE-seedS beside the store].")
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1024,
        help="Threads, each for a part of every batch [1; 2 for a row reader].",
        show_default=False,
    ),
]
EngineOption = Annotated[
    EngineName,
    typer.Option(help="Backend; auto is JAX if JAX finds an accelerator and TensorFlow does not."),
]


def train(
    recipe: RecipeArgument = None,
    settings: SettingsOption = None,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Seed of the trial.")] = 0,
    trial: TrialOption = None,
    out: OutOption = None,
    threads: ThreadsOption = None,
    engine: EngineOption = "auto",
    data: DataOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Train the network of a recipe and write it as a bundle, or a trial of a study again."""
    from digitlab.bundle.writing import write_trained
    from digitlab.cli.data_warnings import warn_of_data
    from digitlab.cli.progress import epoch_bar
    from digitlab.cli.train_rows import train_rows
    from digitlab.data import load
    from digitlab.files import ensure_new
    from digitlab.spec.library import find_row_recipe, resolve_recipe
    from digitlab.spec.recipe import PythonModel
    from digitlab.spec.study import TRAINING_SIZE_PATH, with_settings
    from digitlab.training.process import import_tensorflow_quietly
    from digitlab.training.single import train as train_network

    if trial is not None:
        if recipe is not None or settings or seed or threads or data or engine != "auto":
            raise UserError(
                "--trial: expected no recipe, --set, --seed, --threads, --data or --engine with it, since "
                "the trial names them; remove them"
            )
        from digitlab.cli.train_again import train_again

        train_again(trial, store, out, as_json)
        return
    if recipe is None:
        raise UserError("train: expected a RECIPE, or --trial ID, received neither; add one")
    changes = dict(map(_setting, settings or []))
    row_recipe = find_row_recipe(recipe)
    if row_recipe is not None:
        changed_rows = with_settings(row_recipe, changes, "--set")
        train_rows(changed_rows, seed, out, threads, engine, data, store, as_json)
        return
    sizes = {path: changes.pop(path) for path in (TRAINING_SIZE_PATH,) if path in changes}
    changed = with_settings(resolve_recipe(recipe), changes, "--set")
    target = ensure_new(out or Workspace.of(store).model(changed.name, seed))
    name = data or "mnist"
    warn_of_data([name])
    with epoch_bar(changed.name, changed.training.epochs) as on_epoch:
        trained = train_network(
            changed,
            settings=sizes,
            data=name,
            seed=seed,
            threads=threads or 1,
            engine=engine,
            on_epoch=on_epoch,
        )
    import_tensorflow_quietly()  # Keras saves with it, whichever backend has trained
    result = trained.result
    try:
        bundle = write_trained(target, trained.model, result, load(name))
    except BundleError as error:
        if not isinstance(changed.model, PythonModel):
            raise
        # Not lost, though a layer of the user's own cannot be stored.
        if as_json:
            print_json({"bundle": None, "reason": str(error), "test": result.final_test.to_values()})
        else:
            _print_figures(result)
        say(f"no bundle is written: {error}")
        return
    if as_json:
        values = bundle.card.to_values()
        values["calibration"].pop("rejection", None)  # tens of thousands of numbers for a machine
        print_json({"bundle": str(bundle.folder), **values})
        return
    _print_figures(result)
    say(f"bundle written to {bundle.folder}")


def _print_figures(result: Result) -> None:
    test = result.final_test
    stdout().print(
        f"test accuracy      {100 * test.accuracy:.2f} %  (error {test.error_percent:.2f} %)\n"
        f"mean squared error {test.mse:.5f}\n"
        f"validation error   {result.final_validation.error_percent:.2f} %\n"
        f"parameters         {result.parameters:,}\n"
        f"training           {result.train_seconds:.1f} s in {_epochs(result)}"
    )


def _epochs(result: Result) -> str:
    """Return the epochs that a training took, and with patience the one whose network is kept."""
    count = len(result.history)
    if result.trial.training.patience is None:
        return f"{count} epochs"
    return f"{count} of {result.trial.training.epochs} epochs, network of epoch {result.final_record.epoch}"


def _setting(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if not path or not equals:
        raise SpecError(f"--set: expected PATH=VALUE, as in training.epochs=5, received {text!r}")
    try:
        return path.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:  # a word without quotes, as a shell leaves it
        return path.strip(), value.strip()
