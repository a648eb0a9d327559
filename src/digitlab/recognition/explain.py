"""Drawings that explain a reading: the preparation steps, and the digits with the networks' outputs."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from digitlab.recognition.reading import ReadDigit, Reading, Step

_PANEL = 260  # pixels: side of the panel of a step
_DIGIT = 112  # pixels: side of the panel of a digit
_MARGIN = 12  # pixels
_CAPTION = 22  # pixels: height of a line
_STEPS_A_ROW = 4
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_FONT_SCALE = 0.45
# Colours, RGB.
_INK = (40, 40, 40)
_PAPER = (255, 255, 255)
_FRAME = (200, 200, 200)
_READ = (0, 120, 60)
_REJECTED = (190, 70, 0)


def draw_explanation(reading: Reading, size: tuple[int, int]) -> np.ndarray:
    """Draw the preparation steps of a picture, the digits found, and each digit as the classifier saw it.

    Args:
        reading: the picture's reading, made with `explain=True`.
        size: width and height of the upright picture, in pixels.

    Returns:
        RGB picture, uint8 [h, w, 3].
    """
    steps = list(reading.steps)
    if steps and reading.digits:
        steps.append(Step("found", _with_boxes(reading, steps[0].image, size)))
    step_panels = [_captioned(_fit(step.image, _PANEL), [step.name], _INK) for step in steps]
    columns = min(max(len(step_panels), 2), _STEPS_A_ROW)
    width = columns * (_PANEL + _MARGIN) + _MARGIN
    digit_panels = []
    for digit in reading.digits:
        digit_panels.append(_captioned(_fit(digit.image, _DIGIT), _caption(digit), _color(digit)))
    if reading.reason:
        title = _text_line(f"rejected: {reading.reason}", width - _MARGIN, _REJECTED)
    else:
        title = _text_line(f"read: {' / '.join(reading.text.split())}", width - _MARGIN, _READ)
    left_margin = np.full((_CAPTION, _MARGIN, 3), _PAPER, np.uint8)
    title = np.hstack([left_margin, title])
    return np.vstack([*_rows(step_panels, width), title, *_rows(digit_panels, width)])


def _with_boxes(reading: Reading, picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Draw the picture with a box around every digit."""
    scale = 2 * _PANEL / max(size)  # twice the size that is shown, so that boxes of any picture look alike
    width, height = size
    shown = cv2.resize(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
    shown = _in_colour(shown)
    for digit in reading.digits:
        box = digit.box
        left, top = round(box.left * scale), round(box.top * scale)
        right, bottom = round((box.left + box.width) * scale), round((box.top + box.height) * scale)
        cv2.rectangle(shown, (left - 3, top - 3), (right + 3, bottom + 3), _color(digit), 2)
    return shown


def _in_colour(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image


def encode_png(image: np.ndarray) -> bytes:
    """Encode an RGB or grey picture, uint8 [h, w, 3] or [h, w], as a PNG file."""
    in_file_order = image[..., ::-1] if image.ndim == 3 else image  # OpenCV takes blue first
    _, file = cv2.imencode(".png", in_file_order)
    return file.tobytes()


def _caption(digit: ReadDigit) -> list[str]:
    """Return the caption of a digit: what was read, and the outputs of both networks."""
    read = str(digit.reason) if digit.reason else f"{digit.digit}: {100 * digit.confidence:.1f} %"
    opinions = digit.opinions
    if opinions is None:
        return [read]
    in_row = "no digit"
    if opinions.row_digit is not None:
        in_row = f"{opinions.row_digit} {100 * opinions.row_probability:.0f} %"
    return [
        read,
        f"row: {in_row}",
        f"single: {opinions.form_digit} {100 * opinions.form_probability:.0f} %",
        f"a digit: {100 * opinions.likely_digit:.0f} %",
    ]


def _color(digit: ReadDigit) -> tuple[int, int, int]:
    return _REJECTED if digit.reason else _READ


def _fit(image: np.ndarray, side: int) -> np.ndarray:
    """Scale a picture into a white square, uint8 [side, side, 3]; enlarged pixels stay sharp squares."""
    scale = side / max(image.shape[:2])
    width = max(1, round(image.shape[1] * scale))
    height = max(1, round(image.shape[0] * scale))
    method = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
    scaled = cv2.resize(image, (width, height), interpolation=method)
    panel = np.full((side, side, 3), _PAPER, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    panel[top : top + height, left : left + width] = _in_colour(scaled)
    return cv2.rectangle(panel, (left, top), (left + width - 1, top + height - 1), _FRAME)


def _captioned(panel: np.ndarray, lines: Sequence[str], color: tuple[int, int, int]) -> np.ndarray:
    captions = [_text_line(line, panel.shape[1], color) for line in lines]
    return np.vstack([panel, *captions])


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
