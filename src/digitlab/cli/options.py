"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    str | None,
    typer.Option(
        "--data", metavar="NAME|DIR", help="Data set: a name in the catalogue, or a folder of IDX files."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line and nothing else.")]
StoreOption = Annotated[
    Path,
    typer.Option(
        "--store", metavar="PATH", help="SQLite file of results; outputs are written to its folder."
    ),
]
