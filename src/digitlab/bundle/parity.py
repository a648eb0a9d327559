"""The proof that an exported network answers as the Keras network does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from digitlab.bundle.card import Proof

EXACT = 1e-4
"""Largest difference of two probabilities in float32: other orders of summation give about 1e-6."""
QUANTIZED = 1e-2
"""The same with weights in float16 or int8."""


def compare(
    expected: np.ndarray, answered: np.ndarray, *, runtime: str, tolerance: float, files: Mapping[str, str]
) -> Proof:
    """Compare the answers of an export with those of the Keras network; `Proof.failure` says what is wrong.

    Args:
        expected: probabilities that Keras gives, float [n, 10].
        answered: probabilities that the export's own runtime gives to the same images.
        runtime: its name and version.
        tolerance: largest difference of two probabilities.
        files: SHA-256 of each file of the export, by path.
    """
    difference = float(abs(expected.astype(np.float64) - answered).max())
    labels = answered.argmax(axis=1)
    other = np.flatnonzero(expected.argmax(axis=1) != labels)
    lead = expected[other].max(axis=1) - expected[other, labels[other]]
    return Proof(
        runtime=runtime,
        images=len(expected),
        # A network that answers no number is as wrong as can be; JSON has no nan.
        largest_difference=difference if np.isfinite(difference) else 1.0,
        tolerance=tolerance,
        other_labels=tuple(other.tolist()),
        largest_lead=float(lead.max(initial=0.0)),
        files=dict(files),
    )
