"""A user's own network: its function's file and the local modules that it imports, by their contents."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, packages_distributions, version
from pathlib import Path

from digitlab.errors import SpecError
from digitlab.spec.recipe import PythonModel

MAX_BYTES = 1_000_000
"""Largest size of a network's files together, in bytes: they are stored with each trial."""

GROUP = "digitlab.models"
"""Group of entry points by which a package offers networks."""


def capture(model: PythonModel, folder: Path | None = None) -> PythonModel:
    """Return the spec of a user's network with the code that it names.

    A function of a file, or of a module in the folder, brings the file and every module beside it that is
    imported, directly or by another one, by their contents. A function of an installed package brings the
    package's version.

    Args:
        model: spec of the network; one with its code is returned as it is.
        folder: folder that a relative path starts from; the current one by default.

    Raises:
        SpecError: the file or module is not to be found, cannot be read, or is not Python.
    """
    if model.code or model.packages:
        return model
    where, separator, function = _target(model.build).rpartition(":")
    if not separator:
        raise SpecError(
            f"model.build: expected FILE.py:FUNCTION, MODULE:FUNCTION or the name of an installed network, "
            f"received {model.build!r}"
        )
    if where.endswith(".py"):
        path = Path(folder or "", where)
        code = local_code(path)
        return model.model_copy(update={"build": f"{path.name}:{function}", "code": code})
    top = where.partition(".")[0]
    beside = _file_of(Path(folder or ""), where)
    if beside is not None:
        code = local_code(beside, Path(folder or ""))
        return model.model_copy(update={"code": code})
    packages = {name: version(name) for name in packages_distributions().get(top, ())}
    if not packages:
        raise SpecError(
            f"model.build: expected a module beside the recipe or of an installed package, received {where!r}"
        )
    return model.model_copy(update={"build": f"{where}:{function}", "packages": packages})


def _target(build: str) -> str:
    """Return the function that a name stands for: its own, or that of an entry point."""
    if ":" in build:
        return build
    offered = entry_points(group=GROUP)
    return offered[build].value if build in offered.names else build


def local_code(path: Path, root: Path | None = None) -> dict[str, str]:
    """Read a file and every module beside it that it imports.

    Args:
        path: file to begin with.
        root: folder from which modules are imported; the file's own by default.

    Returns:
        Text of each file, by its path relative to the root.

    Raises:
        SpecError: a file cannot be read or is not Python, or they are too large together.
    """
    root = path.parent if root is None else root
    code: dict[str, str] = {}
    size = 0
    waiting = [path]
    while waiting:
        file = waiting.pop()
        name = file.relative_to(root).as_posix()
        if name in code:
            continue
        code[name] = _read(file)
        size += len(code[name])
        if size > MAX_BYTES:
            raise SpecError(
                f"model.build: expected files of at most {MAX_BYTES:,} bytes together, received more with "
                f"{file}: keep data out of the modules"
            )
        waiting.extend(_imported(file, code[name], root))
    return dict(sorted(code.items()))


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError) as error:
        cause = getattr(error, "strerror", None) or "expected text in UTF-8"
        raise SpecError(f"model.build: {path}: cannot be read: {cause}") from None


def _imported(file: Path, text: str, root: Path) -> Iterator[Path]:
    """Yield the files under the root that a module imports, with the packages that they are in."""
    try:
        tree = ast.parse(text, str(file))
    except (SyntaxError, ValueError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise SpecError(f"model.build: {file}{line}: expected Python: {error.args[0]}") from None
    package = file.parent.relative_to(root).parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            start = ".".join((*parents, *filter(None, [node.module])))
            # What is imported from a package may be a module of it.
            names = [start, *(f"{start}.{alias.name}".lstrip(".") for alias in node.names)]
        else:
            continue
        for name in names:
            yield from _files_of(root, name)


def _files_of(root: Path, module: str) -> Iterator[Path]:
    """Yield the files of a module and of the packages that it is in, those that are there."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        file = _file_of(root, ".".join(parts[:count]))
        if file is not None:
            yield file


def _file_of(root: Path, module: str) -> Path | None:
    """Return the file of a module, or of a package's beginning; None where there is none."""
    if not module:
        return None
    place = root.joinpath(*module.split("."))
    for file in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
        if file.is_file():
            return file
    return None


def versions_now(model: PythonModel) -> dict[str, str]:
    """Return the versions that the network's packages have now, those that are installed."""
    found = {}
    for name in model.packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
