"""Predictions of a trial as the store keeps them: packed, earlier checkpoints as changes of the last one."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np

# The first byte of a packed array; one kept before arrays were packed begins with a class, below 100.
_HALF_BYTES, _BYTES, _CHANGES = 0xF0, 0xF1, 0xF2
_LEAST_MARK = _HALF_BYTES
_HALF = 16  # classes that half a byte can tell


def pack(by_epoch: Mapping[int, bytes]) -> dict[int, bytes]:
    """Pack the predictions of a trial.

    Args:
        by_epoch: predicted classes, a byte each, by checkpoint epoch; all of the same length.

    Returns:
        Packed predictions by epoch: those of the last epoch by themselves, the others as their difference
        from them, which is mostly zero.
    """
    packed: dict[int, bytes] = {}
    last = np.empty(0, np.uint8)
    for epoch in sorted(by_epoch, reverse=True):
        classes = np.frombuffer(by_epoch[epoch], np.uint8)
        if not packed:
            packed[epoch] = _whole(classes)
            last = classes
        else:
            packed[epoch] = bytes([_CHANGES]) + zlib.compress((classes ^ last).tobytes(), 1)
    return packed


def unpack(packed: bytes, last: bytes) -> np.ndarray:
    """Return predicted classes, uint8 [n].

    Args:
        packed: predictions as `pack` returned them, or of a store that did not pack them.
        last: packed predictions of the trial's last checkpoint, which may be the same.

    Raises:
        zlib.error: the bytes are damaged.
    """
    if not packed or packed[0] < _LEAST_MARK:
        return np.frombuffer(packed, np.uint8)
    if packed[0] == _CHANGES:
        return np.frombuffer(zlib.decompress(packed[1:]), np.uint8) ^ unpack(last, last)
    if packed[0] == _BYTES:
        return np.frombuffer(packed, np.uint8, offset=1)
    halves = np.frombuffer(packed, np.uint8, offset=2)
    classes = np.empty(2 * len(halves), np.uint8)
    classes[0::2] = halves >> 4
    classes[1::2] = halves & 15
    return classes[: len(classes) - packed[1]]


def _whole(classes: np.ndarray) -> bytes:
    if classes.size and classes.max() >= _HALF:
        return bytes([_BYTES]) + classes.tobytes()
    odd = len(classes) % 2
    even = np.append(classes, np.uint8(0)) if odd else classes
    return bytes([_HALF_BYTES, odd]) + (even[0::2] << 4 | even[1::2]).tobytes()
