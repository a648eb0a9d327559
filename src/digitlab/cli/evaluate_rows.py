"""`digitlab evaluate numbers`: score readers of rows on composed rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from digitlab.cli.console import plain_table, print_json, stdout


def evaluate_row_readers(models: Sequence[str], threads: int, data: str | None, as_json: bool) -> None:
    """Read composed rows of the validation part with each reader, and print the shares read correctly.

    Args:
        models: names or folders of readers of rows.
        threads: number of threads that compute one batch.
        data: name or folder of the readers' training data; None for the data set named in each card.
        as_json: whether to print a JSON object for each reader instead of a table.
    """
    from digitlab.bundle.rows_evaluate import evaluate_rows
    from digitlab.bundle.rows_runtime import load_row_network
    from digitlab.data import load

    table = plain_table("", right=("rows", "correct %", "95 % interval"))
    for model in models:
        network = load_row_network(model, threads)
        scores = evaluate_rows(network, load(data or network.card.result.trial.data.dataset))
        if as_json:
            values = [{**asdict(score), "interval": score.interval} for score in scores]
            print_json({"bundle": model, "scores": values})
            continue
        for score in scores:
            low, high = score.interval
            share = f"{100 * score.right / score.rows:.1f}"
            interval = f"{100 * low:.1f} to {100 * high:.1f}"
            table.add_row(f"{model}: {score.kind}", f"{score.rows:,}", share, interval)
    if not as_json:
        stdout().print(
            "whole rows, composed of digits outside the training set, greedy decoding at one width"
        )
        stdout().print(table)
