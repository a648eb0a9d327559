"""Keeping a network that was trained by another loop than digitlab's."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlab.bundle import Bundle, Provenance, write_calibrated
from digitlab.bundle.export import keras_probabilities
from digitlab.bundle.files import CARD, check_bundle
from digitlab.data import Dataset, stratified_split
from digitlab.errors import BundleError, OutputError
from digitlab.results.calibration import Calibration
from digitlab.results.metrics import score
from digitlab.revision import revision
from digitlab.spec.plan import resolve_precision
from digitlab.spec.recipe import Recipe
from digitlab.training.process import environment
from digitlab.training.run import data_of, plan_trial

if TYPE_CHECKING:
    import keras


def keep_network(  # noqa: PLR0913  # each is written on the network's card
    folder: Path | str,
    network: keras.Model,
    recipe: Recipe,
    dataset: Dataset,
    *,
    seed: int,
    seconds: float,
    made: str,
) -> Bundle:
    """Write a network that was trained by a loop of one's own as a bundle, scored, calibrated and verified.

    Args:
        folder: folder of the bundle; a bundle that is there is replaced.
        network: float32 network that maps raw images [n, 28, 28] in 0..255 to probabilities [n, 10].
        recipe: recipe that describes the network, and the settings that it was trained with in float32.
        dataset: data set that it was trained on, but for the validation part: 5,000 images of MNIST, as
            `stratified_split` chooses them with the seed 28.
        seed: seed of the training.
        seconds: time that the training took, in seconds.
        made: sentence on how the weights were made, for the card.

    Raises:
        OutputError: something other than a bundle is in the folder, or it cannot be written.
        BundleError: its outputs are infinite or NaN, or a layer cannot be stored or exported; the bundle that
            was there stays.
        SpecError: the seed is out of range.
    """
    target = Path(folder)
    _check_replaceable(target)
    data = data_of(dataset, dataset.name)
    trial = plan_trial(resolve_precision(recipe, "float32"), data, seed, threads=1)
    _, held_out = stratified_split(dataset.y_train, trial.data.validation, trial.data.split_seed)
    validation = keras_probabilities(network, dataset.x_train[held_out])
    test = keras_probabilities(network, dataset.x_test)
    if not (np.isfinite(validation).all() and np.isfinite(test).all()):
        raise BundleError(
            "the network: expected finite probabilities, received nan: train it with a smaller learning rate"
        )
    code = revision()

    def provenance(calibration: Calibration) -> Provenance:
        return Provenance(
            recipe=recipe.name,
            made=made,
            trial=trial,
            validation=score(validation, dataset.y_train[held_out]),
            test=score(test, dataset.y_test),
            calibration=calibration,
            classes=dataset.classes,
            train_seconds=seconds,
            environment=environment(),
            commit=code.commit if code else None,
            clean=code.clean if code else None,
        )

    # Under the same name in a folder beside it: a bundle's README is written with its folder's name.
    fresh = target.parent / ".new" / target.name
    shutil.rmtree(fresh, ignore_errors=True)  # of a process that was killed as it wrote
    try:
        write_calibrated(fresh, network, trial, dataset, provenance)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh.parent, ignore_errors=True)
    return check_bundle(target.resolve())


def _check_replaceable(folder: Path) -> None:
    """Raise an error if something other than a bundle would be replaced."""
    if not folder.exists() or (folder / CARD).is_file():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    raise OutputError(
        f"{folder}: expected a new folder or a bundle, received another thing that is there; move it away"
    )
