"""Each entry of a docstring can be read alone: it says its noun first."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import digitlab

PACKAGE = Path(digitlab.__file__).parent
FRAGMENT = re.compile(
    r"^\s+[a-z_]\w*(, [a-z_]\w*)*: "
    r"(of|that|to|from|in|with|whose|for|by|on|at|is|are|what|how|likewise|where|when|which|who)\b"
)


def docstrings() -> Iterator[tuple[str, str]]:
    """Where each docstring of the package stands, and its text; also those of constants."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            value = node.value if isinstance(node, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield f"{path.relative_to(PACKAGE)}:{value.lineno}", value.value


def test_no_entry_begins_in_the_middle_of_a_sentence() -> None:
    found = list(docstrings())
    assert len(found) > 1_000
    fragments = [
        f"{place}: {line.strip()}"
        for place, text in found
        for line in text.splitlines()
        if FRAGMENT.match(line)
    ]
    assert not fragments
