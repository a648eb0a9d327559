"""What the recognizer costs: time and memory of reading a picture, time of the whole command.

Each figure comes from processes of their own. Started with a picture's path and a model, this file measures
that one picture and prints JSON; the rest is called by `recognizer.py`.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

DRAWING = (280, 280)
PHOTOGRAPH = (4000, 3000)


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


def measure(picture: Path, model: str) -> dict[str, float]:
    """Measure what a picture file takes, in a process of its own: milliseconds and megabytes.

    Args:
        picture: the file.
        model: that reads it, with one thread of ONNX Runtime and of OpenCV.

    Returns:
        `decode_ms`: of the file; `read_ms`: of the decoded picture, with all that the networks say; medians,
        and beside them the processor's time, of all cores, which tells how busy the machine was; `memory_mb`:
        the peak of both beyond the process that has read a small drawing.
    """
    command = [sys.executable, __file__, str(picture), model]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def measure_command(picture: Path, model: str, rounds: int) -> dict[str, float]:
    """Measure `digitlab recognize PICTURE`, the whole process: medians of so many rounds, in seconds."""
    command = [sys.executable, "-m", "digitlab", "recognize", str(picture), "--model", model]
    times = []
    for _ in range(rounds + 1):  # the first brings the files into memory
        begin, used = time.perf_counter(), _children_seconds()
        subprocess.run(command, stdout=subprocess.PIPE, check=True)
        times.append((time.perf_counter() - begin, _children_seconds() - used))
    walls, processors = zip(*times[1:], strict=True)
    return {"seconds": statistics.median(walls), "processor_seconds": statistics.median(processors)}


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _measure_here(path: Path, model: str) -> dict[str, float]:
    from digitlab.data import decode_image
    from digitlab.recognition import Recognizer

    cv2.setNumThreads(1)
    recognizer = Recognizer(model)
    one = np.pad(np.full((20, 4), 255, np.uint8), ((4, 4), (12, 12)))
    recognizer.read(decode_image(drawing(one)))  # what is loaded on first use is part of the idle process
    idle = _peak_mb()
    picture = decode_image(path)
    recognizer.read(picture)
    figures = {"memory_mb": _peak_mb() - idle}
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


def _peak_mb() -> float:
    """Linux says it in /proc; `getrusage` would count what the parent had when it forked."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure the reading of a picture in this process.")
    parser.add_argument("picture", type=Path)
    parser.add_argument("model")
    asked = parser.parse_args()
    print(json.dumps(_measure_here(asked.picture, asked.model)))
