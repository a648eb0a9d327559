"""The service: the Open Inference Protocol, an HTTP API and web pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.serving.settings import Limits, Settings

__getattr__ = lazy_exports(__name__, {"Limits": "settings", "Settings": "settings"})

__all__ = ["Limits", "Settings"]
