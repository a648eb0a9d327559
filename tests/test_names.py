"""One name has one meaning."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import digitlab

PACKAGE = Path(digitlab.__file__).parent


def test_no_public_class_name_is_defined_twice() -> None:
    definitions: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                definitions[node.name].append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert len(definitions) > 200
    assert not {name: places for name, places in definitions.items() if len(places) > 1}
