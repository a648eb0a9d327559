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
    points, lengths = _sides(hull)
    longest = np.sort(np.argsort(lengths)[-4:])
    if len(points) < 4 or lengths[longest].min() < _SHORTEST * lengths.sum():
        return None
    # In homogeneous coordinates the cross product of two points is the line through them, and that of two
    # lines the point at which they meet.
    homogeneous = np.pad(points, ((0, 0), (0, 1)), constant_values=1)
    lines = np.cross(homogeneous, np.roll(homogeneous, -1, axis=0))[longest]
    meeting = np.cross(np.roll(lines, 1, axis=0), lines)
    are_parallel = np.abs(meeting[:, 2]) < 1e-6
    if are_parallel.any():
        return None
    corners = (meeting[:, :2] / meeting[:, 2:]).astype(np.float32)
    if not cv2.isContourConvex(corners):
        return None
    if cv2.contourArea(corners, oriented=True) < 0:  # counterclockwise
        corners = corners[::-1]
    upper_left = int(corners.sum(axis=1).argmin())
    return np.ascontiguousarray(np.roll(corners, -upper_left, axis=0))


def sides_within(hull: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Find the straight sides of a hull that do not lie along the borders of the picture.

    Args:
        hull: convex hull as OpenCV returns it, int32 [n, 1, 2].
        shape: the picture's shape: rows, columns.

    Returns:
        x and y of both ends of each side, float64 [n, 2, 2].
    """
    points, lengths = _sides(hull)
    ends = np.stack([points, np.roll(points, -1, axis=0)], axis=1)
    rows, columns = shape[:2]
    last = np.array([columns, rows]) - 1
    # Both ends of a side are near the same border: by x, left or right, and by y, above or below.
    near_first = (ends <= _BORDER).all(axis=1)
    near_last = (ends >= last - _BORDER).all(axis=1)
    lies_along = np.any(near_first | near_last, axis=1)
    is_long = lengths > _SHORT * lengths.sum()
    return ends[is_long & ~lies_along]


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
    by_side = []
    for start, end in sides:
        x, y = end - start
        outwards = np.array([y, -x]) / max(float(np.hypot(x, y)), 1e-6) * aside
        outwards *= np.sign(outwards @ ((start + end) / 2 - centre))
        points = start + _SAMPLES * (end - start)
        by_side.append(_sample(grey, points - outwards) - _sample(grey, points + outwards))
    return np.array(by_side)


def inset(corners: np.ndarray, rim: float) -> np.ndarray:
    """Move all sides of a convex outline inwards.

    Args:
        corners: x and y of the outline's corners, float32 [n, 2].
        rim: distance to move the sides, in pixels.

    Returns:
        x and y of the new corners, float32 [n, 2].
    """
    back = _directions(np.roll(corners, 1, axis=0) - corners)
    ahead = _directions(np.roll(corners, -1, axis=0) - corners)
    sine = np.abs(back[:, :1] * ahead[:, 1:] - back[:, 1:] * ahead[:, :1])
    # A sharp corner would move far inwards: the sine is bounded.
    return corners + rim * (back + ahead) / np.maximum(sine, 0.3)


def _directions(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _sides(hull: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Approximate a hull by straight sides: its corners, float64 [n, 2], and the length of each side."""
    tolerance = _STRAIGHT * cv2.arcLength(hull, True)
    points = cv2.approxPolyDP(hull, tolerance, True)[:, 0].astype(np.float64)
    lengths = np.linalg.norm(np.roll(points, -1, axis=0) - points, axis=1)
    return points, lengths


def _sample(grey: np.ndarray, points: np.ndarray) -> np.ndarray:
    height, width = grey.shape
    columns, rows = np.rint(points).astype(int).T
    columns, rows = np.clip(columns, 0, width - 1), np.clip(rows, 0, height - 1)
    return grey[rows, columns].astype(np.int16)
