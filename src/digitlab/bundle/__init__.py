"""A trained network as files."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlab.bundle.card import Card
    from digitlab.bundle.files import Bundle, check_bundle, write_bundle

_HOMES = {"Bundle": "files", "Card": "card", "check_bundle": "files", "write_bundle": "files"}

__all__ = ["Bundle", "Card", "check_bundle", "write_bundle"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
