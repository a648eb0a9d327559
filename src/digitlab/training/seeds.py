"""One trial seed gives named child seeds, so that each use of chance has its own stream."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ChildSeeds(NamedTuple):
    """What a trial's seed becomes; each is a whole number from 0 to 2^32 - 1.

    Attributes:
        initialization: of the weights.
        order: of the images in each epoch.
        augmentation: of the images' changes.
        dropout: of the masks.
    """

    initialization: int
    order: int
    augmentation: int
    dropout: int


def child_seeds(seed: int) -> ChildSeeds:
    """Derive the child seeds of a trial.

    Args:
        seed: of the trial, 0 or more.

    Source:
        `numpy.random.SeedSequence`, which keeps streams of neighbouring seeds independent.
    """
    return ChildSeeds(*map(int, np.random.SeedSequence(seed).generate_state(len(ChildSeeds._fields))))
