"""What a reading was: right, refused, wrong, or shorter than what is written; and how sure a share is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from digitlab.recognition import Reading
from digitlab.results import metrics


@dataclass(frozen=True)
class Outcome:
    """What was said of a picture.

    Attributes:
        truth: text that is written, as `Reading.text` gives it; empty where there is no number.
        text: text that was read; empty if the picture was refused.
        accepted: whether the text claims to be whole: the picture was not refused, and no `?` stands in it.
        confidence: probability that all of the text is right, 0..1.
        digits: confidence, 0..1, of each digit that was read, and whether it is right; none where the text
            is longer or shorter than what is written.
    """

    truth: str
    text: str
    accepted: bool
    confidence: float
    digits: tuple[tuple[float, bool], ...] = ()

    @property
    def right(self) -> bool:
        """Whether it is what is written; where there is no number, whether no digit was read."""
        if not self.truth:
            return not any(map(str.isdigit, self.text))
        return self.text == self.truth

    @property
    def wrong(self) -> bool:
        """Whether a text that claims to be whole is another than what is written."""
        return self.accepted and not self.right

    @property
    def shorter(self) -> bool:
        """Whether a text that claims to be whole has fewer digits than what is written: the worst fault."""
        return self.wrong and _digits(self.text) < _digits(self.truth)


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def outcome(truth: str, reading: Reading) -> Outcome:
    """Note what was said of a picture on which this is written."""
    accepted = reading.status == "ok" and "?" not in reading.text
    confidence = prod(line.confidence for line in reading.lines)
    return Outcome(truth, reading.text, accepted, confidence, _digits_read(truth, reading))


def _digits_read(truth: str, reading: Reading) -> tuple[tuple[float, bool], ...]:
    wanted = truth.replace("\n", "")
    text = reading.text.replace("\n", "")
    if not len(wanted) == len(text) == len(reading.digits):
        return ()
    digits = []
    for right, sign, digit in zip(wanted, text, reading.digits, strict=True):
        if sign != "?":
            digits.append((digit.confidence, sign == right))
    return tuple(digits)


def shares(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Count outcomes, with 95 % intervals of the shares read and wrong.

    Returns:
        `n`; in percent of all: `read`, its interval `low` and `high`, `refused` (a `?` in the text counts),
        `wrong`, its interval `wrong_low` and `wrong_high`, and, of the wrong ones, `shorter`.
    """
    count = len(outcomes)
    right = sum(item.right for item in outcomes)
    wrong = sum(item.wrong for item in outcomes)
    low, high = wilson(right, count)
    wrong_low, wrong_high = wilson(wrong, count)
    return {
        "n": count,
        "read": 100 * right / count,
        "low": low,
        "high": high,
        "refused": 100 * (count - right - wrong) / count,
        "wrong": 100 * wrong / count,
        "wrong_low": wrong_low,
        "wrong_high": wrong_high,
        "shorter": 100 * sum(item.shorter for item in outcomes) / count,
    }


def accepted_shares(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Say how well the accepted readings can be trusted, and how well the confidence sorts all.

    Returns:
        In percent: `accepted` of all; `wrong_accepted`, of those; its interval; `right_50`, `right_70` and
        `right_90`: right among the so many percent that are most confident, the refused ones last;
        `calibration_error`: of the confidence of accepted readings; `digit_calibration_error`: of the
        digits that were read, also beside a `?`.
    """
    accepted = [item for item in outcomes if item.accepted]
    wrong = sum(not item.right for item in accepted)
    low, high = wilson(wrong, len(accepted))
    row = {
        "accepted": 100 * len(accepted) / len(outcomes),
        "wrong_accepted": 100 * wrong / max(len(accepted), 1),
        "wrong_accepted_low": low,
        "wrong_accepted_high": high,
    }
    ranked = sorted(outcomes, key=lambda item: (item.accepted, item.confidence), reverse=True)
    for share in (50, 70, 90):
        most_confident = ranked[: max(1, len(ranked) * share // 100)]
        row[f"right_{share}"] = 100 * float(np.mean([item.right for item in most_confident]))
    confidences = [item.confidence for item in accepted]
    row["calibration_error"] = calibration_error(confidences, [item.right for item in accepted])
    digits = [digit for item in outcomes for digit in item.digits]
    row["digit_calibration_error"] = calibration_error(
        [confidence for confidence, _ in digits], [right for _, right in digits]
    )
    return row


def calibration_error(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """Compute the expected calibration error in percent; 0 where nothing was read."""
    if not confidence:
        return 0.0
    return 100 * metrics.calibration_error(np.array(confidence, float), np.array(right, bool))


def wilson(hits: int, count: int) -> tuple[float, float]:
    """Compute the 95 % interval of a share, in percent; all of 0 to 100 where nothing was counted."""
    low, high = metrics.wilson_interval(hits, count)
    return 100 * low, 100 * high
