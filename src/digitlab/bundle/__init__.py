"""A trained network as files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.bundle.card import Card
    from digitlab.bundle.files import Bundle, check_bundle, write_bundle

__getattr__ = lazy_exports(
    __name__, {"Bundle": "files", "Card": "card", "check_bundle": "files", "write_bundle": "files"}
)

__all__ = ["Bundle", "Card", "check_bundle", "write_bundle"]
