"""The board: contestants train in turn, each run in a process of its own and saved as it ends."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from digitlab.data import load
from digitlab.errors import DigitlabError
from digitlab.speed.book import Book
from digitlab.speed.contestants import Contestant

SLOW = 60.0
"""Training seconds above which a peer trains on few seeds."""

THREADS = frozenset({"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"})
"""Environment variables that would keep some contestants from cores that others use."""

Progress = Callable[[str, int], AbstractContextManager[Callable[[str], None]]]


class Seeds(NamedTuple):
    """Number of networks that each contestant trains, by kind of contestant."""

    ours: int = 30
    quick_peers: int = 30
    slow_peers: int = 3


FEW = Seeds(3, 1, 1)


class Order(NamedTuple):
    """One run to make: a contestant and a seed."""

    contestant: Contestant
    seed: int


def run_board(contestants: Sequence[Contestant], book: Book, seeds: Seeds, progress: Progress) -> None:
    """Make the runs that the book lacks.

    First each contestant trains once, which separates slow peers from quick ones; then the remaining runs
    are spread evenly, so that changes in the machine's speed affect all contestants alike.

    Args:
        contestants: programs that train.
        book: earlier runs, to which each new run is added.
        seeds: number of networks that each contestant trains.
        progress: function that opens a progress bar with a name and a number of parts; its context yields a
            function to call before each part, with the part's name.

    Raises:
        DigitlabError: a run failed; the runs before it are saved.
    """
    with digits_file() as digits:
        _make("first runs", [Order(each, 0) for each in contestants], digits, book, progress)
        _make("further runs", spread(contestants, book, seeds), digits, book, progress)


def _make(name: str, orders: Sequence[Order], digits: Path, book: Book, progress: Progress) -> None:
    todo = [order for order in orders if not book.has(order.contestant.key, order.seed)]
    with progress(name, len(todo)) as tell:
        for contestant, seed in todo:
            tell(f"{contestant.name}, seed {seed}")
            book.add(contestant.name, contestant.key, seed, run_once(contestant, seed, digits))


def spread(contestants: Sequence[Contestant], book: Book, seeds: Seeds) -> list[Order]:
    """Return all runs in order, those of each contestant spread evenly over the whole."""
    placed = []
    for place, contestant in enumerate(contestants):
        count = seeds_of(contestant, book, seeds)
        placed += [((seed + 0.5) / count, place, Order(contestant, seed)) for seed in range(count)]
    return [order for *_, order in sorted(placed, key=lambda each: each[:2])]


def seeds_of(contestant: Contestant, book: Book, seeds: Seeds) -> int:
    """Return the number of networks that a contestant trains; for a peer, its first run decides."""
    if contestant.ours:
        return seeds.ours
    runs = book.runs(contestant.key)
    slow = not runs or runs[0]["epochs"][-1]["seconds"] > SLOW
    return seeds.slow_peers if slow else seeds.quick_peers


@contextmanager
def digits_file() -> Iterator[Path]:
    """Write MNIST as a file that every peer can read, for as long as the context lasts."""
    mnist = load("mnist")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.npz"
        names = ("x_train", "y_train", "x_test", "y_test")
        np.savez(path, **{name: getattr(mnist, name) for name in names})
        yield path


def run_once(contestant: Contestant, seed: int, digits: Path) -> dict[str, Any]:
    """Train once with a contestant.

    Args:
        contestant: program that trains.
        seed: seed of the run.
        digits: file that `digits_file` wrote.

    Returns:
        Values that it printed: `import_seconds`, `compile_seconds`, `epochs`, `versions`.

    Raises:
        DigitlabError: the contestant failed, or printed something else.
    """
    kept = {name: value for name, value in os.environ.items() if name not in THREADS}
    environment = kept | {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    command = [*contestant.command, "--seed", str(seed)]
    if not contestant.ours:
        command += ["--data", str(digits)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    except OSError as error:
        raise DigitlabError(f"{contestant.name}: {command[0]}: {error.strerror or error}") from None
    try:
        if done.returncode:
            raise ValueError(f"exit code {done.returncode}")
        values = json.loads(done.stdout)
        return {name: values[name] for name in ("import_seconds", "compile_seconds", "epochs", "versions")}
    except (ValueError, KeyError, TypeError) as error:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise DigitlabError(f"{contestant.name}, seed {seed}: {error}; it said: {said}") from None
