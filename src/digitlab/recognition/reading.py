"""What was read in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import numpy as np


class Reason(StrEnum):
    """Why a picture, or one piece of ink in it, was not read."""

    NO_INK = "no ink"
    """Nothing stands out from the background: blank, noise, texture, or lines and frames alone."""
    TOO_SMALL = "too small"
    """The writing is under 8 pixels high: too small to tell digits from dirt."""
    TOO_MANY = "too many"
    """More pieces than a page of digits has: print, a drawing or a texture."""
    NOT_A_DIGIT = "not a digit"
    """Ink, but unlike the digits that the network knows; or digits that run together and were not split."""


@dataclass(frozen=True)
class Box:
    """A rectangle in the upright picture.

    Attributes:
        left: its first column, in pixels from the left edge.
        top: its first row, in pixels from the upper edge.
        width: in pixels.
        height: in pixels.
    """

    left: int
    top: int
    width: int
    height: int

    def to_values(self) -> list[int]:
        """Give left, top, width and height, as JSON has them."""
        return [self.left, self.top, self.width, self.height]


@dataclass(frozen=True, eq=False)
class Step:
    """A picture of one step of the preparation.

    Attributes:
        name: what was done.
        image: uint8 [h, w] or [h, w, 3] (RGB).
    """

    name: str
    image: np.ndarray


@dataclass(frozen=True)
class Opinions:
    """What two networks say of one piece of ink; neither knows the other's answer.

    Attributes:
        row_digit: the digit that the reader of rows saw there; None where it saw none.
        row_probability: how probable the row reader's answer at this place is, 0..1.
        form_digit: the digit that the classifier takes the ink in MNIST form for, 0..9.
        form_probability: that digit's calibrated probability, 0..1.
        likely_digit: how likely the ink is a digit at all, 0..1, by the classifier.
    """

    row_digit: int | None
    row_probability: float
    form_digit: int
    form_probability: float
    likely_digit: float

    def to_values(self) -> dict[str, Any]:
        """Give plain values, as JSON takes them."""
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
    """One digit, in the order of reading; or ink in its place that was rejected.

    Attributes:
        digit: the likeliest class, 0..9, also of rejected ink.
        confidence: its calibrated probability, 0..1.
        runner_up: the second likeliest class.
        runner_up_confidence: its calibrated probability.
        probabilities: calibrated, of the classes 0..9.
        box: where its ink is.
        line: the line that it stands on: its index in the reading's `lines`.
        image: the ink in MNIST form, as the classifier saw it, uint8 [28, 28].
        reason: why the ink was rejected; None for a digit.
        opinions: what the row reader and the classifier say of it, each for itself; None where only one was
            asked.
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
        """Give plain values, as JSON takes them, without the image."""
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
    """One line of writing, in the order of reading.

    Attributes:
        text: the line's digits, "?" for ink that was rejected.
        confidence: the calibrated probability that the whole line is right, 0..1.
        alternatives: the likeliest texts with their probabilities, best first, that of `text` among them
            unless some of it was rejected.
        box: where the line's ink is.
        page: of the file, from 0.
    """

    text: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    box: Box
    page: int = 0

    def to_values(self) -> dict[str, Any]:
        """Give plain values, as JSON takes them."""
        return {
            "text": self.text,
            "confidence": self.confidence,
            "alternatives": [{"text": text, "probability": share} for text, share in self.alternatives],
            "box": self.box.to_values(),
            "page": self.page,
        }


@dataclass(frozen=True, eq=False)
class Reading:
    """The answer to a picture.

    Attributes:
        status: "ok", or "rejected" when half of what is written is not readable as digits, or a
            quarter and the rest is a guess.
        text: the digits, "?" for ink that was rejected, a newline between lines, an empty line between pages;
            empty if rejected.
        digits: every digit and every rejected piece of ink, in reading order.
        reason: why the picture was rejected; None when it was read.
        steps: pictures of the preparation, when they were asked for.
        lines: the lines of writing, in reading order; those of a rejected picture too.
        notes: sentences that say what was left out or guessed: ruled lines, borders, unread pages.
    """

    status: Literal["ok", "rejected"]
    text: str
    digits: tuple[ReadDigit, ...]
    reason: Reason | None = None
    steps: tuple[Step, ...] = ()
    lines: tuple[ReadLine, ...] = ()
    notes: tuple[str, ...] = ()

    def to_values(self) -> dict[str, Any]:
        """Give plain values, as JSON takes them, without images."""
        return {
            "status": self.status,
            "text": self.text,
            "digits": [digit.to_values() for digit in self.digits],
            "reason": self.reason,
            "lines": [line.to_values() for line in self.lines],
            "notes": list(self.notes),
        }
