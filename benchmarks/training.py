"""Time and accuracy of trainings, beside Keras's, PyTorch's and scikit-learn's examples; it takes hours.

    python -m benchmarks training [RECIPE|PEER ...] [--threads N] [--quick] [--install-peers]

Every training runs in a process of its own and is saved as it ends; an interrupted benchmark resumes. Writes
`training.json`, `.csv` and `.png`; of some recipes or peers alone, the table and the figure only with --out.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from case import JobRequest, printed_values
from command import at_least, run
from measured import add_place
from paths import install_peers, results_folder
from plots import plot_training, png_of
from run_log import RunLog
from summary import summarize
from summary_tables import summary_rows, summary_table, target_table
from training_cases import TrainingCase, select

from digitlab.cli.console import say
from digitlab.cli.study_output import print_table
from digitlab.data import load
from digitlab.files import write_whole
from digitlab.training.process import available_cores, environment, require_libraries

SLOW = 60.0
"""Training seconds above which a peer trains on few seeds."""

THREADS = frozenset({"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"})
"""Environment variables that would keep some programs from cores that others use."""

PRINTED = ("import_seconds", "compile_seconds", "epochs", "versions")
"""Names of the values that every program prints, as `benchmarks/peers/contract.py` says."""


class Seeds(NamedTuple):
    """Number of networks that each case trains, by kind of case."""

    ours: int = 30
    quick_peers: int = 30
    slow_peers: int = 3


FEW = Seeds(3, 1, 1)


def make_runs(cases: Sequence[TrainingCase], log: RunLog, seeds: Seeds) -> None:
    """Make the runs that the log lacks.

    First each case trains once, which separates slow peers from quick ones; then the remaining runs
    are spread evenly, so that changes in the machine's speed affect all cases alike.

    Args:
        cases: programs that train.
        log: earlier runs, to which each new run is added.
        seeds: number of networks that each case trains.

    Raises:
        DigitlabError: a run failed; the runs before it are saved.
    """
    with digits_file() as digits:
        train = partial(train_once, digits=digits)
        log.complete("first runs", [JobRequest(case, 0) for case in cases], train)
        log.complete("further runs", spread(cases, log, seeds), train)


def spread(cases: Sequence[TrainingCase], log: RunLog, seeds: Seeds) -> list[JobRequest]:
    """Return all runs in order, those of each case spread evenly over the whole."""
    placed: list[tuple[float, int, JobRequest]] = []
    for i, case in enumerate(cases):
        count = seeds_of(case, log, seeds)
        for seed in range(count):
            position = (seed + 0.5) / count  # in the whole, 0..1
            placed.append((position, i, JobRequest(case, seed)))
    placed.sort(key=lambda item: item[:2])  # cases at one position in their own order
    return [request for _, _, request in placed]


def seeds_of(case: TrainingCase, log: RunLog, seeds: Seeds) -> int:
    """Return the number of networks that a case trains; for a peer, its first run decides."""
    if case.ours:
        return seeds.ours
    runs = log.runs(case)
    is_slow = not runs or runs[0]["epochs"][-1]["seconds"] > SLOW
    return seeds.slow_peers if is_slow else seeds.quick_peers


@contextmanager
def digits_file() -> Iterator[Path]:
    """Write MNIST as a file that every peer can read, for as long as the context lasts."""
    mnist = load("mnist")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.npz"
        names = ("x_train", "y_train", "x_test", "y_test")
        np.savez(path, **{name: getattr(mnist, name) for name in names})
        yield path


def train_once(request: JobRequest, digits: Path) -> dict[str, Any]:
    """Train once.

    Args:
        request: a `TrainingCase`, and the seed.
        digits: file that `digits_file` wrote.

    Returns:
        Values that the program printed: `import_seconds`, `compile_seconds`, `epochs`, `versions`.

    Raises:
        DigitlabError: the program failed, or printed something else.
    """
    case, seed = request
    command = [*case.command, "--seed", str(seed)]
    if not (isinstance(case, TrainingCase) and case.ours):  # digitlab has its own copy of MNIST
        command += ["--data", str(digits)]
    variables = {name: value for name, value in os.environ.items() if name not in THREADS}
    variables |= {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    return printed_values(f"{case.name}, seed {seed}", command, PRINTED, variables)


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Train digitlab's recipes beside Keras's, PyTorch's and scikit-learn's examples."
    )
    parser.add_argument("cases", nargs="*", metavar="RECIPE|PEER", help="what is trained [all]")
    parser.add_argument(
        "--threads",
        type=at_least(1),
        action="append",
        metavar="N",
        help="threads of digitlab's recipes [all cores]; more than once: a row each",
    )
    parser.add_argument("--quick", action="store_true", help="3 seeds of each recipe and 1 of each peer")
    parser.add_argument(
        "--install-peers", action="store_true", help="first install PyTorch and scikit-learn for the peers"
    )
    add_place(parser)
    chosen = parser.parse_args()
    require_libraries()
    log = RunLog(results_folder(chosen.out, chosen.publish) / "training.json", environment())
    if chosen.install_peers:
        install_peers()
    cases, skipped = select(chosen.cases, sorted(set(chosen.threads or [available_cores()])))
    for sentence in skipped:
        say(f"skipped: {sentence}")
    if not cases:
        return
    make_runs(cases, log, FEW if chosen.quick else Seeds())
    summaries = [summarize(case, log.runs(case)) for case in cases]
    print_table(summary_table(summaries))
    print_table(target_table(summaries))
    say('"undecided", "between": the 95 % interval of a mean, or of several schedules, holds the target.')
    if not chosen.cases or chosen.out is not None:
        log.summarize(summary_rows(summaries), skipped=skipped)
        write_whole(log.path.with_suffix(".png"), png_of(plot_training(summaries)))
    say(f"kept in {log.path}")


if __name__ == "__main__":
    run(main)
