"""Build a `keras.Model` of standard layers from a model spec, and count its parameters and operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.models.costs import Cost, cost
    from digitlab.models.network import build

__getattr__ = lazy_exports(__name__, {"Cost": "costs", "build": "network", "cost": "costs"})

__all__ = ["Cost", "build", "cost"]
