"""Comparison of two networks on the same test digits: errors, significance and differing answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from digitlab.serving.pictures import raw

MOST_DIFFERENCES = 200
"""Largest number of differing digits that are returned, those with the most confident answers first."""


class Candidate(NamedTuple):
    """One of the two networks.

    Attributes:
        id: identifier by which clients name the network.
        probabilities: float32 [n, 10], for the test images.
    """

    id: str
    probabilities: np.ndarray


class TestDigits(NamedTuple):
    """Images on which both networks are evaluated.

    Attributes:
        name: name of the data set.
        images: uint8 [n, 28, 28].
        labels: uint8 [n].
        corrected: right digit by index, for the labels that are known to be wrong.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    corrected: Mapping[int, int]


def compare(a: Candidate, b: Candidate, digits: TestDigits) -> dict[str, Any]:
    """Return errors, McNemar's exact test and the differing digits of two networks, as plain values.

    Args:
        a: first network.
        b: second network.
        digits: test set of n digits.

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
    counted = (
        f"Of the digits that only one of them reads correctly, {a} reads {only_a} and {b} reads {only_b}"
    )
    if p >= 0.05:
        return f"{counted}: no significant difference (McNemar's exact test, p = {p:.2g})."
    better = a if only_a > only_b else b
    shown = "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"
    return f"{counted}: {better} makes fewer errors (McNemar's exact test, {shown})."
