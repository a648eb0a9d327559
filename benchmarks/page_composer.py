"""Pages of handwritten numbers, composed: real digits of one writer on paper that is drawn.

They stand in for photographs, and are none: the strokes are real; the paper, its lines, the light, the view
and the noise are computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

PAPERS = ("plain", "ruled", "squared")
LIGHTS = ("even", "shadow")
VIEWS = ("flat", "perspective", "on a table")

Digits = Mapping[int, Sequence[np.ndarray]]
"""Of one writer, by digit: what of the light the ink lets through, float32 [h, w, 3] in 0..1, cropped."""


@dataclass(frozen=True)
class Page:
    """A page, and what is written on it.

    Attributes:
        jpeg: the file.
        text: the numbers, a line each.
        paper: one of `PAPERS`.
        light: one of `LIGHTS`.
        view: one of `VIEWS`.
    """

    jpeg: bytes
    text: str
    paper: str
    light: str
    view: str


def transmitted(picture: np.ndarray) -> np.ndarray:
    """Turn a scan of ink on white paper into what the ink lets through.

    Args:
        picture: uint8 [h, w], [h, w, 3] or [h, w, 4] (with opacity).

    Returns:
        float32 [h', w', 3] in 0..1, cropped to the ink.
    """
    scan = picture.astype(np.float32) / 255
    if scan.ndim == 2:
        scan = scan[..., None].repeat(3, axis=2)
    if scan.shape[2] == 4:
        opacity = scan[..., 3:]
        scan = scan[..., :3] * opacity + 1 - opacity
    light = np.clip(scan / np.percentile(scan, 90, axis=(0, 1)), 0, 1)
    ink = light.mean(axis=2) < 0.75
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    cropped = light[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.where(cropped > 0.93, 1, cropped)  # the scanned paper itself


def compose(digits: Digits, lines: int, seed: int) -> Page:
    """Compose a page with a number of two to seven digits on each line.

    Args:
        digits: digits of one writer.
        lines: number of lines of writing.
        seed: decides everything else.
    """
    chance = np.random.default_rng(seed)
    paper, light, view = (str(chance.choice(kind)) for kind in (PAPERS, LIGHTS, VIEWS))
    height = int(chance.integers(70, 120))  # of a digit, in pixels
    numbers: list[list[int]] = []
    for _ in range(lines):
        count = chance.integers(2, 8)
        numbers.append(chance.integers(0, 10, count).tolist())
    written = _write(digits, numbers, height, chance)
    page = written * _paper(written.shape[:2], paper, height, chance)
    if view != "flat":
        page = _seen_at_an_angle(page, view == "on a table", chance)
    page = page * _light(page.shape[:2], light == "shadow", chance)
    page = cv2.GaussianBlur(page, (0, 0), chance.uniform(0.4, 1.2))
    page = page + chance.normal(0, chance.uniform(1, 5), page.shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(60, 93))]
    pixels = np.clip(np.rint(page), 0, 255).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", pixels, quality)
    text = "\n".join("".join(map(str, number)) for number in numbers)
    return Page(jpeg.tobytes(), text, paper, light, view)


def _write(
    digits: Digits, numbers: Sequence[Sequence[int]], height: int, chance: np.random.Generator
) -> np.ndarray:
    """Write numbers one below the other: what the ink lets through, float32 [h, w, 3]."""
    heights = [strokes.shape[0] for variants in digits.values() for strokes in variants]
    usual = np.median(heights)
    rows = []
    for number in numbers:
        scans = []
        for digit in number:
            variants = digits[digit]
            scans.append(variants[int(chance.integers(len(variants)))])
        rows.append(_row(scans, height, usual, chance))
    pitch = int(height * chance.uniform(1.7, 2.2))
    margin = int(height * 1.2)
    right = int(height * chance.uniform(1, 4))  # empty paper after the numbers
    width = max(row.shape[1] for row in rows) + 2 * margin + right
    page = np.ones((pitch * len(rows) + 2 * margin, max(width, 4 * height), 3), np.float32)
    for i, row in enumerate(rows):
        left = margin + int(height * chance.uniform(-0.2, 0.2))
        top = margin // 2 + i * pitch
        page[top : top + row.shape[0], left : left + row.shape[1]] *= row
    return page


def _row(scans: Sequence[np.ndarray], height: int, usual: float, chance: np.random.Generator) -> np.ndarray:
    """Write one number; its digits keep their sizes relative to the writer's usual one."""
    scale = height / usual
    width = 2 * sum(scan.shape[1] for scan in scans) + len(scans) * height  # more than enough
    row = np.ones((2 * height, width, 3), np.float32)
    left = 0
    for scan in scans:
        zoom = scale * chance.uniform(0.9, 1.1)
        wide = max(3, round(scan.shape[1] * zoom))
        tall = min(2 * height, round(scan.shape[0] * zoom))
        baseline = 1.5 * height + height * chance.normal(0, 0.05)
        top = int(np.clip(baseline - tall, 0, 2 * height - tall))
        row[top : top + tall, left : left + wide] *= cv2.resize(scan, (wide, tall))
        left += wide + int(height * chance.uniform(0.1, 0.35))
    return row[:, :left]


def _paper(size: tuple[int, int], kind: str, height: int, chance: np.random.Generator) -> np.ndarray:
    """Paper with fibres and lines: levels 0..255, float32 [h, w, 3]."""
    paper = np.empty((*size, 3), np.float32)
    paper[:] = chance.uniform(222, 250) - np.array([chance.uniform(0, 14), 3, 0])  # blue, green, red
    noise = chance.normal(0, 1, size).astype(np.float32)
    fibres = cv2.GaussianBlur(noise, (0, 0), 1.5)
    paper += (fibres * chance.uniform(2, 8))[..., None]
    pitch = 1.15 if kind == "ruled" else 0.6  # a row between two lines, or nearly two squares high
    step = int(height * pitch * chance.uniform(0.9, 1.2))
    color = paper.mean(axis=(0, 1)) - chance.uniform(25, 70) * np.array([0.5, 0.9, 1.0])
    thickness = int(chance.integers(1, 4))
    if kind != "plain":
        for row in range(step, size[0], step):
            paper[row : row + thickness] = color
    if kind == "squared":
        for column in range(step, size[1], step):
            paper[:, column : column + thickness] = color
    return paper


def _seen_at_an_angle(page: np.ndarray, table: bool, chance: np.random.Generator) -> np.ndarray:
    """Turn the page and look at it from the side: all of it with a table around it, or its middle."""
    height, width = page.shape[:2]
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (width, height)
    moved = corners + chance.uniform(-0.05, 0.05, (4, 2)) * (width, height)
    angle = chance.uniform(-0.07, 0.07)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([width / 2, height / 2])
    scale = 0.82 if table else 1.0  # smaller, so that the table is seen around it
    moved = (moved - middle) @ turn.T * scale + middle
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    if not table:
        return cv2.warpPerspective(page, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    wood = chance.uniform(30, 110) * np.array([0.7, 0.9, 1.1])  # blue, green, red
    noise = chance.normal(0, 30, (height, width)).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), 25, sigmaY=1)  # long from left to right
    around = (wood + grain[..., None] * 3).astype(np.float32)
    whole = np.ones((height, width), np.float32)
    covered = cv2.warpPerspective(whole, matrix, (width, height))[..., None]
    return cv2.warpPerspective(page, matrix, (width, height)) * covered + around * (1 - covered)


def _light(size: tuple[int, int], shadow: bool, chance: np.random.Generator) -> np.ndarray:
    """Light that falls off to one side, and the soft shadow of a hand: factors, float32 [h, w, 1]."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32) / max(size)
    angle = chance.uniform(0, 2 * np.pi)
    strength = chance.uniform(0, 0.35)
    falloff = 0.5 + np.cos(angle) * (columns - 0.5) + np.sin(angle) * (rows - 0.3)
    light = 1 - strength * falloff
    if shadow:
        angle = chance.uniform(0, 2 * np.pi)
        offset = chance.uniform(-0.15, 0.15)
        middle = size[0] / max(size) / 2
        distance = np.cos(angle) * (columns - 0.5) + np.sin(angle) * (rows - middle) - offset
        softness = chance.uniform(0.01, 0.06)
        depth = chance.uniform(0.25, 0.5)
        covered = 1 / (1 + np.exp(-np.clip(distance / softness, -30, 30)))  # a soft edge, 0..1
        light *= 1 - depth * covered
    return light[..., None].astype(np.float32)
