"""The source of a function that is defined in a notebook or a script, as a module of its own."""

from __future__ import annotations

import ast
import inspect
import symtable
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from digitlab.errors import SpecError
from digitlab.spec.python_code import capture, local_code
from digitlab.spec.recipe import PythonModel, Recipe, TrainingSpec

NOTEBOOK = "notebook.py"
"""Name of the module that is made of a function of a notebook or a script."""


def model_from_function(
    function: Callable[..., Any], outputs: str = "logits", **arguments: Any
) -> PythonModel:
    """Describe a network that a function builds, with all code that the function needs.

    A function of a module is described by its module's file. One that is defined in a notebook or a script
    is described by its own source and that of everything of the notebook that it uses: functions, classes,
    imports, and plain values.

    Args:
        function: function that returns a `keras.Model` for raw images [batch, 28, 28] in 0..255 with ten
            outputs.
        outputs: kind of the network's outputs, `logits` or `probabilities`.
        **arguments: arguments of the function.

    Raises:
        SpecError: the function has no source, or uses a value that only this process has.
    """
    if not isinstance(function, FunctionType) or function.__name__ == "<lambda>":
        raise SpecError(f"model.build: expected a function with a name, received {function!r}")
    values = {"outputs": outputs, "arguments": arguments}
    if function.__module__ != "__main__":
        build = f"{function.__module__}:{function.__name__}"
        module = sys.modules[function.__module__]
        named = PythonModel.from_values({**values, "build": build}, "model")
        return capture(named, _root(module))
    writer = _ModuleWriter(function)
    build = f"{NOTEBOOK}:{function.__name__}"
    return PythonModel.from_values({**values, "build": build, "code": writer.code()}, "model")


def recipe_from_function(function: Callable[..., Any]) -> Recipe:
    """Return the recipe of a network that a function builds, trained as recipes are by default.

    Args:
        function: function as accepted by `model_from_function`; its default arguments become the network's
            arguments.

    Raises:
        SpecError: it is no such function.
    """
    if not callable(function) or hasattr(function, "layers"):
        hint = ""
        if hasattr(function, "layers"):
            hint = (
                ", a network that is built already, whose first weights no seed decides: write a function "
                "that builds and returns it, and pass the function"
            )
        raise SpecError(
            "recipe: expected a name, a file, a Recipe or a function that returns a keras.Model, received "
            f"{type(function).__name__}{hint}"
        )
    arguments = {}
    if isinstance(function, FunctionType):
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.default is not inspect.Parameter.empty:
                arguments[name] = parameter.default
    model = model_from_function(function, **arguments)
    return Recipe(name=function.__name__, model=model, training=TrainingSpec())


def _root(module: ModuleType) -> Path:
    """Return the folder from which a module was imported."""
    file = Path(module.__file__ or "")
    depth = module.__name__.count(".") + (file.name == "__init__.py")
    return file.parents[depth]


class _ModuleWriter:
    """Collects what a function of the main module uses, each name once and before its use."""

    def __init__(self, function: FunctionType) -> None:
        self.globals = function.__globals__
        self.pieces: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.begun: set[str] = set()  # names that are written or will be: functions may call each other
        self._add_source(function.__name__, function)

    def code(self) -> dict[str, str]:
        """Return the text of the module, and of the local modules that it imports, by path."""
        return self.files | {NOTEBOOK: "\n\n".join(self.pieces.values()) + "\n"}

    def _add(self, name: str, value: Any) -> None:
        self.begun.add(name)
        if isinstance(value, ModuleType):
            self._import(name, value.__name__, f"import {value.__name__} as {name}")
        elif getattr(value, "__module__", None) == "__main__" and isinstance(value, type | FunctionType):
            self._add_source(name, value)
        elif isinstance(value, type) or callable(value):
            module = getattr(value, "__module__", None)
            known = getattr(value, "__name__", None)
            if module is None or getattr(sys.modules.get(module), str(known), None) is not value:
                raise self._refused(name, value)
            self._import(name, module, f"from {module} import {known} as {name}")
        elif _is_plain(value):
            self.pieces[name] = f"{name} = {value!r}"
        else:
            raise self._refused(name, value)

    def _import(self, name: str, module: str, line: str) -> None:
        self.pieces[name] = line
        top = sys.modules[module.partition(".")[0]]
        file = getattr(top, "__file__", None)
        if file is not None and _is_local(Path(file)):
            self.files |= local_code(Path(file), _root(top))

    def _add_source(self, name: str, value: type | FunctionType) -> None:
        if getattr(value, "__closure__", None):
            raise SpecError(
                f"model.build: expected a function of the notebook itself, received {name}, which uses "
                "variables of a function around it; define it outside"
            )
        try:
            text = textwrap.dedent(inspect.getsource(value))
        except (OSError, TypeError):
            raise SpecError(
                f"model.build: {name} has no source to send to other processes; define it in a file"
            ) from None
        self.begun.add(name)
        for used in sorted(_globals_of(text)):
            if used in self.globals and used not in self.begun:
                self._add(used, self.globals[used])
        self.pieces[name] = text.rstrip()

    def _refused(self, name: str, value: Any) -> SpecError:
        return SpecError(
            f"model.build: the function uses {name}, a value of type {type(value).__name__}, which cannot be "
            "sent to other processes; pass it as an argument or make it in the function"
        )


def _globals_of(text: str) -> set[str]:
    """Return the global names that a definition uses: in its bodies, defaults, decorators and bases."""
    used = set()
    tables = [symtable.symtable(text, "notebook", "exec")]
    while tables:
        table = tables.pop()
        is_module = table.get_type() == "module"
        for symbol in table.get_symbols():
            is_global = not symbol.is_assigned() if is_module else symbol.is_global()
            if symbol.is_referenced() and is_global:
                used.add(symbol.get_name())
        tables.extend(table.get_children())
    return used


def _is_plain(value: Any) -> bool:
    try:
        return ast.literal_eval(repr(value)) == value
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False


def _is_local(file: Path) -> bool:
    """Return whether a module's file is the user's own, neither installed nor Python's."""
    installed = {"site-packages", "dist-packages"} & set(file.parts)
    return not installed and not file.is_relative_to(Path(sys.base_prefix, "lib"))
