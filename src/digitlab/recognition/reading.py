"""Results of reading a picture: its lines, its digits, and the reasons for a rejection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import numpy as np


class Reason(StrEnum):
    """Reason why a picture, or one piece of ink in it, was not read."""

    NO_INK = "no ink"
    """Nothing stands out from the background: blank, noise, texture, or lines and frames alone."""
    TOO_SMALL = "too small"
    """The writing is under 8 pixels high: too small to distinguish digits from dirt."""
    TOO_MANY = "too many"
    """More pieces of ink than a page of digits has: print, a drawing or a texture."""
    NOT_A_DIGIT = "not a digit"
    """Ink unlike the digits that the network knows, or digits that run together and were not split."""
    UPSIDE_DOWN = "upside down"
    """Writing that is a clear number only after half a turn."""


@dataclass(frozen=True)
class Box:
    """A rectangle in the upright picture.

    Attributes:
        left: first column, in pixels from the left edge.
        top: first row, in pixels from the upper edge.
        width: width in pixels.
        height: height in pixels.
    """

    left: int
    top: int
    width: int
    height: int

    def to_values(self) -> list[int]:
        """Return left, top, width and height as a JSON-compatible list."""
        return [self.left, self.top, self.width, self.height]


@dataclass(frozen=True, eq=False)
class Step:
    """A picture of one preparation step.

    Attributes:
        name: name of the step.
        image: picture after the step, uint8 [h, w] or [h, w, 3] (RGB).
    """

    name: str
    image: np.ndarray


@dataclass(frozen=True)
class Opinions:
    """Outputs of two independent networks for one piece of ink.

    Attributes:
        row_digit: digit that the row reader found there, 0..9; None if it found none.
        row_probability: probability of the row reader's symbol at this position, 0..1.
        form_digit: the classifier's likeliest digit for the ink in MNIST form, 0..9.
        form_probability: calibrated probability of `form_digit`, 0..1.
        likely_digit: probability that the ink is a digit at all, 0..1, by the classifier.
    """

    row_digit: int | None
    row_probability: float
    form_digit: int
    form_probability: float
    likely_digit: float

    def to_values(self) -> dict[str, Any]:
        """Return the outputs as JSON-compatible values."""
        return {
            "row": {"digit": self.row_digit, "probability": self.row_probability},
            "form": {
                "digit": self.form_digit,
                "probability": self.form_probability,
                "likely_digit": self.likely_digit,
            },
        }


@dataclass(frozen=True, eq=False)
class ReadDigit:
    """One digit, or one rejected piece of ink.

    Attributes:
        digit: the likeliest class, 0..9, also for rejected ink.
        confidence: calibrated probability of `digit`, 0..1.
        runner_up: the second likeliest class, 0..9.
        runner_up_confidence: calibrated probability of `runner_up`, 0..1.
        probabilities: calibrated probabilities of the classes 0..9.
        box: bounding box of the ink.
        line: index of the digit's line in the reading's `lines`.
        image: the ink in MNIST form, as the classifier saw it, uint8 [28, 28].
        reason: reason why the ink was rejected; None for a digit.
        opinions: separate outputs of the row reader and of the classifier; None if only one of them was run.
    """

    digit: int
    confidence: float
    runner_up: int
    runner_up_confidence: float
    probabilities: tuple[float, ...]
    box: Box
    line: int
    image: np.ndarray
    reason: Reason | None = None
    opinions: Opinions | None = None

    def to_values(self) -> dict[str, Any]:
        """Return the digit as JSON-compatible values, without the image."""
        return {
            "digit": self.digit,
            "confidence": self.confidence,
            "runner_up": self.runner_up,
            "runner_up_confidence": self.runner_up_confidence,
            "probabilities": list(self.probabilities),
            "box": self.box.to_values(),
            "line": self.line,
            "reason": self.reason,
            "opinions": self.opinions.to_values() if self.opinions else None,
        }


@dataclass(frozen=True)
class ReadLine:
    """One line of writing.

    Attributes:
        text: the line's digits, "?" for ink that was rejected.
        confidence: calibrated probability that the whole line is right, 0..1.
        alternatives: the likeliest texts with their probabilities, best first; `text` is among them unless
            some of its ink was rejected.
        box: bounding box of the line's ink.
        page: index of the line's page in the file, from 0.
    """

    text: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    box: Box
    page: int = 0

    def to_values(self) -> dict[str, Any]:
        """Return the line as JSON-compatible values."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "alternatives": [{"text": text, "probability": share} for text, share in self.alternatives],
            "box": self.box.to_values(),
            "page": self.page,
        }


@dataclass(frozen=True, eq=False)
class Reading:
    """The result of reading one picture.

    Attributes:
        status: "ok", or "rejected" if half of the characters or more are not readable as digits, or a quarter
            or more and the rest is a guess.
        text: the digits, "?" for ink that was rejected, a newline between lines, an empty line between pages;
            empty if the picture was rejected.
        digits: all digits and all rejected pieces of ink, in reading order.
        reason: reason why the picture was rejected; None if it was read.
        steps: pictures of the preparation steps; empty unless they were asked for.
        lines: lines of writing, in reading order, also of a rejected picture.
        notes: sentences about what was left out or done: ruled lines, borders, unread pages.
    """

    status: Literal["ok", "rejected"]
    text: str
    digits: tuple[ReadDigit, ...]
    reason: Reason | None = None
    steps: tuple[Step, ...] = ()
    lines: tuple[ReadLine, ...] = ()
    notes: tuple[str, ...] = ()

    def to_values(self) -> dict[str, Any]:
        """Return the reading as JSON-compatible values, without images."""
        return {
            "status": self.status,
            "text": self.text,
            "digits": [digit.to_values() for digit in self.digits],
            "reason": self.reason,
            "lines": [line.to_values() for line in self.lines],
            "notes": list(self.notes),
        }
