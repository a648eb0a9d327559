"""Folders of pictures with a `labels.csv`, and how well they are read."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from outcomes import calibration_error, wilson

from digitlab.recognition import Reading


@dataclass(frozen=True)
class Sample:
    """A picture of one digit.

    Attributes:
        path: path of the file.
        label: the digit.
        group: the writer or the style.
    """

    path: Path
    label: int
    group: str


def read_labels(folder: Path) -> list[Sample]:
    """Read a folder's `labels.csv`: a title row, then file, label, and writer or style."""
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [Sample(folder / name, int(label), group) for name, label, group in rows]


def held_out(groups: Iterable[str]) -> list[str]:
    """Name the groups that nothing may be chosen on: the smaller half, the last in sorted order."""
    names = sorted(set(groups), key=str.casefold)
    return names[(len(names) + 1) // 2 :]


def divided(folders: Iterable[Path]) -> Iterator[tuple[Sample, bool]]:
    """Yield the samples of folders, and whether the group of each is held out among those of its folder."""
    for folder in folders:
        samples = read_labels(folder)
        names = held_out(sample.group for sample in samples)
        for sample in samples:
            yield sample, sample.group in names


@dataclass(frozen=True)
class Answer:
    """What was said of a sample.

    Attributes:
        label: the digit that is written.
        text: text that was read: of a picture with one digit, one digit.
        likeliest: the digit that the network took it for, even if it was rejected; None if none or several
            pieces of ink were found.
        confidence: confidence of `likeliest`, 0..1.
        reason: why the picture was rejected, else an empty string.
    """

    label: int
    text: str
    likeliest: int | None
    confidence: float
    reason: str

    @property
    def right(self) -> bool:
        """Whether it is just the digit that is written."""
        return self.text == str(self.label)


def answer(label: int, reading: Reading) -> Answer:
    """Note what was said of a picture with this digit."""
    reason = reading.reason or ""
    if len(reading.digits) != 1:
        return Answer(label, reading.text, None, 0.0, reason)
    (single,) = reading.digits
    return Answer(label, reading.text, single.digit, single.confidence, reason)


def scores(answers: Sequence[Answer]) -> dict[str, float]:
    """Compute shares in percent: of all pictures, and of those that were answered.

    Returns:
        `pictures` (their number); `accuracy`: read right, of all, and its 95 % interval, `low` and `high`;
        `unrejected`: the same if nothing were rejected; `rejected`: of all; `wrong`: answered otherwise, of
        all; `calibration_error`: of those that were answered with one digit.
    """
    count = len(answers)
    rejected = sum(bool(item.reason) for item in answers)
    right = sum(item.right for item in answers)
    likeliest_right = sum(item.likeliest == item.label for item in answers)
    low, high = wilson(right, count)
    single = [item for item in answers if len(item.text) == 1 and not item.reason]
    return {
        "pictures": count,
        "accuracy": 100 * right / count,
        "low": low,
        "high": high,
        "unrejected": 100 * likeliest_right / count,
        "rejected": 100 * rejected / count,
        "wrong": 100 * (count - right - rejected) / count,
        "calibration_error": calibration_error(
            [item.confidence for item in single], [item.right for item in single]
        ),
    }


def confusions(answers: Sequence[Answer]) -> list[tuple[int, str, int]]:
    """List what was misread: label, answer (or why it was rejected) and how often, most frequent first."""
    counts = Counter((item.label, item.text or item.reason) for item in answers if not item.right)
    return [(label, text, n) for (label, text), n in counts.most_common()]


def reported(samples: Sequence[Sample]) -> list[Sample]:
    """Give the samples of the held-out groups, which figures are given of."""
    names = held_out(sample.group for sample in samples)
    return [sample for sample in samples if sample.group in names]


def chosen(samples: Sequence[Sample]) -> list[Sample]:
    """Give the samples of the groups that choices are made with."""
    names = held_out(sample.group for sample in samples)
    return [sample for sample in samples if sample.group not in names]
