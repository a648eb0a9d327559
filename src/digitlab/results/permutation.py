"""Sign-flip permutation test of paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

EXACT_SEEDS = 16  # up to here all sign combinations are enumerated
RANDOM_FLIPS = 20_000


class SignFlip(NamedTuple):
    """Result of the sign-flip permutation test.

    Attributes:
        p: two-sided p, 0..1 (nan: there are no values).
        smallest_p: smallest p that is possible with this number of values (nan: there are none).
    """

    p: float
    smallest_p: float


def sign_flip_test(differences: Sequence[float], seed: int = 0) -> SignFlip:
    """Test whether paired differences are centred at 0, by flipping their signs.

    Exact over all 2^n sign combinations up to 16 differences. Above that, 20,000 random flips, with the
    observed signs counted among them so that p is never too small. With 5 values p cannot fall below
    0.0625, so the test accompanies the t test and gives no verdict alone.

    Args:
        differences: finite differences, one per seed, [n].
        seed: seed of the random flips.

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
        # The binary digits of the numbers 0 to 2^n - 1 are all combinations of signs, [flips, n].
        flipped = np.arange(2**n)[:, None] >> np.arange(n) & 1
    else:
        flipped = np.random.default_rng(seed).integers(0, 2, (RANDOM_FLIPS, n), np.int8)
    total = gaps.sum()
    flipped_totals = total - 2 * (flipped @ gaps)  # flipping a value takes away twice of it
    rounding = 1e-9 * np.abs(gaps).sum()  # sums that are equal in decimal may differ in binary
    is_extreme = np.abs(flipped_totals) >= abs(total) - rounding
    extreme = int(is_extreme.sum())
    if exact:
        # Flipping all signs or none is as extreme as what was observed.
        return SignFlip(extreme / 2**n, 2 / 2**n)
    return SignFlip((extreme + 1) / (RANDOM_FLIPS + 1), 1 / (RANDOM_FLIPS + 1))
