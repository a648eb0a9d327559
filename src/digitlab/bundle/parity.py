"""Verification that an exported network returns the probabilities of the Keras network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from digitlab.bundle.card import ParityReport

EXACT = 1e-4
"""Largest allowed difference of two probabilities in float32; other orders of summation cause about 1e-6."""
QUANTIZED = 1e-2
"""Largest allowed difference of two probabilities with weights in float16."""


def compare(
    expected: np.ndarray, answered: np.ndarray, *, runtime: str, tolerance: float, files: Mapping[str, str]
) -> ParityReport:
    """Compare the probabilities of an export with those of the Keras network.

    Args:
        expected: probabilities of the Keras network, float [n, classes].
        answered: probabilities of the export, in its own runtime, for the same images, float [n, classes].
        runtime: name and version of the export's runtime.
        tolerance: largest allowed difference of two probabilities.
        files: SHA-256 of each file of the export, by path.
    """
    difference = float(abs(expected.astype(np.float64) - answered).max())
    labels = answered.argmax(axis=1)
    others = np.flatnonzero(expected.argmax(axis=1) != labels)  # images with another label than Keras's
    lead = expected[others].max(axis=1) - expected[others, labels[others]]
    return ParityReport(
        runtime=runtime,
        images=len(expected),
        # NaN counts as the largest difference: JSON cannot store it.
        largest_difference=difference if np.isfinite(difference) else 1.0,
        tolerance=tolerance,
        other_labels=tuple(others.tolist()),
        largest_lead=float(lead.max(initial=0.0)),
        files=dict(files),
    )
