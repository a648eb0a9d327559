"""`digitlab data`: which data sets are known, whether one is sound, and how to bring in others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from digitlab.cli.console import plain_table, print_json, say, stderr, stdout
from digitlab.cli.options import JsonOption

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
    else:
        _print_table(
            ("name", "training images", "test images", "where", "licence"),
            [(r["name"], f"{r['train']:,}", f"{r['test']:,}", r["where"], r["licence"]) for r in rows],
        )


@app.command()
def check(
    data: Annotated[str, typer.Argument(metavar="NAME|DIR", help="A known name, or a folder of IDX files.")],
    as_json: JsonOption = False,
) -> None:
    """Load a data set, check everything about it, and count its classes."""
    import numpy as np

    from digitlab.data.catalog import CATALOG
    from digitlab.data.dataset import CLASSES, load

    dataset = load(data)
    counts = {
        part: np.bincount(labels, minlength=CLASSES).tolist()
        for part, labels in (("train", dataset.y_train), ("test", dataset.y_test))
    }
    # The same contents under another name or elsewhere are the published ones too.
    same_as = next(
        (entry.name for entry in CATALOG.values() if entry.fingerprint == dataset.fingerprint), None
    )
    if as_json:
        found = {
            "name": dataset.name,
            "counts": counts,
            "fingerprint": dataset.fingerprint,
            "same_as": same_as,
        }
        print_json(found)
        return
    rows = [
        (str(label), f"{counts['train'][label]:,}", f"{counts['test'][label]:,}") for label in range(CLASSES)
    ]
    total = ("all", f"{sum(counts['train']):,}", f"{sum(counts['test']):,}")
    _print_table(("class", "training images", "test images"), [*rows, total])
    typer.echo(f"fingerprint  {dataset.fingerprint}")
    typer.echo(f"contents     {f'the published files of {same_as}' if same_as else 'of no known data set'}")


@app.command("import")
def import_(
    source: Annotated[
        Path, typer.Argument(help="A folder with the folders 0..9 of pictures, or an .npz file.")
    ],
    dest: Annotated[Path, typer.Argument(help="The folder to make.")],
    test_share: Annotated[
        float,
        typer.Option(
            help="Share of the pictures for the test part, where the source has none.", show_default="1/7"
        ),
    ] = 1 / 7,
) -> None:
    """Make a data set of IDX files from pictures of 28x28 pixels or from Keras's mnist.npz."""
    from digitlab.data.dataset import load
    from digitlab.data.importer import import_dataset

    import_dataset(source, dest, test_share=test_share, progress=_with_progress)
    dataset = load(Path(dest))
    say(f"wrote {len(dataset.y_train):,} training and {len(dataset.y_test):,} test images to {dest}")


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
