"""From a recipe to a `keras.Model` of standard layers, and what it costs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitlab.models.costs import Cost, cost
    from digitlab.models.network import build

_HOMES = {"Cost": "costs", "build": "network", "cost": "costs"}

__all__ = ["Cost", "build", "cost"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
