"""`digitlab evaluate`: score networks on the test images of a data set, readers of rows on composed rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from digitlab.cli.console import plain_table, print_json, stdout
from digitlab.cli.options import DataOption, JsonOption
from digitlab.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from digitlab.bundle.evaluate import Evaluation
    from digitlab.results.record import Scores


def evaluate(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="BUNDLE|NAME...",
            help="Folders written by  digitlab train , or names of networks shipped with digitlab.",
        ),
    ],
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Also classify the images corrupted in fifteen ways.")
    ] = False,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Also score the mean of the networks' probabilities.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Threads that compute one batch  [default: all cores]")
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score networks on the test images of the data they were trained on, or of other data, side by side."""
    from digitlab.bundle.data import data_to_score_on, trained_elsewhere
    from digitlab.bundle.evaluate import evaluate_classifiers
    from digitlab.bundle.rows_card import reads_rows
    from digitlab.bundle.runtime import load_classifier
    from digitlab.cli.data_warnings import warn_of_dataset
    from digitlab.cli.progress import part_bar
    from digitlab.data.classes import numbered
    from digitlab.synthesis.corruptions import CORRUPTIONS
    from digitlab.training.process import available_cores

    threads = threads or available_cores()
    rows = [model for model in models if reads_rows(model)]
    if rows and (len(rows) < len(models) or robustness or ensemble):
        raise UserError(
            f"evaluate: expected {rows[0]} alone or with other row readers, without --robustness and "
            "--ensemble, which need networks that classify one digit; evaluate it separately"
        )
    if rows:
        _evaluate_row_readers(rows, threads, data, as_json)
        return
    classifiers = [load_classifier(model, threads) for model in models]
    cards = {classifier.name: classifier.card for classifier in classifiers}
    dataset = data_to_score_on(cards, data)
    elsewhere = {name: trained_elsewhere(card, dataset) for name, card in cards.items()}
    warn_of_dataset(dataset, first="test")
    with part_bar("evaluating", 1 + len(CORRUPTIONS) * robustness) as on_part:
        evaluations = evaluate_classifiers(
            classifiers, dataset, robustness=robustness, ensemble=ensemble, on_part=on_part
        )
    if as_json:
        for one in evaluations:
            own = cards[one.name].trial.data.dataset if one.name in cards else None
            values = {"data": dataset.name, "trained_on": own, "classes": dataset.classes}
            print_json({"bundle": one.name, **values, **one.to_values()})
        return
    console = stdout()
    console.print(f"on the {len(dataset.y_test):,} test images of {dataset.name}")
    for name, its_data in elsewhere.items():
        if its_data:
            console.print(f"{name} was trained on other data: {its_data}")
    console.print(_figures(evaluations))
    if len(evaluations) == 1:
        console.print("confusion matrix: a row for each true class, a column for each predicted one")
        console.print(_confusion(evaluations[0].scores, numbered(dataset.classes)))


def _figures(evaluations: Sequence[Evaluation]) -> Table:
    table = plain_table("")
    for one in evaluations:
        table.add_column(one.name, justify="right", overflow="fold")
    for title, *cells in _rows(evaluations):
        table.add_row(title, *cells)
    return table


def _rows(evaluations: Sequence[Evaluation]) -> list[list[str]]:
    scores = [one.scores for one in evaluations]
    rows = [
        ["accuracy %", *(f"{100 * each.accuracy:.2f}" for each in scores)],
        ["error %", *(f"{each.error_percent:.2f}" for each in scores)],
    ]
    corrected = [one.corrected for one in evaluations if one.corrected]
    if corrected:
        rows += [["error % against corrected labels", *(f"{each.error_percent:.2f}" for each in corrected)]]
    rows += [
        ["mean squared error", *(f"{each.mse:.5f}" for each in scores)],
        ["log loss", *(f"{each.log_loss:.4f}" for each in scores)],
        ["calibration error", *(f"{each.calibration_error:.4f}" for each in scores)],
        ["calibration error with temperature", *(f"{one.calibrated_error:.4f}" for one in evaluations)],
        ["temperature", *(_temperature(one) for one in evaluations)],
    ]
    ways = [one.robustness for one in evaluations if one.robustness]
    if ways:
        means = (f"{100 * (one.mean_robustness or 0):.2f}" for one in evaluations)
        rows += [[f"accuracy % over {len(ways[0])} corruptions", *means]]
        rows += [[f"  {name}", *(f"{100 * each[name]:.2f}" for each in ways)] for name in ways[0]]
    return rows


def _temperature(evaluation: Evaluation) -> str:
    return "one each" if evaluation.temperature is None else f"{evaluation.temperature:.3f}"


def _confusion(scores: Scores, classes: Sequence[str]) -> Table:
    table = plain_table("", right=(*map(str, range(len(classes))), "recall %"))
    for name, row, recall in zip(classes, scores.confusion, scores.recall, strict=True):
        table.add_row(name, *(str(count) if count else "·" for count in row), f"{100 * recall:.2f}")
    return table


def _evaluate_row_readers(models: Sequence[str], threads: int, data: str | None, as_json: bool) -> None:
    """Read composed rows of the validation part with each reader, and print the shares read correctly."""
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
