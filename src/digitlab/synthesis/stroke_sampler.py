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
_SMALLEST_KNOT = 1e-3
"""Distance of two knots, at least: control points at one place would otherwise divide by 0."""


class StrokeSampler:
    """A batch of hands: its methods return one value or stroke for each digit that is drawn.

    Coordinates are in the frame of a glyph: y from 0 at the head to 1 at the foot, x from 0 at the left to
    about 0.65.

    Args:
        random: random generator, owned by the caller.
        count: number of digits.
        jitter: typical standard deviation of the control points' displacement, as a share of the height.
    """

    def __init__(self, random: np.random.Generator, count: int, jitter: float = 0.02) -> None:
        self._random = random
        self._count = count
        # Some hands are steadier than others: a factor of mean 1 for each digit, at most 2.
        self._jitter = np.minimum(jitter * random.gamma(2.0, 0.5, (count, 1, 1)), 2 * jitter)

    def uniform(self, low: Number, high: Number) -> np.ndarray:
        """Draw uniformly between two bounds, each a number or one for each digit: float64 [n]."""
        return self._random.uniform(low, high, self._count)

    def normal(self, mean: Number, spread: float) -> np.ndarray:
        """Draw from a normal distribution that is clipped at two standard deviations: float64 [n]."""
        return mean + spread * np.clip(self._random.standard_normal(self._count), -2, 2)

    def bernoulli(self, share: float, value: Number) -> np.ndarray:
        """Return `value` for a random share of the digits and 0 for the others: float64 [n]."""
        return np.where(self._random.random(self._count) < share, value, 0.0)

    def backwards(self, share: float) -> np.ndarray:
        """Return -1 for a random share of the digits and 1 for the others: float64 [n]."""
        return 1.0 - self.bernoulli(share, 2.0)

    def stroke(self, *pieces: Sequence[Point]) -> np.ndarray:
        """Draw one stroke, without lifting the pen.

        Args:
            pieces: control points of each smooth piece; every piece but the first begins where the one
                before it ends, and turns a corner there.

        Returns:
            Points along the stroke, float64 [n, points, 2] of (x, y).
        """
        curves: list[np.ndarray] = []
        for piece in pieces:
            points = np.stack([self._as_array(point) for point in piece], axis=1)
            points += self._jitter * np.clip(self._random.standard_normal(points.shape), -2, 2)
            if curves:
                corner = curves[-1][:, -1:]
                points = np.concatenate([corner, points], axis=1)
            curves.append(_spline(points))
        # The first point of a later piece is the last of the one before it.
        without_corners = [curve[:, 1:] for curve in curves[1:]]
        return np.concatenate([curves[0], *without_corners], axis=1)

    def _as_array(self, point: Point) -> np.ndarray:
        """Return a point for each digit, float64 [n, 2]."""
        x, y = point
        columns = np.broadcast_to(x, self._count), np.broadcast_to(y, self._count)
        return np.stack(columns, axis=-1).astype(float)


def arc(centre: Point, radii: Point, start: Number, end: Number, points: int = 7) -> list[Point]:
    """Return control points on an ellipse.

    Args:
        centre: centre, x and y.
        radii: radii along x and y.
        start: first angle in degrees, 0 at the right, 90 at the foot, 180 at the left, 270 at the head.
        end: last angle in degrees; below `start` for a counterclockwise arc.
        points: number of control points, 2 or more.
    """
    x, y = centre
    radius_x, radius_y = radii
    control_points: list[Point] = []
    for share in np.linspace(0, 1, points):
        angle = np.deg2rad(start + (end - start) * share)
        control_points.append((x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)))
    return control_points


def between(first: Point, second: Point, share: Number) -> Point:
    """Return the point at a share of the way from one point to another; beyond it for a share above 1."""
    x, y = first
    end_x, end_y = second
    return x + share * (end_x - x), y + share * (end_y - y)


def _spline(points: np.ndarray) -> np.ndarray:
    """Compute curves through control points [n, k, 2]: [n, (k - 1) * STEPS + 1, 2].

    Source:
        Barry and Goldman 1988, A recursive evaluation algorithm for a class of Catmull-Rom splines, with
        centripetal knots: they make no loops where control points are unevenly spaced.
    """
    # A segment needs a control point before it and one after it: the ends are mirrored outwards.
    before = 2 * points[:, :1] - points[:, 1:2]
    after = 2 * points[:, -1:] - points[:, -2:-1]
    padded = np.concatenate([before, points, after], axis=1)
    distances = np.linalg.norm(np.diff(padded, axis=1), axis=2)
    intervals = np.sqrt(distances) + _SMALLEST_KNOT  # the square root makes the knots centripetal
    first_knot = np.zeros_like(intervals[:, :1])
    knots = np.concatenate([first_knot, np.cumsum(intervals, axis=1)], axis=1)
    # The four knots t and control points p of every segment, [n, segments, 1, 1 or 2].
    segments = padded.shape[1] - 3
    t = [knots[:, i : segments + i, None, None] for i in range(4)]
    p = [padded[:, i : segments + i, None, :] for i in range(4)]
    shares = (np.arange(STEPS) / STEPS)[None, None, :, None]
    at = t[1] + (t[2] - t[1]) * shares

    def mix(a: np.ndarray, b: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        share = (at - low) / (high - low)
        return a + share * (b - a)

    # The paper's pyramid: each level mixes neighbours of the level before it over a longer span of knots.
    first = mix(p[0], p[1], t[0], t[1])
    second = mix(p[1], p[2], t[1], t[2])
    third = mix(p[2], p[3], t[2], t[3])
    left = mix(first, second, t[0], t[2])
    right = mix(second, third, t[1], t[3])
    curve = mix(left, right, t[1], t[2])
    return np.concatenate([curve.reshape(len(points), -1, 2), points[:, -1:]], axis=1)
