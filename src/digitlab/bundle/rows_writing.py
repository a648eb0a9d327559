"""Writing a trained reader of rows as a bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlab.bundle.files import CARD, MODEL, ONNX, README, sha256
from digitlab.bundle.rows_card import RowCalibration, RowCard, RowParity
from digitlab.bundle.rows_onnx import rows_to_onnx
from digitlab.bundle.rows_runtime import ReadRows, RowNetwork, rows_with, run_row_self_test
from digitlab.bundle.runtime import runtime_name
from digitlab.errors import BundleError
from digitlab.files import new_folder
from digitlab.results.rows import RowResult, greedy_texts
from digitlab.revision import revision
from digitlab.synthesis.row_form import by_width, row_form
from digitlab.synthesis.rows import ComposedRow

if TYPE_CHECKING:
    import keras

PARITY_ROWS = 2_000
TOLERANCE = 1e-3
"""Largest allowed difference of two probabilities; other orders of summation cause 8e-5 in columns between
two digits."""

_README = """\
---
license: mit
library_name: keras
pipeline_tag: image-to-text
tags: [handwriting, digits, ctc]
---

# {card.recipe}

A network of {card.parameters:,} parameters that reads a row of handwritten digits from its grey picture.
Recipe `{card.recipe}` of digitlab, trained once on composed rows: digits of MNIST's training part, thinned
and written again by one hand with one pen, and digits drawn from digitlab's own shapes, on drawn paper.

`model.keras` and `model.onnx` take rows, float32 [n, {trial.model.height}, W] in 0..255, W a multiple of 16,
and return probabilities [n, W / 4, 12] for each four columns of pixels: the digits 0 to 9, `?` for ink of a
digit's size that is no digit, and the blank of connectionist temporal classification.

## Scores

Whole rows correct, with greedy decoding at one width. The rows are composed of digits of MNIST's validation
part, which were not trained on; many of them are harder than real handwriting.

| rows | correct | of |
|---|---|---|
| shapes and papers of training | {last.right} | {last.rows} |
| held-back shapes and papers | {last.held_back_right} | {last.held_back_rows} |

`model.onnx` was compared with `model.keras` on {parity.rows:,} rows: the largest difference of a
probability is {parity.largest_difference:.1e}, {parity.other_texts} texts differ.

Trained in {result.train_seconds:,.0f} s with {trial.threads} threads on {processor}.

## Licences

MNIST: Yann LeCun and Corinna Cortes, Creative Commons Attribution-ShareAlike 3.0. The weights: MIT, as
digitlab.
"""

Calibrate = Callable[[RowNetwork], RowCalibration]


def write_rows_bundle(
    folder: Path | str,
    model: keras.Model,
    result: RowResult,
    rows: Sequence[ComposedRow],
    calibrate: Calibrate | None = None,
) -> RowCard:
    """Write a reader of rows as a bundle: to a temporary folder, synced to disk, then renamed.

    Args:
        folder: folder to write to, new or empty; a kill at any moment leaves a whole bundle there or none.
        model: trained network in float32.
        result: result of the training.
        rows: rows composed of digits that were not trained on, used to verify the ONNX file against Keras.
        calibrate: function that calibrates a row's posterior; None to use the posterior unchanged.

    Raises:
        OutputError: the folder exists and is not empty, or cannot be written.
        BundleError: the ONNX file's probabilities differ from Keras's; nothing is left.
    """
    height = result.trial.model.height
    with new_folder(folder) as draft:
        (draft / ONNX).write_bytes(rows_to_onnx(model, height).SerializeToString())
        model.save(draft / MODEL)
        read = rows_with(draft / ONNX, height)
        code = revision()
        card = RowCard(
            recipe=result.trial.recipe,
            trial_id=result.trial.id,
            parameters=model.count_params(),
            result=result,
            parity=_parity(model, read, rows),
            written_by=code.commit if code else None,
            written_clean=code.clean if code else None,
            answers=run_row_self_test(read, None, height, ONNX),
            files={},
        )
        if calibrate is not None:
            calibration = calibrate(RowNetwork(draft, card, threads=1))
            card = card.model_copy(update={"calibration": calibration})
        (draft / README).write_text(_readme(card), "utf-8")
        files = {name: sha256(draft / name) for name in (MODEL, ONNX, README)}
        card = card.model_copy(update={"files": files})
        (draft / CARD).write_bytes(card.to_bytes())
    return card


def largest_difference(expected: Sequence[np.ndarray], answered: Sequence[np.ndarray]) -> float:
    """Return the largest difference between arrays in pairs of one shape; nan where any value is nan."""
    differences = []
    for of_keras, of_onnx in zip(expected, answered, strict=True):
        differences.append(np.abs(of_keras - of_onnx).max())
    # Not Python's max, which passes over a nan that is not the first.
    return float(np.max(differences))


def _parity(model: keras.Model, read: ReadRows, rows: Sequence[ComposedRow]) -> RowParity:
    """Compare both networks on rows.

    Raises:
        BundleError: the probabilities differ by more than `TOLERANCE`.
    """

    def read_with_keras(batch: np.ndarray) -> np.ndarray:
        return np.asarray(model.predict_on_batch(batch.astype(np.float32)))

    forms = [row_form(row.image) for row in rows]
    expected = by_width(forms, read_with_keras)
    answered = by_width(forms, read)
    largest = largest_difference(expected, answered)
    texts = zip(greedy_texts(expected), greedy_texts(answered), strict=True)
    other_texts = sum(of_keras != of_onnx for of_keras, of_onnx in texts)
    if not largest <= TOLERANCE:  # not `>`, which a nan would pass
        raise BundleError(
            f"{ONNX}: expected probabilities within {TOLERANCE:g} of Keras's on {len(rows):,} rows, received "
            f"a difference of {largest:.2g}; nothing was written"
        )
    return RowParity(
        runtime=runtime_name(),
        rows=len(rows),
        largest_difference=largest,
        tolerance=TOLERANCE,
        other_texts=other_texts,
    )


def _readme(card: RowCard) -> str:
    result = card.result
    return _README.format(
        card=card,
        result=result,
        last=result.validation[-1],
        parity=card.parity,
        trial=result.trial,
        processor=result.environment.get("cpu", "an unknown processor"),
    )
