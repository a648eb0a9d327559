"""Recognition of handwritten numbers in pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.recognition.lengths import LengthRange
    from digitlab.recognition.reading import Box, Opinions, ReadDigit, Reading, ReadLine, Reason, Step
    from digitlab.recognition.recognizer import Recognizer

__getattr__ = lazy_exports(
    __name__,
    {
        "Box": "reading",
        "LengthRange": "lengths",
        "Opinions": "reading",
        "ReadDigit": "reading",
        "ReadLine": "reading",
        "Reading": "reading",
        "Reason": "reading",
        "Recognizer": "recognizer",
        "Step": "reading",
    },
)

__all__ = [
    "Box",
    "LengthRange",
    "Opinions",
    "ReadDigit",
    "ReadLine",
    "Reading",
    "Reason",
    "Recognizer",
    "Step",
]
