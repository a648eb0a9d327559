"""Labels of MNIST's test set that are known to be wrong; they are marked where shown, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from digitlab.data.catalog import CATALOG

MNIST_CORRECTIONS: Mapping[int, int] = MappingProxyType(
    {
        947: 9,
        1621: 6,
        1901: 4,
        2462: 0,
        2597: 3,
        3558: 0,
        5937: 3,
        6651: 6,
        6783: 6,
        9729: 6,
    }
)
"""Digit that the majority of five raters read, by index in MNIST's test set.

Source:
    Northcutt, Athalye and Mueller 2021, Pervasive Label Errors in Test Sets Destabilize Machine Learning
    Benchmarks: the re-labelling of the cases in which a majority chose another digit.
"""


def known_corrections(fingerprint: str) -> Mapping[int, int]:
    """Return corrections of the labels of a test set that are known to be wrong.

    Args:
        fingerprint: fingerprint of the data set, in 64 hexadecimal digits.

    Returns:
        Digit by re-labelling, by index in the test set; empty for every data set but MNIST.
    """
    if fingerprint == CATALOG["mnist"].fingerprint:
        return MNIST_CORRECTIONS
    return {}
