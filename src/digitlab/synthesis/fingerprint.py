"""The fingerprint of this package: what is drawn is kept only as long as the same would be drawn again."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import cv2
import numpy as np


@cache
def synthesis_fingerprint() -> str:
    """Return a hash of the drawing code and of the versions of its libraries, 64 hexadecimal digits."""
    fingerprint = hashlib.sha256(f"NumPy {np.__version__}, OpenCV {cv2.__version__}".encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        fingerprint.update(module.read_bytes())
    return fingerprint.hexdigest()
