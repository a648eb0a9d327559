"""Named child seeds derived from a trial's seed, so that each use of randomness has its own stream."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ChildSeeds(NamedTuple):
    """Seeds derived from a trial's seed, each an integer from 0 to 2^32 - 1.

    Attributes:
        initialization: seed of the initial weights.
        order: seed of the order of the images in each epoch.
        augmentation: seed of the changes of the images, and of generated digits.
        dropout: seed of the dropout masks.
    """

    initialization: int
    order: int
    augmentation: int
    dropout: int


def child_seeds(seed: int) -> ChildSeeds:
    """Derive the child seeds of a trial.

    Args:
        seed: seed of the trial, 0 or more.

    Source:
        `numpy.random.SeedSequence`, which keeps streams of neighbouring seeds independent.
    """
    # A word for each field, in their order: a field that is added last changes no other's seed.
    words = np.random.SeedSequence(seed).generate_state(len(ChildSeeds._fields))
    return ChildSeeds(*(int(word) for word in words))
