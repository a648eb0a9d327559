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


@dataclass(frozen=True, eq=False)
class Step:
    """A picture of one step of the preparation.

    Attributes:
        name: what was done.
        image: uint8 [h, w] or [h, w, 3] (RGB).
    """

    name: str
    image: np.ndarray


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
        line: on which line of writing, from 0.
        image: what the network saw, in MNIST form, uint8 [28, 28].
        reason: why the ink was rejected; None for a digit.
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

    def to_values(self) -> dict[str, Any]:
        """Give plain values, as JSON takes them, without the image."""
        box = self.box
        return {
            "digit": self.digit,
            "confidence": self.confidence,
            "runner_up": self.runner_up,
            "runner_up_confidence": self.runner_up_confidence,
            "probabilities": list(self.probabilities),
            "box": [box.left, box.top, box.width, box.height],
            "line": self.line,
            "reason": self.reason,
        }


@dataclass(frozen=True, eq=False)
class Reading:
    """The answer to a picture.

    Attributes:
        status: "ok", or "rejected" when most of what is written is not readable as digits.
        text: the digits, "?" for ink that was rejected, a newline between lines; empty if rejected.
        digits: every piece in reading order, the rejected ones too.
        reason: why the picture was rejected; None when it was read.
        steps: of the preparation, when they were asked for.
    """

    status: Literal["ok", "rejected"]
    text: str
    digits: tuple[ReadDigit, ...]
    reason: Reason | None = None
    steps: tuple[Step, ...] = ()

    def to_values(self) -> dict[str, Any]:
        """Give plain values, as JSON takes them, without images."""
        return {
            "status": self.status,
            "text": self.text,
            "digits": [digit.to_values() for digit in self.digits],
            "reason": self.reason,
        }
