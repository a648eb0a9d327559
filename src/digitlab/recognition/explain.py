"""Drawings that explain a reading: the preparation steps, and the digits with the networks' outputs."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from digitlab.recognition.reading import ReadDigit, Reading

_PANEL = 260
_DIGIT = 112
_MARGIN = 12
_CAPTION = 22
_STEPS_A_ROW = 4
_FONT, _FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.45
_INK, _PAPER, _RIGHT, _REJECTED = (40, 40, 40), (255, 255, 255), (0, 120, 60), (190, 70, 0)


def draw_explanation(reading: Reading, size: tuple[int, int]) -> np.ndarray:
    """Draw the preparation steps of a picture, the digits found, and each digit as the classifier saw it.

    Args:
        reading: the picture's reading, made with `explain=True`.
        size: width and height of the upright picture, in pixels.

    Returns:
        RGB picture, uint8 [h, w, 3].
    """
    images = [(step.name, step.image) for step in reading.steps]
    images += [("found", _found(reading, images[0][1], size))] if images and reading.digits else []
    steps = [_captioned(_fit(image, _PANEL), [name], _INK) for name, image in images]
    width = min(max(len(steps), 2), _STEPS_A_ROW) * (_PANEL + _MARGIN) + _MARGIN
    digits = [
        _captioned(_fit(digit.image, _DIGIT), _answer(digit), _color(digit)) for digit in reading.digits
    ]
    verdict = f"rejected: {reading.reason}" if reading.reason else f"read: {' / '.join(reading.text.split())}"
    title = _text_line(verdict, width - _MARGIN, _REJECTED if reading.reason else _RIGHT)
    title = np.hstack([np.full((_CAPTION, _MARGIN, 3), _PAPER, np.uint8), title])
    return np.vstack([*_rows(steps, width), title, *_rows(digits, width)])


def _found(reading: Reading, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Draw the picture with a box around every digit."""
    scale = 2 * _PANEL / max(size)  # twice the size that is shown, so that boxes of any picture look alike
    shown = cv2.resize(picture, (max(1, round(size[0] * scale)), max(1, round(size[1] * scale))))
    shown = cv2.cvtColor(shown, cv2.COLOR_GRAY2RGB) if shown.ndim == 2 else shown
    for digit in reading.digits:
        box = digit.box
        left, top = round(box.left * scale), round(box.top * scale)
        right, bottom = round((box.left + box.width) * scale), round((box.top + box.height) * scale)
        cv2.rectangle(shown, (left - 3, top - 3), (right + 3, bottom + 3), _color(digit), 2)
    return shown


def encode_png(image: np.ndarray) -> bytes:
    """Encode an RGB or grey picture, uint8 [h, w, 3] or [h, w], as a PNG file."""
    return cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image)[1].tobytes()


def _answer(digit: ReadDigit) -> list[str]:
    """Return the caption of a digit: what was read, and the outputs of both networks."""
    read = str(digit.reason) if digit.reason else f"{digit.digit}: {100 * digit.confidence:.1f} %"
    said = digit.opinions
    if said is None:
        return [read]
    in_row = "no digit" if said.row_digit is None else f"{said.row_digit} {100 * said.row_probability:.0f} %"
    return [
        read,
        f"row: {in_row}",
        f"single: {said.form_digit} {100 * said.form_probability:.0f} %",
        f"a digit: {100 * said.likely_digit:.0f} %",
    ]


def _color(digit: ReadDigit) -> tuple[int, int, int]:
    return _REJECTED if digit.reason else _RIGHT


def _fit(image: np.ndarray, side: int) -> np.ndarray:
    """Scale a picture into a white square, uint8 [side, side, 3]; enlarged pixels stay sharp squares."""
    scale = side / max(image.shape[:2])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    scaled = cv2.resize(image, size, interpolation=cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA)
    colored = cv2.cvtColor(scaled, cv2.COLOR_GRAY2RGB) if scaled.ndim == 2 else scaled
    panel = np.full((side, side, 3), _PAPER, np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    panel[top : top + size[1], left : left + size[0]] = colored
    return cv2.rectangle(panel, (left, top), (left + size[0] - 1, top + size[1] - 1), (200, 200, 200))


def _captioned(panel: np.ndarray, lines: Sequence[str], color: tuple[int, int, int]) -> np.ndarray:
    return np.vstack([panel, *(_text_line(line, panel.shape[1], color) for line in lines)])


def _text_line(text: str, width: int, color: tuple[int, int, int]) -> np.ndarray:
    """Draw a line of text, smaller if it is too long, in ASCII, since the font has no other letters."""
    line = np.full((_CAPTION, width, 3), _PAPER, np.uint8)
    text = text.encode("ascii", "replace").decode()
    (length, _), _ = cv2.getTextSize(text, _FONT, _FONT_SCALE, 1)
    scale = _FONT_SCALE * min(1, (width - 4) / max(length, 1))
    return cv2.putText(line, text, (2, _CAPTION - 7), _FONT, scale, color, 1, cv2.LINE_AA)


def _rows(panels: Sequence[np.ndarray], width: int) -> list[np.ndarray]:
    """Arrange panels of one size side by side, in as many rows as needed."""
    if not panels:
        return []
    height, panel_width = panels[0].shape[:2]
    columns = (width - _MARGIN) // (panel_width + _MARGIN)
    rows = []
    for start in range(0, len(panels), columns):
        row = np.full((height + _MARGIN, width, 3), _PAPER, np.uint8)
        for column, panel in enumerate(panels[start : start + columns]):
            left = _MARGIN + column * (panel_width + _MARGIN)
            row[_MARGIN:, left : left + panel_width] = panel
        rows.append(row)
    return rows
