"""Child seeds of a trial."""

from __future__ import annotations

from digitlab.training.seeds import child_seeds


def test_child_seeds_are_a_function_of_the_trial_seed() -> None:
    assert child_seeds(3) == child_seeds(3)


def test_no_stream_of_chance_is_shared_within_or_between_neighbouring_seeds() -> None:
    seeds = [seed for trial in range(200) for seed in child_seeds(trial)]
    assert len(set(seeds)) == len(seeds)


def test_child_seeds_never_change_between_versions() -> None:
    """They decide a trial's outcome: if this fails, raise ENGINE_VERSION and then these numbers."""
    assert child_seeds(0) == (2968811710, 3677149159, 745650761, 2884920346)
