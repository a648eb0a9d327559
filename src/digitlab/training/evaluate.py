"""Scoring a bundle's network with Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from digitlab.bundle import check_bundle
from digitlab.data import load
from digitlab.errors import BundleError
from digitlab.results.metrics import score
from digitlab.results.record import Scores
from digitlab.training.process import prepare_process

BATCH = 1000


def evaluate_bundle(folder: Path | str, data: str = "mnist") -> Scores:
    """Score the network of a bundle on the test images of a data set.

    Args:
        folder: of the bundle.
        data: a name in the catalogue, or a folder.

    Raises:
        BundleError: the folder is no whole, unaltered bundle.
        DataError: the data set is none.
    """
    bundle = check_bundle(folder)
    dataset = load(data)
    prepare_process()
    import keras

    try:
        model: Any = keras.saving.load_model(bundle.model_path, compile=False)
        probabilities = model.predict(dataset.x_test, batch_size=BATCH, verbose=0)
        return score(probabilities, dataset.y_test)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise BundleError(f"{bundle.model_path}: expected a network of digits: {error}") from None
