from __future__ import annotations

import math
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitlab.errors import MissingExtraError
from digitlab.results.permutation import SignFlip, sign_flip_test
from digitlab.results.statistics import (
    MOST_SEEDS,
    PairedDifference,
    compare,
    detectable_difference,
    holm,
    mcnemar,
    paired_difference,
    seeds_needed,
    spread_limit,
)

NAN = float("nan")

# Hours of sleep gained with each of two drugs by ten patients: Student, "The probable error of a mean",
# Biometrika 6 (1908). R's t.test(..., paired = TRUE) on its copy of these data (`sleep`) prints
# t = 4.0621, df = 9, p-value = 0.002833, 95 % interval 0.7001142 to 2.4598858, mean difference 1.58.
FIRST_DRUG = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
SECOND_DRUG = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)

# Heights of Darwin's maize, crossed minus self-fertilized, in eighths of an inch: R. A. Fisher, The Design of
# Experiments (1935), section 17: mean 20.933, t = 2.148 on 14 degrees of freedom, p = 4.970 %.
MAIZE = (49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48)

ERRORS = st.floats(0, 100)
PAIRS = st.lists(st.tuples(ERRORS, ERRORS), min_size=2, max_size=12)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_students_own_example_comes_out_as_published() -> None:
    found = paired_difference(SECOND_DRUG, FIRST_DRUG)
    assert found.n == 10
    assert found.mean == pytest.approx(1.58)
    assert found.mean / (found.sd / math.sqrt(10)) == pytest.approx(4.0621, abs=5e-5)
    assert found.p == pytest.approx(0.002833, abs=5e-7)
    assert (found.low, found.high) == pytest.approx((0.7001142, 2.4598858), abs=5e-8)


def test_fishers_test_of_darwins_maize_comes_out_as_published() -> None:
    found = paired_difference(MAIZE, [0] * 15)
    assert found.mean == pytest.approx(20.933, abs=5e-4)
    assert found.mean / (found.sd / math.sqrt(15)) == pytest.approx(2.148, abs=5e-4)
    assert found.p == pytest.approx(0.04970, abs=5e-6)


@given(PAIRS)
def test_the_other_way_round_only_the_sign_changes(pairs: list[tuple[float, float]]) -> None:
    there = paired_difference([a for a, _ in pairs], [b for _, b in pairs])
    back = paired_difference([b for _, b in pairs], [a for a, _ in pairs])
    turned = (back.n, -back.mean, back.sd, -back.high, -back.low, back.p)
    assert there == pytest.approx(turned, nan_ok=True)


@given(PAIRS)
def test_p_is_below_five_percent_just_where_the_interval_leaves_out_zero(
    pairs: list[tuple[float, float]],
) -> None:
    found = paired_difference([a for a, _ in pairs], [b for _, b in pairs])
    if abs(found.p - 0.05) > 1e-9:
        assert (found.p < 0.05) == (found.low > 0 or found.high < 0)


def test_equal_differences_are_no_certainty_even_where_binary_fractions_make_them_differ() -> None:
    values, reference = (1.13, 1.02, 0.97, 1.31, 1.2), (1.01, 0.9, 0.85, 1.19, 1.08)
    assert len({a - b for a, b in zip(values, reference, strict=True)}) > 1
    found = paired_difference(values, reference)
    assert found == pytest.approx((5, 0.12, 0.0, NAN, NAN, NAN), nan_ok=True)
    assert paired_difference(values, values) == pytest.approx((5, 0.0, 0.0, NAN, NAN, NAN), nan_ok=True)


def test_one_pair_has_a_difference_and_nothing_more() -> None:
    assert paired_difference([1.5], [1.0]) == pytest.approx((1, 0.5, NAN, NAN, NAN, NAN), nan_ok=True)
    assert paired_difference([], []) == pytest.approx((0, NAN, NAN, NAN, NAN, NAN), nan_ok=True)


@pytest.mark.parametrize(("values", "reference"), [((1.0, 2.0), (1.0,)), ((1.0, NAN), (1.0, 2.0))])
def test_what_are_no_pairs_of_numbers_is_refused(values: list[float], reference: list[float]) -> None:
    with pytest.raises(ValueError, match="expected pairs of finite values"):
        paired_difference(values, reference)


def test_holms_rule_decides_the_worked_example_as_published() -> None:
    # Four p values in the Wikipedia article "Holm-Bonferroni method": at 0.05 the fourth and the first are
    # rejected, and the procedure stops before the third. Corrected: 3 x 0.01, 2 x 0.03 for both, 4 x 0.005.
    corrected = holm([0.01, 0.04, 0.03, 0.005])
    assert corrected == pytest.approx((0.03, 0.06, 0.06, 0.02))


@pytest.mark.slow  # statsmodels takes seconds to import
@settings(max_examples=25)
@given(P_VALUES)
def test_holms_correction_is_that_of_statsmodels(p_values: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


@given(P_VALUES)
def test_holms_correction_keeps_the_order_and_stays_between_none_and_bonferroni(
    p_values: list[float],
) -> None:
    corrected = holm(p_values)
    for p, after in zip(p_values, corrected, strict=True):
        assert p <= after <= min(1, len(p_values) * p)
    ordered = [after for _, after in sorted(zip(p_values, corrected, strict=True))]
    assert all(a <= b for a, b in pairwise(ordered))
    assert corrected[np.argmin(p_values)] == pytest.approx(min(1, len(p_values) * min(p_values)))


def test_a_level_without_a_test_costs_the_others_nothing() -> None:
    assert holm([0.02, NAN, 0.01, NAN]) == pytest.approx((0.02, NAN, 0.02, NAN), nan_ok=True)
    assert holm([NAN, NAN]) == pytest.approx((NAN, NAN), nan_ok=True)
    assert holm([]) == ()


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([0.5, p])


def answers(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels = np.arange(both + only_a + only_b + neither, dtype=np.uint8) % 10
    wrong = (labels + 1) % 10
    kind = np.repeat([0, 1, 2, 3], [both, only_a, only_b, neither])
    return np.where(kind < 2, labels, wrong), np.where(kind % 2 == 0, labels, wrong), labels


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [
        # The matched pairs of M. P. Fay, "Two-sided exact tests and matching confidence intervals for
        # discrete data", The R Journal 2 (2010): 21, 9, 2, 12 give an exact McNemar p of 0.06543.
        (9, 2, 0.06543),
        # By hand: 2 x (1 + 5) / 2^5 and 2 / 2^5.
        (4, 1, 0.375),
        (0, 5, 0.0625),
        (0, 0, 1.0),
        (7, 7, 1.0),
    ],
)
def test_mcnemars_exact_p_is_that_of_the_textbook(only_a: int, only_b: int, p: float) -> None:
    found = mcnemar(*answers(21, only_a, only_b, 12))
    assert found[:2] == (only_a, only_b)
    assert found.p == pytest.approx(p, abs=5e-6)


def test_mcnemar_takes_no_answers_to_other_images() -> None:
    a, b, labels = answers(21, 9, 2, 12)
    with pytest.raises(ValueError, match=r"one shape, received \(44,\), \(43,\) and \(44,\)"):
        mcnemar(a, b[1:], labels)


def test_the_published_power_of_the_paired_t_test_is_found() -> None:
    # G*Power's guide, "Difference between two dependent means", its replication of Cohen's example: 50 pairs,
    # dz = 0.421637, two-sided 0.05, power 0.832114.
    assert detectable_difference(1, 50, power=0.832114) == pytest.approx(0.421637, abs=5e-6)
    # G*Power's answers for 0.8: 34 pairs for Cohen's medium effect of 0.5, 10 for an effect of 1.
    assert seeds_needed(1, 0.5) == 34
    assert seeds_needed(1, 1) == 10


@pytest.mark.slow  # statsmodels takes seconds to import
@pytest.mark.parametrize("n", [2, 3, 5, 8, 30, 500])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 7, 0.001])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_the_detectable_difference_has_the_power_that_statsmodels_gives_it(
    n: int, alpha: float, power: float
) -> None:
    from statsmodels.stats.power import TTestPower

    effect = detectable_difference(1, n, power, alpha)
    theirs = float(TTestPower().power(effect, n, alpha, alternative="larger"))
    one_sided = float(TTestPower().power(effect, n, alpha / 2, alternative="larger"))
    assert one_sided == pytest.approx(power, abs=1e-4)
    assert theirs > one_sided


@given(st.floats(0.01, 10), st.integers(2, 100), st.floats(0.5, 0.99))
def test_twice_the_spread_hides_twice_the_difference(sd: float, n: int, power: float) -> None:
    seen = detectable_difference(sd, n, power)
    assert detectable_difference(2 * sd, n, power) == pytest.approx(2 * seen)
    assert detectable_difference(sd, n + 1, power) < seen


@given(st.floats(0.01, 1), st.floats(0.05, 1))
def test_seeds_needed_is_the_first_number_that_is_enough(sd: float, difference: float) -> None:
    seeds = seeds_needed(sd, difference)
    assert 2 <= seeds <= MOST_SEEDS
    if seeds < MOST_SEEDS:
        assert detectable_difference(sd, seeds) <= difference
    if seeds > 2:
        assert detectable_difference(sd, seeds - 1) > difference


def test_a_hopeless_question_is_answered_with_the_most_seeds() -> None:
    assert seeds_needed(1, 0.001) == MOST_SEEDS
    assert detectable_difference(1, MOST_SEEDS) > 0.001


@pytest.mark.parametrize(
    ("sd", "n", "power", "alpha"),
    [(0, 5, 0.8, 0.05), (NAN, 5, 0.8, 0.05), (1, 1, 0.8, 0.05), (1, 5, 1.0, 0.05), (1, 5, 0.8, 0)],
)
def test_power_without_a_spread_or_a_level_is_refused(sd: float, n: int, power: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="expected sd > 0, n >= 2"):
        detectable_difference(sd, n, power, alpha)


@pytest.mark.parametrize("difference", [0, -0.1, NAN])
def test_seeds_for_no_difference_are_refused(difference: float) -> None:
    with pytest.raises(ValueError, match="expected a difference above 0"):
        seeds_needed(0.1, difference)


# Percent, by seed. The last level lacks seed 3, and its seeds come in another order.
KERNELS = [
    {0: 1.42, 1: 1.40, 2: 1.52, 3: 1.45, 4: 1.39},
    {0: 1.20, 1: 1.25, 2: 1.31, 3: 1.19, 4: 1.22},
    {0: 1.21, 1: 1.22, 2: 1.36, 3: 1.15, 4: 1.25},
    {4: 1.01, 2: 1.06, 1: 1.03, 0: 0.93},
]


def test_a_comparison_is_made_of_the_figures_of_its_level_and_the_reference() -> None:
    found = compare(KERNELS, reference=1)
    assert [each.level for each in found] == [0, 2, 3]
    base = list(KERNELS[1].values())
    for each in found[:2]:
        values = list(KERNELS[each.level].values())
        assert each.paired == paired_difference(values, base)
        assert each.sign_flip == sign_flip_test([a - b for a, b in zip(values, base, strict=True)])
        assert each.sign_flip.smallest_p == 0.0625
    assert [each.holm_p for each in found] == list(holm([each.paired.p for each in found]))
    assert found[0].paired.low > 0
    assert found[2].paired.high < 0


def test_only_seeds_that_both_levels_have_are_paired() -> None:
    *_, last = compare(KERNELS, reference=1)
    assert last.paired == paired_difference([0.93, 1.03, 1.06, 1.01], [1.20, 1.25, 1.31, 1.22])


def test_power_figures_are_those_of_the_corrected_test() -> None:
    for each in compare(KERNELS, reference=1, difference=0.05):
        limit = spread_limit(each.paired.sd, each.paired.n)
        assert each.detectable == detectable_difference(limit, each.paired.n, alpha=0.05 / 3)
        assert each.seeds_needed == seeds_needed(limit, 0.05, alpha=0.05 / 3)


@pytest.mark.parametrize(("n", "factor"), [(2, 3.947), (3, 2.117), (5, 1.558), (10, 1.293), (30, 1.136)])
def test_the_upper_limit_of_a_spread_is_that_of_a_table(n: int, factor: float) -> None:
    # Chi-square's 20 % points for 1, 2, 4, 9 and 29 degrees of freedom: 0.0642, 0.4463, 1.6488, 5.3801,
    # 22.475.
    assert spread_limit(1, n) == pytest.approx(factor, abs=5e-4)
    assert spread_limit(0.3, n) == pytest.approx(0.3 * spread_limit(1, n))


def test_intervals_of_differences_of_shares_end_at_100_points() -> None:
    levels = [{0: 2.1, 1: 90.2}, {0: 2.0, 1: 2.2}]
    (found,) = compare(levels, reference=1)
    assert (found.paired.low, found.paired.high) == (-100.0, 100.0)
    assert found.detectable == math.inf
    assert found.too_few
    (small,) = compare([{0: 0.01, 1: 0.02}, {0: 0.01, 1: 0.12}], reference=1, largest=0.2)
    assert (small.paired.low, small.paired.high) == (-0.2, 0.2)


def test_seeds_are_too_few_where_they_could_miss_that_one_level_makes_no_error() -> None:
    # Of differences with a spread of 0.225 three seeds see 1.56 points, five of a like spread 0.6.
    near, far = (0.75, 0.8, 0.85), (1.05, 0.65, 0.95)
    (three,) = compare([dict(enumerate(far)), dict(enumerate(near))], reference=1)
    assert three.means == (pytest.approx(0.883, abs=1e-3), pytest.approx(0.8))
    assert three.detectable == pytest.approx(1.558, abs=1e-3)
    assert three.too_few
    twice = [dict(enumerate(values)) for values in (far * 2, near * 2)]
    assert not compare(twice, reference=1)[0].too_few
    worse = [{seed: value + 0.7 for seed, value in enumerate(values)} for values in (far, near)]
    assert not compare(worse, reference=1)[0].too_few


def test_a_spread_far_from_the_references_is_told_from_one_that_chance_makes() -> None:
    steady = {0: 2.0, 1: 2.1, 2: 1.9, 3: 2.05, 4: 2.0}
    collapsed = {0: 1.7, 1: 1.8, 2: 1.6, 3: 90.2, 4: 1.7}
    restless = {0: 2.1, 1: 2.3, 2: 1.9, 3: 2.2, 4: 2.0}
    found, other = compare([collapsed, steady, restless], reference=1)
    assert found.wide
    assert found.spreads.level / found.spreads.reference > 100
    assert not other.wide
    assert compare([steady, collapsed], reference=1)[0].wide  # the reference itself
    all_collapsed = dict.fromkeys(range(5), 90.2)
    assert not compare([all_collapsed, steady], reference=1)[0].wide


def test_a_level_whose_spread_is_unknown_says_so_and_costs_the_others_nothing() -> None:
    single, shifted = {2: 1.0}, {seed: error + 0.1 for seed, error in KERNELS[1].items()}
    one, equal, none, tested = compare([single, KERNELS[1], shifted, {}, KERNELS[0]], reference=1)
    assert (one.paired.n, equal.paired.n, none.paired.n) == (1, 5, 0)
    for each in (one, equal, none):
        assert math.isnan(each.holm_p)
        assert math.isnan(each.detectable)
        assert each.seeds_needed is None
    assert equal.sign_flip == SignFlip(0.0625, 0.0625)
    assert tested.holm_p == tested.paired.p
    assert tested.detectable == detectable_difference(spread_limit(tested.paired.sd, 5), 5)


def test_a_reference_alone_is_compared_with_nothing() -> None:
    assert compare(KERNELS[:1], reference=0) == ()


@pytest.mark.parametrize("reference", [-1, 4])
def test_a_reference_that_is_no_level_is_refused(reference: int) -> None:
    with pytest.raises(ValueError, match=r"expected a reference level in 0\.\.3, received"):
        compare(KERNELS, reference)


def test_results_are_plain_numbers() -> None:
    def flat(values: tuple) -> list[object]:
        return [each for value in values for each in (flat(value) if isinstance(value, tuple) else [value])]

    figures = flat((*compare(KERNELS, 1), PairedDifference(*paired_difference([1, 2], [1, 1]))))
    assert {type(figure) for figure in figures} == {int, float, bool}


def test_without_scipy_one_line_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['scipy'] = None\n"
        "from digitlab.errors import MissingExtraError\n"
        "try:\n    import digitlab.results.statistics\nexcept MissingExtraError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(MissingExtraError("scipy", "report"))
