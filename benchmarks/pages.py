"""Pages composed of a folder's handwritten digits, read from the command line.

The pages are synthetic: real digits, cut out and put side by side, on computed paper (`page_composer.py`).
Every page has one writer; each writer gets as many pages, and the last two of five writers are held out.
Writes `pages.json` and `pages.csv` into digitlab-results/measurements, or --out, and the pages with
their truth into --keep.

    python benchmarks/pages.py SAMPLES [--pages 24] [--seed 0] [--keep DIR] [--model best]

SAMPLES is a folder of scans of one digit each, ink on white paper, with a `labels.csv` (file, label, writer).
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
from command import run
from labelled_pictures import Sample, held_out, read_labels
from measured import add_place, environment, results_file, write_results
from outcomes import wilson
from page_composer import Digits, compose, transmitted

from digitlab.errors import UserError
from digitlab.files import ensure_new

MAX_LINES = 4


@dataclass(frozen=True)
class ReadPage:
    """A page, its truth and what was read.

    Attributes:
        file: its name.
        writer: writer of the whole page.
        part: `choose` or `held out`.
        lines: number of lines: `one` or `several`.
        paper: plain, ruled or squared.
        light: even or shadow.
        view: flat, perspective or on a table.
        truth: the numbers, a line each.
        text: text that was read; empty if the page was refused.
        status: ok, rejected or error.
    """

    file: str
    writer: str
    part: str
    lines: str
    paper: str
    light: str
    view: str
    truth: str
    text: str
    status: str


def load_digits(samples: Iterable[Sample]) -> Digits:
    """Cut the digits of a writer out of their scans."""
    digits: dict[int, list] = {digit: [] for digit in range(10)}
    for sample in samples:
        picture = cv2.imread(str(sample.path), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise UserError(f"{sample.path}: expected a scan in PNG or JPEG")
        digits[sample.label].append(transmitted(picture))
    return digits


def write_pages(samples: Sequence[Sample], pages: int, seed: int, folder: Path) -> list[dict[str, str]]:
    """Compose so many pages of each writer; give the truth of each, as in `truth.csv`."""
    truths = []
    writers = sorted({sample.group for sample in samples})
    for i, writer in enumerate(writers):
        digits = load_digits(sample for sample in samples if sample.group == writer)
        for j in range(pages):
            lines = 1 if j % 2 else 2 + j // 2 % (MAX_LINES - 1)  # every other page has one line
            page = compose(digits, lines, seed + 1000 * i + j)
            name = f"{writer}-{j:03}.jpg"
            (folder / name).write_bytes(page.jpeg)
            truth = {
                "file": name,
                "writer": writer,
                "lines": "one" if lines == 1 else "several",
                "paper": page.paper,
                "light": page.light,
                "view": page.view,
                "truth": page.text,
            }
            truths.append(truth)
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(truths[0]))
        table.writeheader()
        table.writerows(truths)
    return truths


def read_folder(folder: Path, model: str) -> dict[str, dict]:
    """Read every page by the command line: by file name, what it printed."""
    command = [
        sys.executable,
        "-m",
        "digitlab",
        "recognize",
        str(folder / "*.jpg"),
        "--json",
        "--model",
        model,
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answers = map(json.loads, done.stdout.splitlines())
    return {Path(answer["file"]).name: answer for answer in answers}


def distance(truth: Sequence[str], text: Sequence[str]) -> int:
    """Count what must be changed, added or taken away to make one sequence of the other (Levenshtein)."""
    previous = list(range(len(text) + 1))  # distances of the truth's beginning to each beginning of the text
    for i, wanted in enumerate(truth, 1):
        row = [i]
        for j, received in enumerate(text, 1):
            replaced = previous[j - 1] + (wanted != received)
            row.append(min(previous[j] + 1, row[j - 1] + 1, replaced))
        previous = row
    return previous[-1]


def share_right(pairs: Iterable[tuple[Sequence[str], Sequence[str]]]) -> float:
    """Compute which share of what is written was read right and in its order, in percent."""
    wrong = total = 0
    for truth, text in pairs:
        wrong += min(distance(truth, text), len(truth))  # a longer text can be more changes away
        total += len(truth)
    return 100 * (1 - wrong / total)


def score(pages: Sequence[ReadPage]) -> dict[str, float]:
    """Compute shares in percent, a refused page having no digit and no number right.

    Returns:
        `pages` (their number); of all that is written, `digits` and `numbers` read right and in their order;
        `whole_pages` read right, with the 95 % interval, `low` and `high`; `refused`; `wrong`: pages whose
        text claims to be whole and is another; `shorter`: of those, with fewer digits than are written.
    """
    texts = [(page.truth, page.text) for page in pages]
    numbers = [(truth.split("\n"), text.split("\n")) for truth, text in texts]
    whole = sum(page.truth == page.text for page in pages)
    low, high = wilson(whole, len(pages))
    complete = [page for page in pages if page.status == "ok" and "?" not in page.text]
    wrong = [page for page in complete if page.text != page.truth]
    shorter = [page for page in wrong if _count_digits(page.text) < _count_digits(page.truth)]
    return {
        "pages": len(pages),
        "digits": share_right(texts),
        "numbers": share_right(numbers),
        "whole_pages": 100 * whole / len(pages),
        "low": low,
        "high": high,
        "refused": 100 * sum(page.status != "ok" for page in pages) / len(pages),
        "wrong": 100 * len(wrong) / len(pages),
        "shorter": 100 * len(shorter) / len(pages),
    }


def _count_digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def main() -> None:
    parser = argparse.ArgumentParser(description="Read pages composed of handwritten digits (synthetic).")
    parser.add_argument("samples", type=Path)
    parser.add_argument("--pages", type=int, default=24, help="of each writer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="new folder in which the pages are kept")
    parser.add_argument("--model", default="best")
    add_place(parser)
    arguments = parser.parse_args()
    path = results_file(arguments, "pages")
    samples = read_labels(arguments.samples)
    with tempfile.TemporaryDirectory() as temporary:
        folder = ensure_new(arguments.keep) if arguments.keep else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        truths = write_pages(samples, arguments.pages, arguments.seed, folder)
        answers = read_folder(folder, arguments.model)
    reported = held_out(sample.group for sample in samples)
    pages = []
    for truth in truths:
        answer = answers[truth["file"]]
        part = "held out" if truth["writer"] in reported else "choose"
        pages.append(ReadPage(part=part, text=answer["text"], status=answer["status"], **truth))
    table = {"all": score(pages)}
    for field in ("part", "lines", "paper", "light", "view", "writer"):
        for level in sorted({getattr(page, field) for page in pages}):
            table[f"{field}: {level}"] = score([page for page in pages if getattr(page, field) == level])
    titles = "".join(f"{name:>13}" for name in table["all"])
    print(f"{'synthetic pages, %':22}{titles}")
    for name, row in table.items():
        cells = [f"{value:13}" if isinstance(value, int) else f"{value:13.1f}" for value in row.values()]
        print(f"{name:22}{''.join(cells)}")
    values = {"environment": environment(), "model": arguments.model, "seed": arguments.seed, "table": table}
    write_results(path, values, [{"what": name, **row} for name, row in table.items()])


if __name__ == "__main__":
    run(main)
