"""`digitlab data`: list the known data sets, check one, and import others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digitlab.cli.console import plain_table, print_json, say, stderr, stdout
from digitlab.cli.options import JsonOption

if TYPE_CHECKING:
    from digitlab.data.dataset import Dataset
    from digitlab.data.importer import Imported
    from digitlab.data.inspection import Finding

_SHOWN = 4
"""Largest number of paths or names in a message."""

app = typer.Typer(no_args_is_help=True, help="Known data sets: list, check, import.")


@app.command("list")
def list_(as_json: JsonOption = False) -> None:
    """List the data sets that are known by name."""
    from digitlab.data.catalog import CATALOG, find_files
    from digitlab.data.idx import read_idx_header

    rows = []
    for entry in CATALOG.values():
        paths = find_files(entry.folder).paths
        rows.append(
            {
                "name": entry.name,
                "title": entry.title,
                "train": read_idx_header(paths["train-images"]).shape[0],
                "test": read_idx_header(paths["test-images"]).shape[0],
                "where": str(entry.folder),
                "licence": entry.licence,
            }
        )
    if as_json:
        for row in rows:
            print_json(row)
        return
    cells = []
    for row in rows:
        cells.append((row["name"], f"{row['train']:,}", f"{row['test']:,}", row["where"], row["licence"]))
    _print_table(("name", "training images", "test images", "where", "licence"), cells)


@app.command()
def check(
    data: Annotated[str, typer.Argument(metavar="NAME|DIR", help="A known name, or a folder of IDX files.")],
    as_json: JsonOption = False,
) -> None:
    """Load a data set, check its files, count its classes and report anomalies.

    Told with counts: dark ink on light ground (all of it, or mixed), values of 0..1, faint and blank
    images, digits that lie or are mirrored, test images that are training images, equal images (also under
    two labels), classes that are far from even or missing. What is grave is also told by  train,  study run
    and  evaluate.

    Exit code: 0 also when something odd was found; 2 when it is no data set.
    """
    import numpy as np

    from digitlab.data.catalog import known_entry
    from digitlab.data.dataset import load
    from digitlab.data.inspection import inspect_dataset

    dataset = load(data)
    findings = inspect_dataset(dataset)
    train: list[int] = np.bincount(dataset.y_train, minlength=dataset.class_count).tolist()
    test: list[int] = np.bincount(dataset.y_test, minlength=dataset.class_count).tolist()
    # The same contents under another name or elsewhere are the published ones too.
    known = known_entry(dataset.name, dataset.fingerprint)
    same_as = known.name if known else None
    if as_json:
        values = {
            "name": dataset.name,
            "counts": {"train": train, "test": test},
            "fingerprint": dataset.fingerprint,
            "same_as": same_as,
            "classes": dataset.classes,
            "findings": [finding.to_values() for finding in findings],
        }
        print_json(values)
        return
    _print_counts(dataset, train, test)
    contents = f"the published files of {same_as}" if same_as else "no known data set"
    typer.echo(f"fingerprint  {dataset.fingerprint}")
    typer.echo(f"contents     {contents}")
    _print_findings(findings)


def _print_counts(dataset: Dataset, train: Sequence[int], test: Sequence[int]) -> None:
    from digitlab.data.classes import numbered

    rows = []
    for name, in_train, in_test in zip(numbered(dataset.class_names), train, test, strict=True):
        rows.append((name, f"{in_train:,}", f"{in_test:,}"))
    rows.append(("all", f"{sum(train):,}", f"{sum(test):,}"))
    _print_table(("class", "training images", "test images"), rows)


def _print_findings(findings: Sequence[Finding]) -> None:
    if not findings:
        typer.echo("findings     none")
        return
    table = plain_table("finding", "weight", "description")
    for finding in findings:
        table.add_row(finding.kind, "grave" if finding.grave else "slight", finding.sentence)
    stdout().print(table)


@app.command("import")
def import_(
    source: Annotated[
        Path,
        typer.Argument(
            help="A folder with a folder of pictures for each class, a CSV table or an .npz file."
        ),
    ],
    dest: Annotated[Path, typer.Argument(help="New folder for the data set.")],
    test_share: Annotated[
        float,
        typer.Option(
            help="Share of the images for the test set, if the source has none.", show_default="1/7"
        ),
    ] = 1 / 7,
    test: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Table of the test set, beside a table of training.")
    ] = None,
    resize: Annotated[
        bool, typer.Option("--resize", help="Scale pictures of other sizes to 28x28, keeping their shape.")
    ] = False,
    invert: Annotated[
        bool, typer.Option("--invert", help="Invert the pictures: dark ink on light ground becomes MNIST's.")
    ] = False,
) -> None:
    """Make a data set of IDX files from pictures, from Kaggle's CSV, or from arrays such as mnist.npz.

    The names of the folders, or the labels, become the names of the classes, 2 to 100. Pictures are taken as
    they are, unless  --resize  or  --invert  is given. What is odd about them is told as by  digitlab data
    check, with the first picture of each kind.
    """
    from digitlab.data.dataset import load
    from digitlab.data.importer import PictureOptions, import_dataset
    from digitlab.data.inspection import inspect_dataset

    options = PictureOptions(resize, invert)
    imported = import_dataset(
        source, dest, test=test, test_share=test_share, options=options, progress=_with_progress
    )
    dataset = load(Path(dest))
    say(f"wrote {len(dataset.y_train):,} training and {len(dataset.y_test):,} test images to {dest}")
    say(f"{dataset.class_count} classes: {_some(dataset.class_names)}")
    if imported.resized:
        say(f"scaled {imported.resized:,} pictures to 28x28, keeping the ratio of their sides")
    if imported.inverted:
        say(f"inverted all {imported.inverted:,} pictures")
    if imported.left_out:
        say(f"left out, files of desktops and archives: {_some(imported.left_out)}")
    for finding in inspect_dataset(dataset):
        say(f"warning: {finding.sentence}{_first(finding, imported)}")


def _first(finding: Finding, imported: Imported) -> str:
    """Return a note on the file of a finding's first image; empty if there is none."""
    if not finding.places or not imported.pictures:
        return ""
    part, index = finding.places[0]
    return f" (the first: {imported.pictures[part][index]})"


def _some(items: Sequence[object]) -> str:
    text = ", ".join(map(str, items[:_SHOWN]))
    if len(items) > _SHOWN:
        text += f" and {len(items) - _SHOWN} more"
    return text


def _with_progress(paths: Sequence[Path]) -> Iterable[Path]:
    from rich.progress import track

    console = stderr()
    return track(paths, "reading pictures", console=console, disable=not console.is_terminal)


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = plain_table()
    for column in columns:
        table.add_column(column, justify="right" if column.endswith("images") else "left")
    for row in rows:
        table.add_row(*row)
    stdout().print(table)
