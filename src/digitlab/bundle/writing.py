"""Writing a trained network as a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlab.bundle.card import Card, ParityReport, Provenance
from digitlab.bundle.data import classes_of
from digitlab.bundle.export import ModelArtifacts, export_network, keras_probabilities
from digitlab.bundle.files import CARD, INSIDE, MODEL, ONNX, README, Bundle, sha256
from digitlab.bundle.parity import EXACT, compare
from digitlab.bundle.readme import readme
from digitlab.bundle.rejection_images import rejection_images
from digitlab.bundle.runtime import Classify, classify_with, look_with, runtime_name
from digitlab.bundle.self_test import run_self_test
from digitlab.data import Dataset, stratified_split
from digitlab.errors import BundleError
from digitlab.files import ensure_new, new_folder
from digitlab.models.costs import Cost, network_cost
from digitlab.results.calibration import Calibration, fit_calibration
from digitlab.results.record import Result
from digitlab.results.rejection import FITTED, NetworkOutputs, fit_rejection
from digitlab.revision import revision
from digitlab.spec.recipe import CLASSES
from digitlab.spec.trial import Trial
from digitlab.synthesis.strokes import draw_digits

if TYPE_CHECKING:
    import keras

Look = Callable[[np.ndarray], NetworkOutputs]

TRIED = 1_000
"""Number of drawn digits on which a network with unnamed classes is tested."""


def write_trained(folder: Path | str, model: keras.Model, result: Result, dataset: Dataset) -> Bundle:
    """Write the network of a trial: calibrated on its validation part, verified on the test images.

    Args:
        folder: folder to write to, new or empty.
        model: float32 network that the trial trained.
        result: result of the trial.
        dataset: data set that the network was trained on.

    Raises:
        BundleError, OutputError: errors of `write_bundle`.
    """

    def provenance(calibration: Calibration) -> Provenance:
        return Provenance.of(result, calibration, dataset.classes)

    return write_calibrated(folder, model, result.trial, dataset, provenance)


def write_calibrated(
    folder: Path | str,
    model: keras.Model,
    trial: Trial,
    dataset: Dataset,
    provenance: Callable[[Calibration], Provenance],
) -> Bundle:
    """Write a network that was trained in any way: calibrated on a trial's validation part, and verified.

    Args:
        folder: folder to write to, new or empty.
        model: float32 network that maps raw images [n, 28, 28] in 0..255 to probabilities.
        trial: trial that describes the network, and names its validation part and threads.
        dataset: data set that the network was trained on.
        provenance: function from the calibration to the network's provenance.

    Raises:
        BundleError, OutputError: errors of `write_bundle`.
    """
    ensure_new(folder)
    _, held_out = stratified_split(dataset.y_train, trial.data.validation, trial.data.split_seed)
    artifacts = export_network(model)
    look = look_with(artifacts.inside, trial.threads)
    images, labels = dataset.x_train[held_out], dataset.y_train[held_out]
    calibration = calibrate(look, images, labels, rejection=dataset.may_be_digits)
    return _write(folder, model, artifacts, provenance(calibration), dataset.x_test)


def calibrate(look: Look, images: np.ndarray, labels: np.ndarray, *, rejection: bool = True) -> Calibration:
    """Fit the temperature of a network's confidences, and the rejection of non-digits.

    Args:
        look: function that computes the features and probabilities of raw images.
        images: images of the validation part, uint8 [n, 28, 28].
        labels: labels of the validation part, uint8 [n].
        rejection: whether to fit rejection; the classes must then be the digits.
    """
    digits = look(images)
    if not rejection:
        return fit_calibration(digits.probabilities, labels)
    others = rejection_images(images, labels)
    # Digits that are moved are those of the half that is fitted to: the other half sets the threshold.
    moved = look(others.moved[FITTED])
    fitted = fit_rejection(digits, [look(others.drawn), moved], look(others.others), others.weights)
    return fit_calibration(digits.probabilities, labels, fitted)


def write_bundle(folder: Path | str, model: keras.Model, origin: Provenance, images: np.ndarray) -> Bundle:
    """Write a network as a bundle: to a temporary folder, synced to disk, then renamed.

    Args:
        folder: folder to write to, new or empty; a kill at any moment leaves a whole bundle there or none.
        model: float32 network of layers in `bundle.keras_file.LAYERS` that maps raw images [n, 28, 28] in
            0..255 to probabilities; it may have been trained anywhere.
        origin: provenance of the network, with its scores and calibration.
        images: images on which the ONNX file is verified against Keras, uint8 [n, 28, 28].

    Raises:
        OutputError: the folder exists and is not empty, or cannot be written.
        BundleError: a layer cannot be stored or exported, or the ONNX file's probabilities differ from
            Keras's; nothing is left.
    """
    ensure_new(folder)
    return _write(folder, model, export_network(model), origin, images)


def _write(
    folder: Path | str, model: keras.Model, artifacts: ModelArtifacts, origin: Provenance, images: np.ndarray
) -> Bundle:
    with new_folder(folder) as draft:
        artifacts.save(draft)
        classify = classify_with(artifacts.onnx)
        answers = run_self_test(classify, None, ONNX, origin.trial.classes)
        proof = _proof(draft, keras_probabilities(model, images), classify(images))
        card = _card(origin, network_cost(origin.trial.model, model), answers, proof)
        if classes_of(card) is None and card.trial.classes == CLASSES:
            card = card.model_copy(update={"drawn_digits": _drawn_digits_read(classify)})
        (draft / README).write_text(readme(card, Path(folder).resolve().name), "utf-8")
        files = {name: sha256(draft / name) for name in (MODEL, ONNX, INSIDE, README)}
        card = card.model_copy(update={"files": files})
        (draft / CARD).write_bytes(card.to_bytes())
    return Bundle(Path(folder).resolve(), card)


def _proof(folder: Path, expected: np.ndarray, answered: np.ndarray) -> ParityReport:
    files = {ONNX: sha256(folder / ONNX)}
    proof = compare(expected, answered, runtime=runtime_name(), tolerance=EXACT, files=files)
    if proof.failure is not None:
        raise BundleError(f"{ONNX}: {proof.failure}; nothing was written")
    return proof


def _drawn_digits_read(classify: Classify) -> float:
    """Return the share of drawn digits, in MNIST form, that a network classifies correctly, 0..1."""
    images, labels = draw_digits(TRIED, seed=0)
    return float((classify(images).argmax(axis=1) == labels).mean())


def _card(origin: Provenance, size: Cost, answers: np.ndarray, proof: ParityReport) -> Card:
    code = revision()
    if code is not None and (code.commit, code.clean) == (origin.commit, origin.clean):
        code = None  # the code that trained it
    return Card(
        **dict(origin),
        trial_id=origin.trial.id,
        parameters=size.parameters,
        multiply_adds=size.multiply_adds,
        written_by=code.commit if code else None,
        written_clean=code.clean if code else None,
        answers=tuple(map(tuple, answers.tolist())),
        proofs={"onnx": proof},
        files={},
    )
