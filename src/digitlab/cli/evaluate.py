"""`digitlab evaluate`: score a bundle on the test images of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digitlab.cli.console import print_json, stdout
from digitlab.cli.options import DataOption, JsonOption


def evaluate(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Folder that  digitlab train  wrote.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a bundle on the test images of a data set."""
    from digitlab.training.evaluate import evaluate_bundle

    name = data or "mnist"
    scores = evaluate_bundle(bundle, name)
    if as_json:
        print_json({"bundle": str(bundle), "data": name, "accuracy": scores.accuracy, **scores.to_values()})
        return
    console = stdout()
    console.print(
        f"{bundle} on the {scores.images:,} test images of {name}\n"
        f"accuracy           {100 * scores.accuracy:.2f} %  (error {scores.error_percent:.2f} %)\n"
        f"mean squared error {scores.mse:.5f}\n"
        f"log loss           {scores.log_loss:.4f}\n"
        f"calibration error  {scores.calibration_error:.4f}\n\n"
        "confusion: a row for each true digit, a column for each answer"
    )
    console.print(_confusion(scores.confusion, scores.recall))


def _confusion(confusion: tuple[tuple[int, ...], ...], recall: tuple[float, ...]) -> object:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for title in ("", *map(str, range(10)), "recall %"):
        table.add_column(title, justify="right")
    for digit, row in enumerate(confusion):
        table.add_row(
            str(digit), *(str(count) if count else "·" for count in row), f"{100 * recall[digit]:.2f}"
        )
    return table
