"""`digitlab train --trial ID`: train a trial of a store again, and compare with its stored result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from digitlab.cli.console import print_json, say, stdout
from digitlab.errors import UserError

if TYPE_CHECKING:
    from digitlab.results.record import Result
    from digitlab.results.store import Store
    from digitlab.spec.trial import Trial

SHORTEST = 4
"""Number of an id's digits, at least, that name a trial."""


def train_again(beginning: str, store_path: Path, out: Path | None, as_json: bool) -> None:
    """Train a trial again, say whether it gives the same bits, and write a bundle if asked.

    Args:
        beginning: the trial's id, or its first digits.
        store_path: store that has the trial.
        out: new folder for a bundle; None writes none.
        as_json: whether to print a JSON object instead of a sentence.

    Raises:
        UserError: no trial, or more than one, has such an id; its data is not there any more.
    """
    from digitlab.bundle.writing import write_trained
    from digitlab.cli.progress import epoch_bar
    from digitlab.data import load
    from digitlab.files import ensure_new
    from digitlab.results.store import Store
    from digitlab.training.run import train_trial

    if out is not None:
        ensure_new(out)
    with Store(store_path, create=False) as store:
        trial = _find(beginning, store)
        dataset = load(trial.data.dataset)
        with epoch_bar(trial.recipe or trial.id, trial.training.epochs) as on_epoch:
            trained = train_trial(trial, dataset, on_epoch=on_epoch)
        verdict = _verdict(trained.result, store)
    folder = None
    if out is not None:
        folder = write_trained(out, trained.model, trained.result, dataset).folder
    if as_json:
        values = {"trial": trial.id, "compared": verdict, "test_correct": trained.result.final_test.correct}
        print_json(values | ({"bundle": str(folder)} if folder else {}))
    else:
        stdout().print(f"trial {trial.id}, seed {trial.seed}: {_SENTENCES[verdict]}")
        if folder is not None:
            say(f"bundle written to {folder}")


_SENTENCES = {
    "same": "the same predictions and scores as the stored result, bit for bit",
    "other": "another result than the stored one: other libraries or another processor round otherwise",
    "none": "the store has no result to compare with",
}


def _find(beginning: str, store: Store) -> Trial:
    trials = store.find_trials(beginning) if len(beginning) >= SHORTEST else []
    if not trials:
        raise UserError(
            f"--trial {beginning}: expected the id of a trial in {store.path}, or {SHORTEST} or more of its "
            "first digits; digitlab study show NAME --trials lists them"
        )
    if len(trials) > 1:
        ids = ", ".join(trial.id for trial in trials[:4])
        raise UserError(
            f"--trial {beginning}: expected one trial, received the beginning of {len(trials)} ids "
            f"({ids} ...); add digits"
        )
    return trials[0]


def _verdict(result: Result, store: Store) -> str:
    """Return whether a result is the `same` as the stored one or an `other`; `none` without one."""
    trial = result.trial
    stored = store.results([trial]).get(trial.id)
    if stored is None:
        return "none"
    predictions = store.predictions([trial])[trial.id]
    same = np.array_equal(predictions, result.predictions[trial.training.epochs])
    return "same" if same and stored.final_test == result.final_test else "other"
