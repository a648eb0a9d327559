"""What the statistics promise, counted on made-up results whose truth is known.

Every share is compared with its promise to three standard errors of counting, `3 * sqrt(p * (1 - p) / runs)`.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from digitlab.results.resampling import bootstrap_difference, sign_flip_test
from digitlab.results.statistics import (
    compare,
    detectable_difference,
    holm,
    paired_difference,
    seeds_needed,
)


def three_errors(share: float, runs: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / runs)


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    """Hide what is there from the garbage collector, which statsmodels calls at each correction: 20 ms."""
    gc.freeze()
    yield
    gc.unfreeze()


def errors(random: np.random.Generator, levels: int, seeds: int, better: float = 0.0) -> np.ndarray:
    """Test errors in percent, [levels, seeds]: of 10,000 images each, near 1.5 %, the first level better."""
    of_seed = random.normal(0, 0.1, seeds)
    of_trial = random.normal(0, 0.1, (levels, seeds))
    percent = 1.5 + of_seed + of_trial
    percent[0] -= better
    return random.binomial(10_000, percent / 100) / 100


@pytest.mark.parametrize("seeds", [3, 5])
def test_the_paired_interval_covers_and_its_test_alarms_as_often_as_promised(seeds: int) -> None:
    runs, random = 800, np.random.default_rng(3)
    covered = alarms = 0
    for _ in range(runs):
        a, b = errors(random, 2, seeds, better=0.2).tolist()
        found = paired_difference(a, b)
        covered += found.low <= -0.2 <= found.high
        a, b = errors(random, 2, seeds).tolist()
        alarms += paired_difference(a, b).p < 0.05
    assert covered / runs == pytest.approx(0.95, abs=three_errors(0.95, runs))  # +-0.023
    assert alarms / runs == pytest.approx(0.05, abs=three_errors(0.05, runs))


@pytest.mark.parametrize(
    ("seeds", "runs", "promised"),
    [
        (5, 500, 0.0),  # no p lies below 0.0625
        (8, 4_000, 12 / 256),  # the largest even count of 256 whose share is at most 0.05
        (20, 400, 0.05),  # random flips
    ],
)
def test_the_sign_flip_test_alarms_as_often_as_promised(seeds: int, runs: int, promised: float) -> None:
    random = np.random.default_rng(8)
    # A distribution with heavy tails, where the t test would alarm too rarely.
    p_values = [sign_flip_test(each, run).p for run, each in enumerate(random.standard_t(2, (runs, seeds)))]
    alarms = sum(p <= 0.05 for p in p_values)
    assert alarms / runs == pytest.approx(promised, abs=three_errors(promised, runs))


@pytest.mark.parametrize("real", [0, 3])
def test_holm_alarms_anywhere_in_seven_independent_levels_as_often_as_promised(real: int) -> None:
    runs, random = 1_500, np.random.default_rng(7)
    null = 7 - real
    # Real differences are found first, and the rest is judged as if alone: 1 - (1 - 0.05 / null) ** null.
    p_values = np.concatenate([np.full((runs, real), 1e-9), random.random((runs, null))], axis=1)
    alarms = sum(min(holm(each)[real:]) < 0.05 for each in p_values.tolist())
    promised = 1 - (1 - 0.05 / null) ** null
    assert alarms / runs == pytest.approx(promised, abs=three_errors(promised, runs))  # 0.049 +-0.017


def test_seven_levels_like_their_reference_raise_an_alarm_in_at_most_one_study_of_twenty() -> None:
    runs, random = 300, np.random.default_rng(11)
    raw = corrected = 0
    for _ in range(runs):
        levels = [dict(enumerate(level)) for level in errors(random, 8, 5).tolist()]
        found = compare(levels, reference=7)
        raw += min(each.paired.p for each in found) < 0.05
        corrected += min(each.holm_p for each in found) < 0.05
    assert corrected / runs <= 0.05 + three_errors(0.05, runs)  # 0.05 + 0.038
    assert raw / runs > 0.15  # without the correction; 0.2 to 0.3, as all share one reference


def share_found(random: np.random.Generator, difference: float, seeds: int, runs: int) -> float:
    gaps = random.normal(difference, 0.1, (runs, seeds)).tolist()
    return sum(paired_difference(each, [0.0] * seeds).p < 0.05 for each in gaps) / runs


def test_the_seeds_needed_find_the_difference_four_times_in_five_and_fewer_do_not() -> None:
    runs, random = 800, np.random.default_rng(13)
    seeds = seeds_needed(sd=0.1, difference=0.1)
    for n in (seeds - 1, seeds):
        power = float(TTestPower().power(1.0, n, 0.05))
        assert (power >= 0.8) == (n == seeds)
        assert share_found(random, 0.1, n, runs) == pytest.approx(
            power, abs=three_errors(power, runs)
        )  # +-0.045


def test_a_detectable_difference_is_found_four_times_in_five_after_holms_correction() -> None:
    runs, random, seeds = 400, np.random.default_rng(17), 6
    # Independent noise of sd 0.1 in a level and its reference: the differences have a spread of 0.1 sqrt(2).
    seen = detectable_difference(0.1 * math.sqrt(2), seeds, alpha=0.05 / 3)
    found = 0
    for _ in range(runs):
        values = 1.5 + random.normal(0, 0.1, (4, seeds))
        values[0] -= seen
        first, *_ = compare([dict(enumerate(level)) for level in values.tolist()], reference=3)
        found += first.holm_p < 0.05 and first.paired.mean < 0
    # At least, as Holm's second step is easier: with an alarm before it, at 0.05 / 2.
    assert 0.8 - three_errors(0.8, runs) <= found / runs <= 0.82 + three_errors(0.82, runs)  # +-0.06


def bootstrap_coverage(random: np.random.Generator, world: str, seeds: int, runs: int) -> float:
    """Count how often the interval covers the true difference, where one thing alone makes the difference."""
    shape = {"seeds": (seeds, 1), "images": (1, 1_000), "answers": (seeds, 1_000)}[world]
    covered = 0
    for run in range(runs):
        if world == "seeds":
            share = 0.3 + random.normal(0, 0.08, shape)
            pair = random.random((seeds, 2_000)) > share, np.full((seeds, 2_000), True)
            truth = 30.0
        else:
            pair = random.random(shape) > 0.05, random.random(shape) > 0.04
            pair = tuple(np.broadcast_to(each, (seeds, 1_000)) for each in pair)
            truth = 1.0
        found = bootstrap_difference(*pair, resamples=1_000, seed=run)
        covered += found.low <= truth <= found.high
    return covered / runs


def test_the_bootstrap_covers_as_often_as_promised_where_images_make_the_difference() -> None:
    runs = 400
    share = bootstrap_coverage(np.random.default_rng(20), "images", 5, runs)
    # +-0.033; measured over 4,000 runs: 0.949.
    assert share == pytest.approx(0.95, abs=three_errors(0.95, runs))


def test_the_bootstrap_is_too_wide_where_every_answer_is_chance() -> None:
    # Its variance counts that noise up to three times: Owen 2007. Measured over 1,500 runs: 0.995.
    assert bootstrap_coverage(np.random.default_rng(23), "answers", 5, 150) > 0.97


def test_the_bootstrap_of_three_seeds_is_too_narrow_where_seeds_make_the_difference() -> None:
    # It ends at the least and the greatest of the three (each drawn alone in 1 of 27), and the truth lies
    # outside when all three fall on one side of it: in 2 cases of 2^3. Measured over 3,000 runs: 0.767, as
    # chance in the answers widens it a little.
    runs, promised = 300, 0.75
    share = bootstrap_coverage(np.random.default_rng(29), "seeds", 3, runs)
    assert share == pytest.approx(promised, abs=three_errors(promised, runs))  # +-0.075
