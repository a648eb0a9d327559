"""The weights of two opinions on a digit: how likely it is right by what row reader and classifier say.

    python benchmarks/opinions.py SAMPLES [--count 300] [--seed 100]

Rows are composed as `rows.py` does, of MNIST's validation digits and of the digits of the writers that
choices are made with. Of rows that are read with the right number of characters each digit is an example.
Prints the weights of `VerifyParameters`, and how many digits are right by what they give.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from command import run
from labelled_pictures import chosen, read_labels
from rows import row_sets

from digitlab.recognition import Reading, Recognizer
from digitlab.recognition.verify import evidence

STEPS = 30
PULL = 1e-3
"""Of the squared weights, so that what tells nothing has none."""


def examples(reading: Reading, truth: str) -> Iterator[tuple[tuple[float, ...], bool]]:
    """Give the evidence for each digit of a reading, and whether it is right; none where digits lack."""
    heard = [digit for digit in reading.digits if digit.opinions and digit.opinions.row_probability > 0]
    if len(heard) != len(truth):
        return
    for digit, right in zip(heard, truth, strict=True):
        opinions = digit.opinions
        if opinions and opinions.row_digit is not None:
            yield evidence(opinions), str(opinions.row_digit) == right


def fit(inputs: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Fit a logistic regression by Newton's method: weights, float [k]."""
    weights = np.zeros(inputs.shape[1])
    for _ in range(STEPS):
        predicted = 1 / (1 + np.exp(-inputs @ weights))
        variance = predicted * (1 - predicted)
        curvature = inputs.T @ (inputs * variance[:, None]) + PULL * np.eye(len(weights))
        gradient = inputs.T @ (right - predicted) - PULL * weights
        weights += np.linalg.solve(curvature, gradient)
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description="The weights of the two opinions on a digit.")
    parser.add_argument("samples", type=Path, metavar="SAMPLES")
    parser.add_argument("--count", type=int, default=300, help="rows of each set")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--rows", default="numbers", help="the reader of rows, a name or a bundle")
    arguments = parser.parse_args()
    recognizer = Recognizer(rows=arguments.rows)
    sets = row_sets(read_labels(arguments.samples), arguments.count, arguments.seed, chosen)
    known: list[tuple[tuple[float, ...], bool]] = []
    for rows in sets.values():
        for picture, text in rows:
            known += examples(recognizer.read(picture), text)
    inputs = np.array([evidence_of_digit for evidence_of_digit, _ in known])
    right = np.array([is_right for _, is_right in known], float)
    weights = fit(inputs, right)
    for name, weight in zip(("offset", "told", "agreement"), weights, strict=True):
        print(f"{name} = {weight:.3f}")
    likely = 1 / (1 + np.exp(-inputs @ weights))
    print("\nlikely right     digits   right %")
    for low, high in ((0, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.98), (0.98, 1.001)):
        within = (likely >= low) & (likely < high)
        if within.any():
            print(f"{low:.2f} to {min(high, 1):.2f} {within.sum():12,} {100 * right[within].mean():9.1f}")


if __name__ == "__main__":
    run(main)
