"""What the recognizer costs: time and memory of reading a picture, time of the whole command.

Each figure comes from processes of their own. Started with a picture's path and a model, this file measures
that one picture and prints JSON; the rest is called by `recognition.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from case import printed_values
from command import run
from measured import process_memory
from page_composer import compose
from paper import around, look
from pen import MnistWriter, write

from digitlab.data import load
from digitlab.pictures import decode_image
from digitlab.recognition import Recognizer

DRAWING = (280, 280)
PHOTOGRAPH = (4000, 3000)
PRINTED = ("memory_mb", "decode_ms", "decode_processor_ms", "read_ms", "read_processor_ms")
"""Names of the values that the process of one picture prints."""


def drawing(digit: np.ndarray) -> bytes:
    """A drawing of 280x280 as a web canvas gives it, PNG: white ink on black."""
    canvas = np.zeros(DRAWING, np.uint8)
    canvas[40:236, 50:246] = cv2.resize(digit, (196, 196), interpolation=cv2.INTER_CUBIC)
    return png(canvas)


def png(picture: np.ndarray) -> bytes:
    """Encode a picture, uint8 [h, w], as PNG."""
    return cv2.imencode(".png", picture)[1].tobytes()


def photograph(page: bytes) -> bytes:
    """A page in a photograph of 12 megapixels, JPEG."""
    picture = cv2.imdecode(np.frombuffer(page, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    enlarged = cv2.resize(picture, PHOTOGRAPH)
    return cv2.imencode(".jpg", enlarged, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def measure(picture: Path, model: str) -> dict[str, Any]:
    """Measure what a picture file takes, in a process of its own: milliseconds and megabytes.

    Args:
        picture: path of the file.
        model: name of the network that reads it, or a bundle's folder; it has one thread.

    Returns:
        Medians: `decode_ms` for decoding the file, `read_ms` for reading the decoded picture; beside them the
        processor's time on all cores, which tells how busy the machine was; and `memory_mb`, the peak of both
        beyond a process that has read a small drawing (None where the system does not report it).

    Raises:
        DigitlabError: the process failed.
    """
    command = [sys.executable, __file__, str(picture), model]
    return printed_values(f"the reading of {picture.name}", command, PRINTED)


def reading_costs(model: str, rounds: int) -> list[dict[str, Any]]:
    """Measure a row, a drawing and a photograph, and the whole command.

    Args:
        model: name of a network, or a bundle's folder.
        rounds: number of rounds of the command.
    """
    dataset = load("mnist")
    scans: dict[int, list[np.ndarray]] = {}
    for digit in range(10):
        inks = [image[..., None].repeat(3, 2) for image in _cropped(dataset, digit)]
        scans[digit] = [1 - ink / np.float32(300) for ink in inks]  # full ink lets some light through
    chance = np.random.default_rng(0)
    row = around(write("1234567", MnistWriter(chance), 60, chance), 0.3, chance)
    with tempfile.TemporaryDirectory() as temporary:
        files = {name: Path(temporary, name) for name in ("row.png", "drawing.png", "photograph.jpg")}
        files["row.png"].write_bytes(png(look(row, chance, "grey")))
        files["drawing.png"].write_bytes(drawing(dataset.x_train[7]))
        files["photograph.jpg"].write_bytes(photograph(compose(scans, lines=3, seed=5).jpeg))
        return [
            {"what": "a row of seven digits", **measure(files["row.png"], model)},
            {"what": "a drawing of 280x280", **measure(files["drawing.png"], model)},
            {"what": "a photograph of 12 megapixels", **measure(files["photograph.jpg"], model)},
            {"what": "digitlab recognize one.png", **measure_command(files["drawing.png"], model, rounds)},
        ]


def _cropped(dataset: Any, digit: int) -> Iterator[np.ndarray]:
    for image in dataset.x_train[dataset.y_train == digit][:5]:
        rows = np.flatnonzero(image.any(axis=1))
        columns = np.flatnonzero(image.any(axis=0))
        yield image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def measure_command(picture: Path, model: str, rounds: int) -> dict[str, float]:
    """Measure `digitlab recognize PICTURE`, the whole process: medians of so many rounds, in seconds."""
    command = [sys.executable, "-m", "digitlab", "recognize", str(picture), "--model", model]
    times = []
    for _ in range(rounds + 1):  # the first brings the files into memory
        begin, used = time.perf_counter(), _children_seconds()
        subprocess.run(command, stdout=subprocess.PIPE, check=True)
        wall = time.perf_counter() - begin
        times.append((wall, _children_seconds() - used))
    walls, processors = zip(*times[1:], strict=True)
    return {"seconds": statistics.median(walls), "processor_seconds": statistics.median(processors)}


def _children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _measure_here(path: Path, model: str) -> dict[str, Any]:
    cv2.setNumThreads(1)
    recognizer = Recognizer(model)
    stroke = np.pad(np.full((20, 4), 255, np.uint8), ((4, 4), (12, 12)))  # a 1, 28x28
    recognizer.read(decode_image(drawing(stroke)))  # what is loaded on first use is part of the idle process
    idle = process_memory("VmHWM")
    picture = decode_image(path)
    recognizer.read(picture)
    peak = process_memory("VmHWM")
    figures: dict[str, Any] = {"memory_mb": None}
    if idle is not None and peak is not None:
        figures["memory_mb"] = (peak - idle) / 2**20
    for name, action in (
        ("decode", lambda: decode_image(path)),
        ("read", lambda: recognizer.read(picture)),
    ):
        wall, processor = _medians(action, seconds=1.0)
        figures |= {f"{name}_ms": 1000 * wall, f"{name}_processor_ms": 1000 * processor}
    return figures


def _medians(action: Callable[[], object], seconds: float) -> tuple[float, float]:
    times = []
    end = time.perf_counter() + seconds
    while len(times) < 5 or time.perf_counter() < end:
        begin, used = time.perf_counter(), time.process_time()
        action()
        times.append((time.perf_counter() - begin, time.process_time() - used))
    walls, processors = zip(*times, strict=True)
    return statistics.median(walls), statistics.median(processors)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the reading of a picture in this process.")
    parser.add_argument("picture", type=Path)
    parser.add_argument("model")
    chosen = parser.parse_args()
    print(json.dumps(_measure_here(chosen.picture, chosen.model)))


if __name__ == "__main__":
    run(main)
