"""Writing a trained network as a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlab.bundle.card import Card, Origin, Proof
from digitlab.bundle.data import classes_of
from digitlab.bundle.export import Classify, keras_probabilities, onnx_files, save_keras_file
from digitlab.bundle.files import CARD, INSIDE, MODEL, ONNX, README, Bundle, sha256
from digitlab.bundle.parity import EXACT, compare
from digitlab.bundle.readme import readme
from digitlab.bundle.rejection_images import rejection_images
from digitlab.bundle.runtime import classify_with, look_with, runtime_name
from digitlab.bundle.self_test import run_self_test
from digitlab.data import Dataset, stratified_split
from digitlab.data.classes import DIGITS
from digitlab.errors import BundleError
from digitlab.files import ensure_new, new_folder
from digitlab.models.costs import cost
from digitlab.results.calibration import Calibration, fit_calibration
from digitlab.results.record import Result
from digitlab.results.rejection import Inside, fit_rejection
from digitlab.revision import revision
from digitlab.synthesis.strokes import draw_digits

if TYPE_CHECKING:
    import keras

Look = Callable[[np.ndarray], Inside]

TRIED = 1_000
"""Drawn digits that a network is tried on where its classes have no names."""


def write_trained(folder: Path | str, model: keras.Model, result: Result, dataset: Dataset) -> Bundle:
    """Write the network of a trial: calibrated on its validation part, proved on the test images.

    Args:
        folder: a new or an empty one.
        model: float32, that the trial trained.
        result: of the trial.
        dataset: that it was trained on.

    Raises:
        BundleError, OutputError: as for `write_bundle`.
    """
    ensure_new(folder)
    data = result.trial.data
    _, held_out = stratified_split(dataset.y_train, data.validation, data.split_seed)
    others = dataset.classes not in (None, DIGITS)
    files = onnx_files(model)
    look = look_with(files[INSIDE])
    calibration = calibrate(look, dataset.x_train[held_out], dataset.y_train[held_out], rejection=not others)
    origin = Origin.of(result, calibration, dataset.classes)
    return _write(folder, model, files, origin, dataset.x_test)


def calibrate(look: Look, images: np.ndarray, labels: np.ndarray, *, rejection: bool = True) -> Calibration:
    """Fit what turns a network's answers into confidences, and what tells digits from other ink.

    Args:
        look: gives the features and probabilities of raw images.
        images: of the validation part, uint8 [n, 28, 28].
        labels: of that part, uint8 [n].
        rejection: whether the classes are digits, so that other ink can be told from them.
    """
    digits = look(images)
    if not rejection:
        return fit_calibration(digits.probabilities, labels)
    drawn, others, weights = rejection_images(images, labels)
    fitted = fit_rejection(digits, look(drawn), look(others), weights)
    return fit_calibration(digits.probabilities, labels, fitted)


def write_bundle(folder: Path | str, model: keras.Model, origin: Origin, images: np.ndarray) -> Bundle:
    """Write a network as a bundle: to a temporary folder, synced to disk, then renamed.

    Args:
        folder: a new or an empty folder; a kill at any moment leaves a whole bundle there or none.
        model: float32, of the layers in `bundle.layers.LAYERS`; raw [n, 28, 28] in 0..255 in, probabilities
            out. Where it was trained does not matter.
        origin: where it comes from, with its scores and calibration.
        images: uint8 [n, 28, 28], on which the ONNX file is proved to answer as Keras does.

    Raises:
        OutputError: the folder is there already or cannot be written.
        BundleError: a layer cannot be exported, or the ONNX file answers otherwise than Keras; nothing is
            left.
    """
    ensure_new(folder)
    return _write(folder, model, onnx_files(model), origin, images)


def _write(
    folder: Path | str, model: keras.Model, files: dict[str, bytes], origin: Origin, images: np.ndarray
) -> Bundle:
    with new_folder(folder) as draft:
        for name, content in files.items():
            (draft / name).write_bytes(content)
        save_keras_file(model, draft / MODEL)
        classify = classify_with(files[ONNX])
        answers = run_self_test(classify, None, ONNX)
        proof = _proof(draft, keras_probabilities(model, images), classify(images))
        card = _card(origin, answers, proof)
        if classes_of(card) is None:
            card = card.model_copy(update={"drawn_digits": _drawn_digits_read(classify)})
        (draft / README).write_text(readme(card, Path(folder).resolve().name), "utf-8")
        hashes = {name: sha256(draft / name) for name in (MODEL, ONNX, INSIDE, README)}
        card = card.model_copy(update={"files": hashes})
        (draft / CARD).write_bytes(card.to_bytes())
    return Bundle(Path(folder).resolve(), card)


def _proof(folder: Path, expected: np.ndarray, answered: np.ndarray) -> Proof:
    files = {ONNX: sha256(folder / ONNX)}
    proof = compare(expected, answered, runtime=runtime_name(), tolerance=EXACT, files=files)
    if proof.failure is not None:
        raise BundleError(f"{ONNX}: {proof.failure}; nothing was written")
    return proof


def _drawn_digits_read(classify: Classify) -> float:
    """Give the share of drawn digits, in MNIST form, that a network reads, 0..1."""
    images, labels = draw_digits(TRIED, seed=0)
    return float((classify(images).argmax(axis=1) == labels).mean())


def _card(origin: Origin, answers: np.ndarray, proof: Proof) -> Card:
    size = cost(origin.trial.model)
    code = revision()
    if code is not None and (code.commit, code.clean) == (origin.commit, origin.clean):
        code = None  # the training's own
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
