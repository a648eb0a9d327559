"""The second opinion: which ink is at which place, and when a digit counts as read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from digitlab.bundle.runtime import Classifier, load_classifier
from digitlab.data.dataset import Dataset
from digitlab.recognition.ink_regions import assign_ink
from digitlab.recognition.page import make_page
from digitlab.recognition.reading import Opinions
from digitlab.recognition.row_crop import RowCrop, crop_row
from digitlab.recognition.row_reader import RowAnswer
from digitlab.recognition.rows import find_rows
from digitlab.recognition.sources import source_pages
from digitlab.recognition.verify import (
    PARAMETERS,
    Judgement,
    RowRegions,
    judge,
    likely_no_letter,
    likely_right,
)
from digitlab.spec.rows import ALPHABET

Write = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return load_classifier("best")


def crop_of(picture: np.ndarray) -> RowCrop:
    page = make_page(source_pages(picture)[0])
    layout = find_rows(page)
    return crop_row(page, layout, layout.rows[0])


def said(text: str, columns: Sequence[float], width: int, probability: float = 0.9) -> RowAnswer:
    """What a reader says that names these characters at these columns of a row."""
    places = np.array([(column - 3, column, column + 3) for column in columns], float).reshape(-1, 3)
    shares = np.full((len(text), len(ALPHABET)), (1 - probability) / 10)
    for place, symbol in enumerate(text):
        shares[place, ALPHABET.index(symbol)] = probability
    return RowAnswer(text, probability, ((text, probability),), places, shares, np.zeros(width // 4 + 1))


def middles(crop: RowCrop) -> list[float]:
    """Middles of the row's components, from the left."""
    labels = np.unique(crop.labels[crop.labels > 0])
    columns = [np.flatnonzero((crop.labels == label).any(axis=0)) for label in labels]
    return sorted((found[0] + found[-1]) / 2 for found in columns)


def judged(
    crop: RowCrop, text: str, columns: Sequence[float], classifier: Classifier, probability: float = 0.9
) -> list[Judgement]:
    answer = said(text, columns, crop.grey.shape[1], probability)
    row = RowRegions(answer, probability, assign_ink(crop, answer))
    return judge([row], classifier)[0]


def test_each_character_gets_its_own_ink(write: Write, classifier: Classifier) -> None:
    crop = crop_of(write(["407"], seed=3))
    known = judged(crop, "407", middles(crop), classifier)
    assert [one.opinions.form_digit for one in known] == [4, 0, 7]
    assert all(one.accepted for one in known)
    assert [one.digit for one in known] == [4, 0, 7]


def test_ink_of_two_characters_is_cut_between_them(digits: Dataset, classifier: Classifier) -> None:
    three, eight = (digits.x_test[np.flatnonzero(digits.y_test == label)[0]] for label in (3, 0))
    both = np.zeros((28, 46), np.uint8)
    both[:, :28] |= three
    both[:, 18:] |= eight
    crop = crop_of(255 - np.pad(both, 10))
    first, second = judged(crop, "30", [24 - crop.left, 42 - crop.left], classifier)
    assert first.region.box[2] <= second.region.box[0] + 8
    assert min(one.region.intensity.any() for one in (first, second))


def test_a_digit_that_was_passed_over_is_told(write: Write, classifier: Classifier) -> None:
    crop = crop_of(write(["407"], seed=3))
    four, zero, seven = middles(crop)
    known = judged(crop, "47", [four, seven], classifier)
    assert [one.accepted for one in known] == [True, False, True]
    passed = known[1]
    assert passed.region.character is None
    assert passed.region.box[0] < zero < passed.region.box[2]
    assert not passed.is_sign


def test_a_stroke_that_neither_takes_for_a_digit_is_a_sign(classifier: Classifier) -> None:
    picture = np.full((100, 260), 255, np.uint8)
    for left in (20, 200):
        picture[20:80, left : left + 6] = 0
    for row in range(20, 80):
        picture[row, 140 - row // 2 : 146 - row // 2] = 0
    crop = crop_of(picture)
    first, _, last = middles(crop)
    signs = [one.is_sign for one in judged(crop, "11", [first, last], classifier)]
    assert signs == [False, True, False]


@pytest.mark.parametrize(("probability", "accepted"), [(0.99, True), (0.5, False)])
def test_against_the_classifier_only_a_certain_row_counts(
    write: Write, classifier: Classifier, probability: float, accepted: bool
) -> None:
    crop = crop_of(write(["407"], seed=3))
    known = judged(crop, "401", middles(crop), classifier, probability)
    assert [one.accepted for one in known] == [True, True, accepted]
    assert known[2].opinions.form_digit == 7
    if accepted:
        assert known[2].digit == 1


def test_a_question_mark_of_the_reader_stays_one(write: Write, classifier: Classifier) -> None:
    crop = crop_of(write(["407"], seed=3))
    known = judged(crop, "4?7", middles(crop), classifier)
    assert [one.accepted for one in known] == [True, False, True]


def test_where_a_character_has_no_ink_nothing_breaks(write: Write, classifier: Classifier) -> None:
    crop = crop_of(write(["4"], seed=3))
    known = judged(crop, "41", [middles(crop)[0], crop.grey.shape[1] - 2], classifier)
    assert len(known) == 2
    assert all(np.isfinite(one.probabilities).all() for one in known)


def opinions(told: float, agree: bool, likely: float) -> Opinions:
    return Opinions(3, told, 3 if agree else 8, 0.95, likely)


def test_a_digit_is_likelier_right_the_more_both_say_so() -> None:
    likely = [likely_right(opinions(told, True, 0.9)) for told in (0.2, 0.5, 0.9, 0.99)]
    assert likely == sorted(likely)
    assert likely_right(opinions(0.9, True, 0.9)) > likely_right(opinions(0.9, True, 0.1))
    assert likely_right(opinions(0.9, False, 0.1)) > likely_right(opinions(0.9, False, 0.9))


def test_one_piece_that_is_unlike_digits_may_be_a_letter() -> None:
    unlike, like = opinions(0.95, False, 0.01), opinions(0.95, True, 0.99)
    assert likely_right(unlike) > PARAMETERS.right > likely_right(unlike, may_be_a_letter=True)
    assert likely_right(like, may_be_a_letter=True) > PARAMETERS.right


def test_a_lone_character_is_likelier_a_digit_the_more_both_networks_take_it_for_one() -> None:
    likely = [likely_no_letter(opinions(told, True, 0.9)) for told in (0.2, 0.5, 0.9, 0.99)]
    assert likely == sorted(likely)
    assert likely_no_letter(opinions(0.9, True, 0.9)) > likely_no_letter(opinions(0.9, True, 0.01))
    assert likely_no_letter(opinions(1.0, True, 1.0)) > 0.98
    assert likely_no_letter(opinions(0.0, True, 0.0)) < 0.01


@pytest.mark.parametrize("alone", [True, False])
def test_a_digit_on_which_the_networks_disagree_is_not_printed_as_another(
    write: Write, classifier: Classifier, alone: bool
) -> None:
    crop = crop_of(write(["4"], seed=3))
    told = said("7", middles(crop), crop.grey.shape[1], probability=0.6)
    row = RowRegions(told, 0.6, assign_ink(crop, told), alone=alone)
    doubtful = replace(PARAMETERS, certain=2.0)  # so that the classifier does not decide by itself
    [judgement] = judge([row], classifier, doubtful)[0]
    assert likely_no_letter(judgement.opinions) > PARAMETERS.lone_right
    assert not judgement.accepted


def test_a_lone_letter_is_refused_where_the_same_ink_in_a_row_would_count(
    write: Write, classifier: Classifier
) -> None:
    crop = crop_of(write(["4"], seed=3))
    told = said("4", middles(crop), crop.grey.shape[1], probability=0.85)
    known = RowRegions(told, 0.9, assign_ink(crop, told), alone=True)
    [accepted] = judge([known], classifier)[0]
    assert accepted.accepted
    unlike = replace(PARAMETERS, lone_digit=0.0, lone_offset=-4.0, certain=2.0)
    [refused] = judge([known], classifier, unlike)[0]
    assert not refused.accepted
    beside = replace(known, alone=False)
    assert judge([beside], classifier, unlike)[0][0].accepted
