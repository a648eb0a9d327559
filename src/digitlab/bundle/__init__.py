"""Bundles: a trained network with its ONNX files and its card in one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.bundle.card import Card, Origin, Proof
    from digitlab.bundle.files import Bundle, check_bundle, find_bundle
    from digitlab.bundle.runtime import Classifier, load_classifier
    from digitlab.bundle.writing import write_bundle, write_trained

__getattr__ = lazy_exports(
    __name__,
    {
        "Bundle": "files",
        "Card": "card",
        "Classifier": "runtime",
        "Origin": "card",
        "Proof": "card",
        "check_bundle": "files",
        "find_bundle": "files",
        "load_classifier": "runtime",
        "write_bundle": "writing",
        "write_trained": "writing",
    },
)

__all__ = [
    "Bundle",
    "Card",
    "Classifier",
    "Origin",
    "Proof",
    "check_bundle",
    "find_bundle",
    "load_classifier",
    "write_bundle",
    "write_trained",
]
