"""Outlines with straight sides: their corners, and the brightness on either side of them."""

from __future__ import annotations

import cv2
import numpy as np

_STRAIGHT = 0.02  # share of an outline's length by which a side may bend
_SHORTEST = 0.08  # share of its length: each side of an outline with four corners, at least
_SHORT = 0.04  # share of its length: what is shorter is a bent corner instead of a side
_BORDER = 2  # pixels: distance from the picture's border within which a side lies along it
_SAMPLES = np.linspace(0.05, 0.95, 40)[:, None]  # positions along a side


def four_corners(hull: np.ndarray) -> np.ndarray | None:
    """Find the corners at which the four longest sides of a hull meet; a corner may be bent or cut off.

    Args:
        hull: convex hull as OpenCV returns it, int32 [n, 1, 2].

    Returns:
        x and y of the corners, float32 [4, 2], clockwise from the upper left; None if no four sides meet.
    """
    points, length = _sides(hull)
    around = length.sum()
    four = np.sort(np.argsort(length)[-4:])
    if len(points) < 4 or length[four].min() < _SHORTEST * around:
        return None
    ends = np.pad(
        np.stack([points, np.roll(points, -1, axis=0)]), ((0, 0), (0, 0), (0, 1)), constant_values=1
    )
    lines = np.cross(ends[0, four], ends[1, four])
    meeting = np.cross(np.roll(lines, 1, axis=0), lines)
    if (np.abs(meeting[:, 2]) < 1e-6).any():
        return None
    corners = (meeting[:, :2] / meeting[:, 2:]).astype(np.float32)
    if not cv2.isContourConvex(corners):
        return None
    if cv2.contourArea(corners, oriented=True) < 0:
        corners = corners[::-1]
    return np.ascontiguousarray(np.roll(corners, -int(corners.sum(axis=1).argmin()), axis=0))


def sides_within(hull: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Find the straight sides of a hull that do not lie along the borders of the picture.

    Args:
        hull: convex hull as OpenCV returns it, int32 [n, 1, 2].
        shape: the picture's shape: rows, columns.

    Returns:
        x and y of both ends of each side, float64 [n, 2, 2].
    """
    points, length = _sides(hull)
    ends = np.stack([points, np.roll(points, -1, axis=0)], axis=1)
    last = np.array(shape[1::-1]) - 1
    along = np.logical_and.reduce(ends <= _BORDER, axis=1) | np.logical_and.reduce(
        ends >= last - _BORDER, axis=1
    )
    return ends[(length > _SHORT * length.sum()) & ~np.logical_or.reduce(along, axis=1)]


def differences(grey: np.ndarray, sides: np.ndarray, centre: np.ndarray, aside: float) -> np.ndarray:
    """Compare the brightness inside and outside of the sides of an outline.

    Args:
        grey: the picture, uint8 [h, w].
        sides: x and y of both ends of each side, [n, 2, 2].
        centre: x and y of the outline's centre, [2].
        aside: distance from the sides at which brightness is sampled, in pixels.

    Returns:
        Brightness inside minus brightness outside, at 40 points along each side, int16 [n, 40].
    """
    found = []
    for start, end in sides:
        way = end - start
        across = np.array([way[1], -way[0]]) / max(float(np.hypot(*way)), 1e-6) * aside
        across *= np.sign(across @ ((start + end) / 2 - centre))
        line = start + _SAMPLES * way
        found.append(_sample(grey, line - across) - _sample(grey, line + across))
    return np.array(found)


def inset(corners: np.ndarray, rim: float) -> np.ndarray:
    """Move all sides of a convex outline inwards.

    Args:
        corners: x and y of the outline's corners, float32 [n, 2].
        rim: distance to move the sides, in pixels.

    Returns:
        x and y of the new corners, float32 [n, 2].
    """
    before, after = np.roll(corners, 1, axis=0) - corners, np.roll(corners, -1, axis=0) - corners
    one, other = (way / np.linalg.norm(way, axis=1, keepdims=True) for way in (before, after))
    sine = np.abs(one[:, :1] * other[:, 1:] - one[:, 1:] * other[:, :1])
    return corners + rim * (one + other) / np.maximum(sine, 0.3)


def _sides(hull: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Approximate a hull by straight sides: its corners, float64 [n, 2], and the length of each side."""
    points = cv2.approxPolyDP(hull, _STRAIGHT * cv2.arcLength(hull, True), True)[:, 0].astype(np.float64)
    return points, np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)


def _sample(grey: np.ndarray, points: np.ndarray) -> np.ndarray:
    columns, rows = np.rint(points).astype(int).T
    inside = np.clip(rows, 0, grey.shape[0] - 1), np.clip(columns, 0, grey.shape[1] - 1)
    return grey[inside].astype(np.int16)
