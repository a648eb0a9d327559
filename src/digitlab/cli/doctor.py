"""`digitlab doctor`: checks of the installation, the machine, the data and the store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import typer

from digitlab.cli.console import plain_table, print_json, stdout
from digitlab.cli.options import JsonOption, StoreOption
from digitlab.errors import DigitlabError, MissingExtraError
from digitlab.workspace import DEFAULT_STORE

_EXTRAS = {
    "base": ("numpy", "pydantic", "pillow", "onnxruntime", "typer", "rich"),
    "train": ("keras", "tensorflow", "scipy"),
    "report": ("matplotlib", "jinja2"),
    "export": ("pyarrow", "tensorboard"),
    "serve": ("fastapi", "uvicorn"),
    "ray": ("ray",),
    "jax": ("jax",),
}


class Check(NamedTuple):
    """Result of one check.

    Attributes:
        name: name of what was checked.
        status: status, `ok`, `missing` (an extra that is not installed) or `bad`.
        detail: finding, or advice.
    """

    name: str
    status: str
    detail: str


def doctor(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Check the installation, the machine, the data and the store."""
    checks = [
        *_packages(),
        *_machine(),
        _attempt("data mnist", _data),
        _attempt(f"store {store}", _store(store)),
    ]
    if as_json:
        for check in checks:
            print_json(check._asdict())
    else:
        _print(checks)
    if any(check.status == "bad" for check in checks):
        raise typer.Exit(1)


def _packages() -> Iterator[Check]:
    for extra, names in _EXTRAS.items():
        for name in names:
            installed = _version(name)
            if not installed and name == "tensorflow":  # the package for processors alone
                installed = _version("tensorflow-cpu")
            title = f"{name} [{extra}]"
            if installed:
                yield Check(title, "ok", installed)
            else:
                yield Check(title, "missing", str(MissingExtraError(name, extra)))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _machine() -> Iterator[Check]:
    from digitlab.training.process import available_cores, cpu_name, native_precision

    python = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", "ok", f"{python} at {sys.executable}")
    yield Check("processor", "ok", f"{cpu_name()}, {available_cores()} cores available")
    yield Check("precision auto", "ok", native_precision())


def _data() -> str:
    from digitlab.data import load

    dataset = load("mnist")
    return f"{len(dataset.x_train):,} training and {len(dataset.x_test):,} test images, hashes correct"


def _store(path: Path) -> Callable[[], str]:
    def check() -> str:
        from digitlab.errors import StoreError
        from digitlab.results.store import Store

        if not path.exists():
            return "none yet; the first study creates it"
        with Store(path, create=False) as store:
            integrity = store.check()
            counts = store.counts()
            obstacle = store.obstacle
        if integrity != "ok":
            raise StoreError(f"damaged, as SQLite reports: {integrity}")
        contents = ", ".join(f"{count} {state}" for state, count in counts.items()) or "empty"
        if obstacle:
            contents += f"; it is read-only: {obstacle}"
        return contents

    return check


def _attempt(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", look())
    except DigitlabError as error:
        return Check(name, "bad", str(error))


def _print(checks: list[Check]) -> None:
    from rich.text import Text

    colours = {"ok": "green", "missing": "yellow", "bad": "red"}
    table = plain_table("what", "status", "found")
    for check in checks:
        table.add_row(check.name, Text(check.status, style=colours[check.status]), check.detail)
    stdout().print(table)
