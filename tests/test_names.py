"""One name has one meaning."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import digitlab

PACKAGE = Path(digitlab.__file__).parent


def test_no_public_class_or_type_alias_is_defined_twice() -> None:
    definitions: dict[str, list[str]] = defaultdict(list)
    aliases = 0
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                definitions[node.name].append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
        for name, line in type_aliases(module):
            definitions[name].append(f"{path.relative_to(PACKAGE)}:{line}")
            aliases += 1
    assert len(definitions) > 200
    assert aliases > 30
    assert not {name: places for name, places in definitions.items() if len(places) > 1}


def type_aliases(module: ast.Module) -> Iterator[tuple[str, int]]:
    """Public names in capital and small letters that a module assigns at its top, with their lines."""
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if re.fullmatch(r"[A-Z]\w*[a-z]\w*", name):  # not a constant, nor a type variable of one letter
                yield name, node.lineno
