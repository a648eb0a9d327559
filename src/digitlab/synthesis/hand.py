"""Random strokes for many digits at once: lengths, positions, and smooth curves through points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Number = float | np.ndarray
Point = tuple[Number, Number]
Strokes = list[np.ndarray]
"""The strokes of a glyph for a batch of hands, each float64 [n, points, 2] of (x, y)."""
STEPS = 6
"""Number of points of a stroke from one control point to the next."""


class Hand:
    """A batch of hands: its methods return one value or stroke for each digit that is drawn.

    Coordinates are in the frame of a glyph: y from 0 at the head to 1 at the foot, x from 0 at the left to
    about 0.65.

    Args:
        random: random generator, owned by the caller.
        count: number of digits.
        unrest: typical standard deviation of the control points' jitter, as a share of the height.
    """

    def __init__(self, random: np.random.Generator, count: int, unrest: float = 0.02) -> None:
        self._random = random
        self._count = count
        self._unrest = np.minimum(unrest * random.gamma(2.0, 0.5, (count, 1, 1)), 2 * unrest)

    def between(self, low: Number, high: Number) -> np.ndarray:
        """Draw uniformly between two bounds, each a number or one for each digit: float64 [n]."""
        return self._random.uniform(low, high, self._count)

    def about(self, mean: Number, spread: float) -> np.ndarray:
        """Draw from a normal distribution that is clipped at two standard deviations: float64 [n]."""
        return mean + spread * np.clip(self._random.standard_normal(self._count), -2, 2)

    def sometimes(self, share: float, value: Number) -> np.ndarray:
        """Return `value` for a random share of the digits and 0 for the others: float64 [n]."""
        return np.where(self._random.random(self._count) < share, value, 0.0)

    def backwards(self, share: float) -> np.ndarray:
        """Return -1 for a random share of the digits and 1 for the others: float64 [n]."""
        return 1.0 - self.sometimes(share, 2.0)

    def stroke(self, *pieces: Sequence[Point]) -> np.ndarray:
        """Draw one stroke, without lifting the pen.

        Args:
            pieces: control points of each smooth piece; every piece but the first begins where the one
                before it ends, and turns a corner there.

        Returns:
            Points along the stroke, float64 [n, points, 2] of (x, y).
        """
        drawn: list[np.ndarray] = []
        for piece in pieces:
            points = np.stack([self._place(point) for point in piece], axis=1)
            points += self._unrest * np.clip(self._random.standard_normal(points.shape), -2, 2)
            if drawn:
                points = np.concatenate([drawn[-1][:, -1:], points], axis=1)
            drawn.append(_spline(points))
        return np.concatenate([drawn[0], *(piece[:, 1:] for piece in drawn[1:])], axis=1)

    def _place(self, point: Point) -> np.ndarray:
        return np.stack([np.broadcast_to(value, self._count) for value in point], axis=-1).astype(float)


def arc(centre: Point, radii: Point, start: Number, end: Number, points: int = 7) -> list[Point]:
    """Return control points on an ellipse.

    Args:
        centre: centre, x and y.
        radii: radii along x and y.
        start: first angle in degrees, 0 at the right, 90 at the foot, 180 at the left, 270 at the head.
        end: last angle in degrees; below `start` for a counterclockwise arc.
        points: number of control points, 2 or more.
    """
    (x, y), (across, along) = centre, radii
    angles = [np.deg2rad(start + (end - start) * share) for share in np.linspace(0, 1, points)]
    return [(x + across * np.cos(angle), y + along * np.sin(angle)) for angle in angles]


def between(first: Point, second: Point, share: Number) -> Point:
    """Return the point at a share of the way from one point to another; beyond it for a share above 1."""
    (x, y), (end_x, end_y) = first, second
    return x + share * (end_x - x), y + share * (end_y - y)


def _spline(points: np.ndarray) -> np.ndarray:
    """Compute curves through control points [n, k, 2]: [n, (k - 1) * STEPS + 1, 2].

    Source:
        Barry and Goldman 1988, A recursive evaluation algorithm for a class of Catmull-Rom splines, with
        centripetal knots: they make no loops where control points are unevenly spaced.
    """
    padded = np.concatenate(
        [2 * points[:, :1] - points[:, 1:2], points, 2 * points[:, -1:] - points[:, -2:-1]], 1
    )
    lengths = np.sqrt(np.linalg.norm(np.diff(padded, axis=1), axis=2)) + 1e-3
    knots = np.concatenate([np.zeros_like(lengths[:, :1]), np.cumsum(lengths, axis=1)], axis=1)
    # [n, segments, 1, 1 or 2]: the four knots and control points of every segment
    t = [knots[:, i : knots.shape[1] - 3 + i, None, None] for i in range(4)]
    p = [padded[:, i : padded.shape[1] - 3 + i, None, :] for i in range(4)]
    at = t[1] + (t[2] - t[1]) * (np.arange(STEPS) / STEPS)[None, None, :, None]

    def mix(a: np.ndarray, b: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        share = (at - low) / (high - low)
        return a + share * (b - a)

    first, second, third = (mix(p[i], p[i + 1], t[i], t[i + 1]) for i in range(3))
    inner = mix(mix(first, second, t[0], t[2]), mix(second, third, t[1], t[3]), t[1], t[2])
    return np.concatenate([inner.reshape(len(points), -1, 2), points[:, -1:]], axis=1)
