"""Decoding a row: against every path there is, on rows so short that all can be counted."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitlab.recognition.ctc import Hypothesis, beam_search, combine, decode, length_probability
from digitlab.recognition.ctc_paths import align, score
from digitlab.recognition.lengths import LengthRange
from digitlab.spec.rows import ALPHABET, BLANK

MANY = 10_000
"""Beams: more than a row of these tests has prefixes."""
SYMBOLS = (1, 7, 10)
"""Those that occur in them: "1", "7" and "?"."""


@st.composite
def short_rows(draw: st.DrawFn, least: int = 1) -> np.ndarray:
    """Probabilities of up to five frames, of four of the twelve outputs."""
    count = draw(st.integers(least, 5))
    weight = st.floats(0.01, 1.0)
    row = np.zeros((count, BLANK + 1))
    for frame in row:
        frame[[*SYMBOLS, BLANK]] = [draw(weight) for _ in range(4)]
    return row / row.sum(axis=1, keepdims=True)


def ranges() -> st.SearchStrategy[LengthRange]:
    ends = st.tuples(st.integers(1, 4), st.none() | st.integers(0, 2))
    return ends.map(lambda pair: LengthRange(pair[0], None if pair[1] is None else pair[0] + pair[1]))


def all_strings(row: np.ndarray) -> dict[str, float]:
    """The probability of every string, summed over every path."""
    found: defaultdict[str, float] = defaultdict(float)
    for path in itertools.product((*SYMBOLS, BLANK), repeat=len(row)):
        probability = math.prod(row[number, output] for number, output in enumerate(path))
        found["".join(ALPHABET[one] for one, _ in itertools.groupby(path) if one != BLANK)] += probability
    return dict(found)


def peaks(text: str, certain: float = 0.98, apart: int = 3) -> np.ndarray:
    """A row as a network answers it: a peak for each character, blanks between, a little of everything."""
    row = np.full((apart * len(text) + 2, BLANK + 1), 1e-7)
    row[:, BLANK] = 1.0
    for number, symbol in enumerate(text):
        frame = row[1 + apart * number]
        frame[:] = (1 - certain) / BLANK
        frame[ALPHABET.index(symbol)] = certain
    return row / row.sum(axis=1, keepdims=True)


@given(short_rows())
def test_enough_beams_find_every_string_with_its_probability(row: np.ndarray) -> None:
    found = {one.text: math.exp(one.log_probability) for one in beam_search(row, beams=MANY)}
    expected = all_strings(row)
    for text, probability in expected.items():
        assert found.get(text, 0.0) == pytest.approx(probability, rel=1e-3, abs=1e-3)
    assert found.keys() <= expected.keys()


@given(short_rows(), ranges())
def test_with_a_known_length_the_strings_of_that_length_are_found_and_no_others(
    row: np.ndarray, lengths: LengthRange
) -> None:
    found = {one.text: math.exp(one.log_probability) for one in beam_search(row, lengths, MANY)}
    admissible = {text: value for text, value in all_strings(row).items() if len(text) in lengths}
    assert found.keys() <= admissible.keys()
    for text, probability in admissible.items():
        assert found.get(text, 0.0) == pytest.approx(
            probability, rel=1e-3, abs=1e-3 * sum(admissible.values())
        )


@given(short_rows(), ranges(), st.integers(1, 3))
def test_few_beams_still_find_a_string_of_the_known_length_where_there_is_one(
    row: np.ndarray, lengths: LengthRange, beams: int
) -> None:
    found = beam_search(row, lengths, beams)
    possible = any(len(text) in lengths for text in all_strings(row))
    assert bool(found) == possible
    assert len(found) <= beams
    assert all(len(one.text) in lengths for one in found)


@given(short_rows())
def test_hypotheses_come_the_likeliest_first(row: np.ndarray) -> None:
    found = [one.log_probability for one in beam_search(row)]
    assert found == sorted(found, reverse=True)


@given(short_rows(), ranges())
def test_the_probability_of_a_length_is_that_of_all_its_strings(
    row: np.ndarray, lengths: LengthRange
) -> None:
    expected = sum(value for text, value in all_strings(row).items() if len(text) in lengths)
    assert length_probability(row, lengths) == pytest.approx(expected, abs=1e-9)


@given(short_rows())
def test_a_score_is_the_sum_over_all_paths_of_a_string(row: np.ndarray) -> None:
    for text, probability in all_strings(row).items():
        assert score(row, text) == pytest.approx(math.log(probability), abs=1e-9)


def test_a_string_that_the_frames_cannot_hold_has_no_probability() -> None:
    row = np.full((3, BLANK + 1), 1 / 12)
    assert score(row, "1234") == -math.inf
    assert score(row, "111") == -math.inf
    assert beam_search(row, LengthRange(4, None)) == []
    assert length_probability(row, LengthRange(4, 9)) == 0


@pytest.mark.parametrize("text", ["", "7", "1131", "100000", "12?45", "0123456789" * 20])
def test_a_row_of_clear_peaks_is_read_as_it_stands(text: str) -> None:
    first = beam_search(peaks(text))[0]
    assert first.text == text
    assert first.log_probability == pytest.approx(score(peaks(text), text), abs=0.01)


def test_a_pale_digit_is_found_when_one_more_is_known_to_be_there() -> None:
    row = peaks("1974")
    row[8] = 1e-9  # between the 7 and the 4, and fainter than what is taken for silence elsewhere
    row[8, 3], row[8, BLANK] = 2e-5, 1 - 2e-5
    assert beam_search(row)[0].text == "1974"
    assert beam_search(row, LengthRange(5, 5), beams=2)[0].text == "19734"


def test_a_digit_too_many_is_dropped_where_it_is_likeliest_to_be_none() -> None:
    row = peaks("19734")
    row[10, [3, BLANK]] = 0.7, 0.3
    assert beam_search(row)[0].text == "19734"
    assert beam_search(row, LengthRange.parse("4"), beams=1)[0].text == "1974"
    assert beam_search(row, LengthRange.parse("-4"), beams=1)[0].text == "1974"


def test_a_long_row_does_not_run_out_of_numbers() -> None:
    flat = np.full((960, BLANK + 1), 1 / 12)
    assert math.isfinite(beam_search(flat, beams=4)[0].log_probability)
    assert len(beam_search(flat, LengthRange(200, 200), beams=4)[0].text) == 200
    assert math.isfinite(score(flat, "12" * 100))


def test_an_empty_row_says_nothing() -> None:
    empty = np.zeros((0, BLANK + 1), np.float32)
    assert beam_search(empty) == [Hypothesis("", 0.0)]
    assert beam_search(empty, LengthRange(1, None)) == []
    assert align(empty, "") == []


@given(st.lists(short_rows(), min_size=1, max_size=3))
def test_several_looks_together_are_the_mean_of_their_posteriors(rows: list[np.ndarray]) -> None:
    together = combine([beam_search(row, beams=MANY) for row in rows])
    expected: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        for text, probability in all_strings(row).items():
            expected[text] += probability / len(rows)
    for one in together:
        assert math.exp(one.log_probability) == pytest.approx(expected[one.text], rel=1e-3, abs=1e-3)
    assert together[0].log_probability == max(one.log_probability for one in together)


def test_a_string_that_the_beams_of_one_look_have_lost_counts_with_its_score() -> None:
    looks = [peaks("17", certain=0.6), peaks("71", certain=0.6)]
    found = [beam_search(look, beams=1) for look in looks]
    alone = combine(found)
    scored = combine(found, looks, beams=1)
    assert {one.text for one in alone} == {one.text for one in scored} == {"17", "71"}
    for one in scored:
        exact = sum(math.exp(score(look, one.text)) for look in looks) / 2
        assert math.exp(one.log_probability) == pytest.approx(exact, rel=0.01)


def test_a_known_length_makes_a_doubtful_row_confident() -> None:
    row = peaks("1974")
    row[8] = 1e-9  # half a digit more
    row[8, [3, BLANK]] = 0.5, 0.5
    doubtful = decode([row, row])
    assert math.exp(doubtful[0].log_probability) < 0.5
    for length, text in (("4", "1974"), ("5", "19734")):
        first = decode([row, row], LengthRange.parse(length))[0]
        assert first.text == text
        assert math.exp(first.log_probability) > 0.9


def test_a_length_that_the_ink_contradicts_makes_nothing_confident() -> None:
    row = peaks("1974", certain=0.9999)
    first = decode([row, row], LengthRange.parse("6"))[0]
    assert len(first.text) == 6
    assert math.exp(first.log_probability) < 0.01
    assert decode([row[:3]], LengthRange.parse("6")) == []


@given(short_rows(least=3), st.data())
def test_an_alignment_is_the_likeliest_path(row: np.ndarray, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([one for one in all_strings(row) if one]))
    spans = align(row, text)
    path = [BLANK] * len(row)
    for symbol, span in zip(text, spans, strict=True):
        assert span.start <= span.peak < span.stop
        path[span.start : span.stop] = [ALPHABET.index(symbol)] * (span.stop - span.start)
    assert all(one.stop <= other.start for one, other in itertools.pairwise(spans))

    def written(path: tuple[int, ...]) -> str:
        return "".join(ALPHABET[one] for one, _ in itertools.groupby(path) if one != BLANK)

    likeliest = max(
        math.prod(row[number, output] for number, output in enumerate(one))
        for one in itertools.product((*SYMBOLS, BLANK), repeat=len(row))
        if written(one) == text
    )
    assert written(tuple(path)) == text
    assert math.prod(row[number, output] for number, output in enumerate(path)) == pytest.approx(likeliest)


def test_a_character_stands_where_its_peak_is() -> None:
    row = peaks("1131")
    assert [span.peak for span in align(row, "1131")] == [1, 4, 7, 10]
    with pytest.raises(ValueError, match=r"expected 7 frames or more for '11\?11', received 3"):
        align(row[:3], "11?11")
