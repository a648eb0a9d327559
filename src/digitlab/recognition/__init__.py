"""From a picture to digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.recognition.reading import Box, ReadDigit, Reading, Reason, Step
    from digitlab.recognition.recognizer import Recognizer

__getattr__ = lazy_exports(
    __name__,
    {
        "Box": "reading",
        "ReadDigit": "reading",
        "Reading": "reading",
        "Reason": "reading",
        "Recognizer": "recognizer",
        "Step": "reading",
    },
)

__all__ = ["Box", "ReadDigit", "Reading", "Reason", "Recognizer", "Step"]
