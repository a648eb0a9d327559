"""A hand that writes digits on the page's pad, by mouse or by finger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from playwright.sync_api import Page

Point = tuple[float, float]

# One stroke a digit, in a box of 1 by 1.
STROKES: dict[str, Sequence[Point]] = {
    "0": [
        (0.7, 0.06),
        (0.5, 0),
        (0.2, 0.15),
        (0.05, 0.5),
        (0.2, 0.85),
        (0.5, 1),
        (0.8, 0.85),
        (0.95, 0.5),
        (0.8, 0.15),
        (0.6, 0.02),
    ],
    "1": [(0.5, 0), (0.5, 0.5), (0.5, 1)],
    "2": [
        (0.05, 0.25),
        (0.2, 0.05),
        (0.5, 0),
        (0.8, 0.1),
        (0.85, 0.35),
        (0.5, 0.65),
        (0.02, 0.98),
        (0.4, 0.94),
        (1, 0.97),
    ],
    "6": [
        (0.7, 0),
        (0.4, 0.2),
        (0.15, 0.5),
        (0.1, 0.8),
        (0.4, 1),
        (0.8, 0.92),
        (0.85, 0.68),
        (0.5, 0.55),
        (0.15, 0.75),
    ],
    "7": [(0.05, 0.03), (0.5, 0.03), (0.95, 0), (0.7, 0.35), (0.5, 0.7), (0.4, 1)],
}


def write_with_mouse(page: Page, text: str) -> None:
    """Write a number across the pad."""
    for stroke in strokes_on(page, text):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def write_with_finger(page: Page, text: str) -> None:
    """Write a number across the pad of a page that has a touch screen."""
    client = page.context.new_cdp_session(page)

    def touch(kind: str, *points: Point) -> None:
        fingers = [{"x": x, "y": y} for x, y in points]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    for stroke in strokes_on(page, text):
        touch("touchStart", stroke[0])
        for point in stroke[1:]:
            touch("touchMove", point)
        touch("touchEnd")


def strokes_on(page: Page, text: str) -> Iterator[list[Point]]:
    """Place the strokes of a number on the pad, with points a few pixels apart."""
    box = page.locator("#pad canvas").bounding_box()
    assert box is not None
    height = min(box["height"] * 0.55, 1.2 * box["width"] / (len(text) + 0.5))
    step = height / 1.2
    left = box["x"] + (box["width"] - step * len(text)) / 2
    top = box["y"] + (box["height"] - height) / 2
    for place, digit in enumerate(text):
        corners = [(left + step * (place + 0.15 + 0.7 * x), top + height * y) for x, y in STROKES[digit]]
        yield list(rounded(corners))


def rounded(corners: Sequence[Point]) -> Iterator[Point]:
    """Go through the corners as a hand does, in four steps each: a Catmull-Rom spline."""
    yield corners[0]
    around = [corners[0], *corners, corners[-1]]
    for before, start, end, after in zip(around, around[1:], around[2:], around[3:], strict=False):
        for part in (0.25, 0.5, 0.75, 1):
            x, y = (_spline(part, *each) for each in zip(before, start, end, after, strict=True))
            yield x, y


def _spline(part: float, before: float, start: float, end: float, after: float) -> float:
    slope_in, slope_out = (end - before) / 2, (after - start) / 2
    bend = 3 * (end - start) - 2 * slope_in - slope_out
    twist = 2 * (start - end) + slope_in + slope_out
    return start + part * (slope_in + part * (bend + part * twist))
