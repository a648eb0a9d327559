"""`digitlab evaluate`: score networks on the test images of a data set, readers of rows on composed rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from digitlab.cli.console import plain_table, print_json, stdout
from digitlab.cli.options import DataOption, JsonOption
from digitlab.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from digitlab.bundle.card import Card
    from digitlab.bundle.evaluate import Evaluation
    from digitlab.data.dataset import Dataset
    from digitlab.results.record import Scores


ModelsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="BUNDLE|NAME...",
        help="Folders written by  digitlab train , or names of networks shipped with digitlab.",
    ),
]
BatchThreadsOption = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Threads that compute one batch  [default: all cores]")
]


def evaluate(
    models: ModelsArgument,
    robustness: Annotated[
        bool, typer.Option("--robustness", help="Also classify the images corrupted in fifteen ways.")
    ] = False,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="Also score the mean of the networks' probabilities.")
    ] = False,
    threads: BatchThreadsOption = None,
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
    from digitlab.synthesis.corruptions import CORRUPTIONS
    from digitlab.training.process import available_cores

    threads = threads or available_cores()
    row_readers = [model for model in models if reads_rows(model)]
    if row_readers and (len(row_readers) < len(models) or robustness or ensemble):
        raise UserError(
            f"evaluate: expected {row_readers[0]} alone or with other row readers, without --robustness and "
            "--ensemble, which need networks that classify one digit; evaluate it separately"
        )
    if row_readers:
        _evaluate_row_readers(row_readers, threads, data, as_json)
        return
    classifiers = [load_classifier(model, threads) for model in models]
    cards = {classifier.name: classifier.card for classifier in classifiers}
    dataset = data_to_score_on(cards, data)
    elsewhere = {name: trained_elsewhere(card, dataset) for name, card in cards.items()}
    warn_of_dataset(dataset, first="test")
    parts = 1 + len(CORRUPTIONS) if robustness else 1  # the images as they are, then each corruption
    with part_bar("evaluating", parts) as on_part:
        evaluations = evaluate_classifiers(
            classifiers, dataset, robustness=robustness, ensemble=ensemble, on_part=on_part
        )
    if as_json:
        _print_json(evaluations, cards, dataset)
    else:
        _print_tables(evaluations, elsewhere, dataset)


def _print_json(evaluations: Sequence[Evaluation], cards: Mapping[str, Card], dataset: Dataset) -> None:
    for evaluation in evaluations:
        card = cards.get(evaluation.name)  # an ensemble has none
        values = {
            "bundle": evaluation.name,
            "data": dataset.name,
            "trained_on": None if card is None else card.trial.data.dataset,
            "classes": dataset.classes,
        }
        print_json({**values, **evaluation.to_values()})


def _print_tables(
    evaluations: Sequence[Evaluation], elsewhere: Mapping[str, str | None], dataset: Dataset
) -> None:
    console = stdout()
    console.print(f"on the {len(dataset.y_test):,} test images of {dataset.name}")
    for name, its_data in elsewhere.items():
        if its_data:
            console.print(f"{name} was trained on other data: {its_data}")
    console.print(_figures(evaluations))
    if len(evaluations) == 1:
        _print_confusion(evaluations[0].scores, dataset)


def _figures(evaluations: Sequence[Evaluation]) -> Table:
    table = plain_table("")
    for evaluation in evaluations:
        table.add_column(evaluation.name, justify="right", overflow="fold")
    for title, cells in _rows(evaluations):
        table.add_row(title, *cells)
    return table


def _rows(evaluations: Sequence[Evaluation]) -> Iterator[tuple[str, list[str]]]:
    """Yield the title and the cells, one per network, of each row of the table of figures."""
    scores = [evaluation.scores for evaluation in evaluations]
    yield "accuracy %", [f"{100 * item.accuracy:.2f}" for item in scores]
    yield "error %", [f"{item.error_percent:.2f}" for item in scores]
    # All or none: they belong to the data.
    corrected = [evaluation.corrected for evaluation in evaluations if evaluation.corrected]
    if corrected:
        yield "error % against corrected labels", [f"{item.error_percent:.2f}" for item in corrected]
    yield "mean squared error", [f"{item.mse:.5f}" for item in scores]
    yield "log loss", [f"{item.log_loss:.4f}" for item in scores]
    yield "calibration error", [f"{item.calibration_error:.4f}" for item in scores]
    calibrated = [evaluation.calibrated_error for evaluation in evaluations]
    yield "calibration error with temperature", [f"{error:.4f}" for error in calibrated]
    yield "temperature", [_temperature(evaluation) for evaluation in evaluations]
    robustness = [evaluation.robustness for evaluation in evaluations if evaluation.robustness]
    if robustness:
        means = [evaluation.mean_robustness or 0 for evaluation in evaluations]
        yield f"accuracy % over {len(robustness[0])} corruptions", [f"{100 * mean:.2f}" for mean in means]
        for name in robustness[0]:
            yield f"  {name}", [f"{100 * item[name]:.2f}" for item in robustness]


def _temperature(evaluation: Evaluation) -> str:
    if evaluation.temperature is None:  # an ensemble, whose members are calibrated
        return "one each"
    return f"{evaluation.temperature:.3f}"


def _print_confusion(scores: Scores, dataset: Dataset) -> None:
    import numpy as np

    from digitlab.cli.study_output import print_table
    from digitlab.data.classes import numbered
    from digitlab.report.matrices import LARGEST_MATRIX, confusion_table

    if dataset.class_count > LARGEST_MATRIX:
        stdout().print("commonest mistakes")
        print_table(confusion_table(np.array(scores.confusion), dataset.class_names))
        return
    stdout().print("confusion matrix: a row for each true class, a column for each predicted one")
    stdout().print(_confusion(scores, numbered(dataset.class_names)))


def _confusion(scores: Scores, classes: Sequence[str]) -> Table:
    digits = [str(i) for i in range(len(classes))]
    table = plain_table("", right=(*digits, "recall %"))
    for name, counts, recall in zip(classes, scores.confusion, scores.recall, strict=True):
        cells = [str(count) if count else "·" for count in counts]
        table.add_row(name, *cells, f"{100 * recall:.2f}")
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
