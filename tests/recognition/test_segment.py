from __future__ import annotations

import numpy as np

from digitlab.recognition.choose import choose
from digitlab.recognition.cuts import best_slices, cuttings
from digitlab.recognition.furniture import without_furniture
from digitlab.recognition.lines import find_lines
from digitlab.recognition.neighbours import gaps
from digitlab.recognition.pieces import Piece, connected_pieces, join
from digitlab.recognition.segment import find_digits


def ink(height: int, width: int, *boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Full ink in boxes of left, top, width and height."""
    strength = np.zeros((height, width), np.uint8)
    for left, top, wide, tall in boxes:
        strength[top : top + tall, left : left + wide] = 255
    return strength


def block(left: int, top: int, width: int, height: int) -> Piece:
    return Piece(np.full((height, width), 255, np.uint8), left, top, width * height)


def test_pieces_keep_the_soft_edge_of_their_strokes_and_no_ink_of_others() -> None:
    strength = ink(20, 20, (3, 3, 4, 10), (9, 3, 4, 10))
    strength[3:13, 7] = 30
    first, second = connected_pieces(strength, smallest=3)
    assert (first.mass, second.mass) == (40, 40)
    assert first.strength[5].tolist() == [0, 255, 255, 255, 255, 30]
    assert second.strength.max(axis=0).tolist() == [0, 255, 255, 255, 255, 0]


def test_joined_pieces_stay_where_they_are() -> None:
    strength = ink(30, 30, (2, 4, 3, 9), (20, 1, 5, 5))
    whole = join(connected_pieces(strength, smallest=3))
    found = np.zeros_like(strength)
    found[whole.top : whole.bottom, whole.left : whole.right] = whole.strength
    np.testing.assert_array_equal(found, strength)


def test_a_gap_is_the_distance_of_the_ink_and_not_of_the_boxes() -> None:
    corner = np.zeros((40, 40), np.uint8)
    corner[:, :3] = corner[37:, :] = 255  # an L, whose box holds the block beside it
    pieces = [Piece(corner, 0, 0, 234), block(20, 5, 6, 6)]
    assert abs(gaps(pieces, 30)[0, 1] - 18) < 1.5
    assert gaps(pieces, 10) == {}


def test_lines_that_fall_keep_their_digits() -> None:
    upper = [block(40 * n, 10 + 9 * n, 20, 30) for n in range(6)]
    lower = [block(40 * n, 70 + 9 * n, 20, 30) for n in range(6)]
    lines = find_lines([*lower[::-1], *upper[::-1]])
    assert [[piece.left for piece in line] for line in lines] == [[40 * n for n in range(6)]] * 2
    assert lines[0][0] is upper[0]


def test_one_digit_is_a_line() -> None:
    assert [len(line) for line in find_lines([block(3, 3, 4, 9)])] == [1]
    assert find_lines([]) == []


def test_a_frame_and_an_underline_are_no_writing_and_a_lying_stroke_alone_is() -> None:
    digits = [block(20, 20, 15, 30), block(50, 20, 15, 30)]
    frame = Piece(np.pad(np.zeros((60, 90), np.uint8), 2, constant_values=255), 5, 5, 616)
    underline = block(15, 56, 70, 3)
    left = without_furniture([*digits, frame, underline], (200, 200))
    assert left == digits
    assert without_furniture([underline], (200, 200)) == [underline]


def test_a_dash_between_numbers_is_left_out() -> None:
    strength = ink(60, 160, (10, 10, 6, 40), (60, 30, 20, 4), (110, 10, 6, 40))
    writing = find_digits(strength)
    chosen = choose(writing, np.full(len(writing.pieces), 0.9), np.full(len(writing.joins), 0.1))
    assert sorted(writing.pieces[number].left for number, is_join in chosen if not is_join) == [9, 109]


def test_parts_are_joined_when_they_look_more_like_a_digit_together() -> None:
    writing = find_digits(ink(80, 60, (10, 10, 25, 5), (10, 20, 20, 40)))  # a bar over a body
    assert [one.members for one in writing.joins] == [(0, 1)]
    apart = np.full(2, 0.5)
    assert choose(writing, apart, np.array([0.9])) == [(0, True)]
    assert choose(writing, apart, np.array([0.01])) == [(1, False)]


def test_tall_pieces_side_by_side_need_more_evidence_to_be_one() -> None:
    beside = find_digits(ink(60, 60, (10, 10, 8, 40), (22, 10, 8, 40)))
    stacked = find_digits(ink(70, 60, (10, 10, 20, 20), (10, 33, 20, 24)))
    assert beside.joins[0].doubt > 0 >= stacked.joins[0].doubt


def test_a_piece_is_cut_where_it_is_thin() -> None:
    bridge = ink(40, 70, (2, 2, 20, 36), (22, 18, 10, 3), (32, 2, 20, 36))
    piece = connected_pieces(bridge, smallest=3)[0]
    cutting = cuttings(piece)
    likely = [0.95 if part.piece.width < 30 else 0.01 for part in cutting.slices]
    path = best_slices(cutting, likely, whole=0.01)
    assert len(path) == 2
    lefts = [cutting.slices[number].piece.left for number in path]
    assert lefts[0] < 5
    assert 18 <= lefts[1] <= 33


def test_a_piece_stays_whole_when_a_slice_is_no_digit() -> None:
    piece = connected_pieces(ink(40, 60, (2, 2, 50, 36)), smallest=3)[0]
    cutting = cuttings(piece)
    assert best_slices(cutting, [0.3] * len(cutting.slices), whole=0.02) == []


def test_nothing_is_found_where_nothing_is() -> None:
    assert find_digits(np.zeros((20, 20), np.uint8)).pieces == ()
