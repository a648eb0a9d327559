"""Two networks on the same test digits: which of them errs less, and where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from digitlab.serving.pictures import raw

MOST_DIFFERENCES = 200
"""Digits that are shown, the most confident answers first."""


class Candidate(NamedTuple):
    """One of the two networks.

    Attributes:
        id: by which clients name it.
        probabilities: for the test images, float32 [n, 10].
    """

    id: str
    probabilities: np.ndarray


class TestDigits(NamedTuple):
    """The images that both are tried on.

    Attributes:
        name: of the data set.
        images: uint8 [n, 28, 28].
        labels: uint8 [n].
        corrected: index to the digit of labels that are known to be wrong.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    corrected: Mapping[int, int]


def compare(a: Candidate, b: Candidate, digits: TestDigits) -> dict[str, Any]:
    """Compare two networks as plain values: errors, McNemar's exact test, the digits on which they differ.

    Args:
        a: one network.
        b: the other.
        digits: of the test set, n of them.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    from digitlab.results.statistics import mcnemar

    answers_a, answers_b = a.probabilities.argmax(axis=1), b.probabilities.argmax(axis=1)
    wrong_a, wrong_b = answers_a != digits.labels, answers_b != digits.labels
    test = mcnemar(answers_a, answers_b, digits.labels.astype(answers_a.dtype))
    sureness = np.maximum(a.probabilities.max(axis=1), b.probabilities.max(axis=1))
    different = np.flatnonzero(answers_a != answers_b)
    shown = different[np.argsort(-sureness[different], kind="stable")][:MOST_DIFFERENCES]
    return {
        "a": a.id,
        "b": b.id,
        "data": digits.name,
        "images": len(digits.labels),
        "errors": {"a": int(wrong_a.sum()), "b": int(wrong_b.sum())},
        "both_wrong": int((wrong_a & wrong_b).sum()),
        "only_a_wrong": test.only_b_right,
        "only_b_wrong": test.only_a_right,
        "p": test.p,
        "sentence": _sentence(a.id, b.id, test.only_a_right, test.only_b_right, test.p),
        "different": len(different),
        "differences": [_difference(int(index), a, b, digits) for index in shown],
    }


def _difference(index: int, a: Candidate, b: Candidate, digits: TestDigits) -> dict[str, Any]:
    return {
        "index": index,
        "label": int(digits.labels[index]),
        "corrected": digits.corrected.get(index),
        "a": _answer(a.probabilities[index]),
        "b": _answer(b.probabilities[index]),
        "image": raw(digits.images[index]),
    }


def _answer(probabilities: np.ndarray) -> dict[str, Any]:
    digit = int(probabilities.argmax())
    return {"digit": digit, "confidence": float(probabilities[digit])}


def _sentence(a: str, b: str, only_a: int, only_b: int, p: float) -> str:
    if a == b:
        return f"{a} is compared with itself."
    counted = f"Of the digits that only one of them reads, {a} reads {only_a} and {b} reads {only_b}"
    if p >= 0.05:
        return f"{counted}: too even to call either better (McNemar's exact test, p = {p:.2g})."
    better = a if only_a > only_b else b
    shown = "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
    return f"{counted}: {better} errs less on such digits (McNemar's exact test, {shown})."
