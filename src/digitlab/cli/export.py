"""`digitlab export`: write a bundle's network in other formats, each verified against Keras."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from digitlab.cli.console import plain_table, print_json, say, stderr, stdout
from digitlab.cli.options import DataOption, JsonOption, StoreOption
from digitlab.workspace import DEFAULT_STORE, Workspace

if TYPE_CHECKING:
    from rich.table import Table

    from digitlab.bundle.exports import Exported

Format = Literal["onnx", "litert", "saved-model", "all"]
Quantization = Literal["float16"]


def export(
    bundle: Annotated[
        str,
        typer.Argument(metavar="BUNDLE|NAME", help="A bundle's folder, or the name of a shipped network."),
    ],
    format_: Annotated[Format, typer.Option("--format", help="Format to write.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the exports [exports/NAME beside the store].")
    ] = None,
    quantize: Annotated[
        Quantization | None, typer.Option(help="Store weights in this type; ONNX and LiteRT only.")
    ] = None,
    data: DataOption = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Write a network in other formats, each verified against Keras on the whole test set."""
    from digitlab.bundle.data import data_to_score_on, trained_elsewhere
    from digitlab.bundle.exports import FORMATS, Exporter, RefusedExportError, check_exports, keep_proofs
    from digitlab.bundle.files import check_bundle, find_bundle, shipped_names
    from digitlab.training.process import prepare_process

    checked = check_bundle(find_bundle(bundle))
    target = out or Workspace.of(store).exports / checked.folder.resolve().name
    wanted: list[str] = [format_]
    if format_ == "all":  # with --quantize, those formats that can
        wanted = [name for name, form in FORMATS.items() if form.quantizes or quantize is None]
    check_exports(wanted, target, quantize)
    dataset = data_to_score_on({bundle: checked.card}, data)
    elsewhere = trained_elsewhere(checked.card, dataset)
    if elsewhere:
        say(f"verified on {dataset.name}; {bundle} was trained on {elsewhere}")
    prepare_process(threads=1)
    exporter = Exporter(checked, dataset)
    made: list[Exported] = []
    refused: list[RefusedExportError] = []
    for name in wanted:
        with stderr().status(f"{name}: writing and verifying on {len(dataset.x_test):,} images"):
            try:
                made.append(exporter.export(name, target, quantize))
            except RefusedExportError as error:
                refused.append(error)
    if made and bundle not in shipped_names():  # those of digitlab are left as they were installed
        keep_proofs(checked, {exported.format: exported.proof for exported in made})
    _show(made, [error.exported for error in refused], as_json)
    if refused:
        raise refused[0]


def _show(made: list[Exported], refused: list[Exported], as_json: bool) -> None:
    if as_json:
        for exported in (*made, *refused):
            print_json({**exported.to_values(), "proved": exported.proof.failure is None})
        return
    stdout().print(_table([*made, *refused]))
    for exported in made:
        say(f"{exported.format} written to {exported.folder}")


def _table(rows: list[Exported]) -> Table:
    figures = ("largest difference", "allowed", "other labels", "right", "Keras", "kB", "ms per image")
    table = plain_table("export", "run by", right=figures)
    table.add_column("parity")
    for row in rows:
        proof = row.proof
        other_labels = str(len(proof.other_labels))
        if proof.other_labels:  # ties, if their lead over the second class is within rounding
            other_labels += f" (lead {proof.largest_lead:.1e})"
        table.add_row(
            row.format,
            proof.runtime,
            f"{proof.largest_difference:.1e}",
            f"{proof.tolerance:g}",
            other_labels,
            f"{row.correct:,}",
            f"{row.keras_correct:,}",
            f"{row.size / 1000:,.0f}",
            f"{row.milliseconds:.3f}",
            "verified" if proof.failure is None else "refused",
        )
    return table
