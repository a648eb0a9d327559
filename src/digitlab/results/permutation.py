"""Evidence by permutation: a test that flips the signs of differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

EXACT_SEEDS = 16
RANDOM_FLIPS = 20_000


class SignFlip(NamedTuple):
    """What the sign-flip permutation test found.

    Attributes:
        p: two-sided, 0..1 (nan without values).
        smallest_p: the least p that this number of values can give.
    """

    p: float
    smallest_p: float


def sign_flip_test(differences: Sequence[float], seed: int = 0) -> SignFlip:
    """Test by permutation whether paired differences lie around 0: if they do, each sign is chance.

    Exact over all 2^n signs up to 16 differences. Beyond, 20,000 random flips with the observed signs
    counted among them, so that p is never too small. With 5 values p cannot fall below 0.0625: the test
    stands beside the t test and carries no verdict alone.

    Args:
        differences: [n], finite, one a seed.
        seed: of the random flips.

    Raises:
        ValueError: a difference is not finite.

    Source:
        Fisher 1935, The Design of Experiments, section 21; the count of random flips: Phipson and Smyth 2010.
    """
    gaps = np.asarray(differences, np.float64)
    if not np.isfinite(gaps).all():
        raise ValueError(f"expected finite differences, received {differences}")
    n = len(gaps)
    if not n:
        return SignFlip(float("nan"), float("nan"))
    exact = n <= EXACT_SEEDS
    if exact:
        flipped = np.arange(2**n)[:, None] >> np.arange(n) & 1  # [flips, n], every row another
    else:
        flipped = np.random.default_rng(seed).integers(0, 2, (RANDOM_FLIPS, n), np.int8)
    total = gaps.sum()
    rounding = 1e-9 * np.abs(gaps).sum()  # sums that are equal in decimal are not in binary
    extreme = int((np.abs(total - 2 * (flipped @ gaps)) >= abs(total) - rounding).sum())
    if exact:
        return SignFlip(extreme / 2**n, 2 / 2**n)
    return SignFlip((extreme + 1) / (RANDOM_FLIPS + 1), 1 / (RANDOM_FLIPS + 1))
