from __future__ import annotations

import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.synthesis.row_form import ROW_HEIGHT, ROW_WIDTHS, nearest_width, row_form
from digitlab.synthesis.row_texts import Token, digits_of, label
from digitlab.synthesis.rows import BATCH, BATCHES, RowComposer
from digitlab.synthesis.skeletons import skeletonize


@pytest.fixture(scope="module")
def composer(mnist: Dataset) -> RowComposer:
    return RowComposer(mnist.x_train[:300], mnist.y_train[:300])


@pytest.mark.slow  # draws three chunks of rows
def test_the_same_seed_and_index_give_the_same_chunk(composer: RowComposer) -> None:
    one, other = composer.chunk(3, 1), composer.chunk(3, 1)
    assert all((a.images == b.images).all() and a.texts == b.texts for a, b in zip(one, other, strict=True))
    assert any(a.texts != b.texts for a, b in zip(one, composer.chunk(3, 2), strict=True))


@pytest.mark.slow  # draws a chunk of rows
def test_a_chunk_has_batches_of_one_width_with_room_for_their_texts(composer: RowComposer) -> None:
    chunk = composer.chunk(0, 0)
    assert len(chunk) == BATCHES
    for batch in chunk:
        count, height, width = batch.images.shape
        assert (count, height, len(batch.texts)) == (BATCH, ROW_HEIGHT, BATCH)
        assert width in ROW_WIDTHS
        assert max(len(text) for text in batch.texts) <= width // 4


@pytest.mark.slow  # draws 600 rows
def test_rows_say_all_digits_and_some_are_no_numbers(composer: RowComposer) -> None:
    texts = [row.text for row in composer.rows(600, seed=1)]
    assert set("0123456789?") <= set("".join(texts))
    assert 0 < sum(text == "" for text in texts) < 60


def test_rows_are_pictures_with_ink_unless_they_say_nothing(composer: RowComposer) -> None:
    for row in composer.rows(200, seed=2):
        assert row.image.dtype == np.uint8
        assert min(row.image.shape) >= 8
        if row.text:
            assert np.ptp(row.image) > 12


def test_held_back_shapes_and_papers_give_other_rows(mnist: Dataset, composer: RowComposer) -> None:
    held_back = RowComposer(mnist.x_train[:300], mnist.y_train[:300], held_back=True)
    pairs = zip(composer.rows(20, 0), held_back.rows(20, 0), strict=True)
    assert any(a.image.shape != b.image.shape or (a.image != b.image).any() for a, b in pairs)


def test_signs_and_gaps_are_nothing_and_letters_are_question_marks() -> None:
    text = [Token("sign", name="dollar"), *digits_of("12"), Token("space"), Token("letter", 3)]
    assert label(text) == "12?"


@pytest.mark.parametrize(
    ("width", "nearest"), [(10, 32), (39, 32), (40, 48), (224, 224), (239, 224), (241, 256), (9_999, 4096)]
)
def test_the_nearest_width_is_nearest_in_ratio(width: float, nearest: int) -> None:
    assert nearest_width(width) == nearest


def test_row_form_keeps_polarity_and_gives_32_rows() -> None:
    grey = np.full((64, 200), 200, np.uint8)
    grey[20:40, 50:60] = 10
    form = row_form(grey)
    assert form.shape == (32, 96)
    assert form[15, 26] < 30
    assert form[2, 2] == 200


def test_a_skeleton_is_a_thin_line_along_the_middle_of_a_stroke() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:24, 12:16] = 255
    points, edges = skeletonize(image)[0]
    assert np.ptp(points[:, 0]) < 0.05
    assert np.ptp(points[:, 1]) > 0.75
    assert len(edges) == len(points) - 1


def test_skeletons_hang_together_as_their_digits_do(mnist: Dataset) -> None:
    skeletons = skeletonize(mnist.x_train[:100])
    assert len(skeletons) == 100
    for i in range(100):
        points, edges = skeletons[i]
        assert edges.max() < len(points)
        assert np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1).max() < 0.06
