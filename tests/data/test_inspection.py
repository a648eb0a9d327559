"""What is odd about a data set is told with counts; sound ones, MNIST first, leave nothing to tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from digitlab.data.dataset import Dataset
from digitlab.data.inspection import Finding, inspect_dataset
from digitlab.synthesis.strokes import draw_digits

Arrays = tuple[np.ndarray, np.ndarray]
Change = Callable[[np.ndarray], np.ndarray]


def dataset(train: Arrays, test: Arrays) -> Dataset:
    return Dataset("made", *train, *test, "")


@pytest.fixture(scope="module")
def train(mnist: Dataset) -> Arrays:
    return mnist.x_train[:300], mnist.y_train[:300]


@pytest.fixture(scope="module")
def test(mnist: Dataset) -> Arrays:
    return mnist.x_test[:100], mnist.y_test[:100]


def changed(arrays: Arrays, change: Change, every: int = 1) -> Arrays:
    """A part some of whose images are changed."""
    images, labels = arrays[0].copy(), arrays[1]
    images[::every] = change(images[::every])
    return images, labels


def invert(images: np.ndarray) -> np.ndarray:
    return 255 - images


def only(findings: tuple[Finding, ...], kind: str) -> list[Finding]:
    return [finding for finding in findings if finding.kind == kind]


def test_mnist_and_a_small_part_of_it_leave_nothing_to_tell(
    mnist: Dataset, train: Arrays, test: Arrays
) -> None:
    assert inspect_dataset(mnist) == ()
    assert inspect_dataset(dataset(train, test)) == ()


def test_drawn_digits_leave_nothing_to_tell() -> None:
    assert inspect_dataset(dataset(draw_digits(2_000, 0), draw_digits(500, 1))) == ()


def clothes(count: int, seed: int) -> Arrays:
    """Bright patches that fill most of the frame, as pullovers do in Fashion-MNIST, on black."""
    random = np.random.default_rng(seed)
    images = np.zeros((count, 28, 28), np.uint8)
    for image in images:
        left, width = random.integers(2, 6), random.integers(17, 22)
        image[:, left : left + width] = random.integers(120, 256, (28, width))
    return images, (np.arange(count) % 10).astype(np.uint8)


def test_bright_pictures_that_fill_the_frame_are_not_taken_for_dark_on_light() -> None:
    bright = dataset(clothes(300, 0), clothes(100, 1))
    assert bright.x_train.mean() > 120
    assert inspect_dataset(bright) == ()


def test_inverted_digits_are_told_with_their_count_and_are_grave(train: Arrays, test: Arrays) -> None:
    findings = inspect_dataset(dataset(changed(train, invert), changed(test, invert)))
    assert [(found.kind, found.part, found.count, found.of, found.grave) for found in findings] == [
        ("polarity", "train", 300, 300, True),
        ("polarity", "test", 100, 100, True),
    ]
    assert findings[0].sentence == (
        "300 of 300 training images are dark ink on light ground, where MNIST has white on black: "
        "invert them (255 - value), or the network reads only digits like these"
    )


def test_mixed_polarity_is_told_and_so_is_a_test_part_of_the_other_one(train: Arrays, test: Arrays) -> None:
    [mixed] = inspect_dataset(dataset(changed(train, invert, every=3), test))
    assert (mixed.kind, mixed.part, mixed.count, mixed.grave) == ("polarity", "train", 100, True)
    assert "the others light on dark" in mixed.sentence
    assert mixed.places[:2] == (("train", 0), ("train", 3))
    [other] = inspect_dataset(dataset(train, changed(test, invert)))
    assert (other.kind, other.part, other.count) == ("polarity", "test", 100)


def test_one_inverted_image_is_told_and_is_not_grave(train: Arrays, test: Arrays) -> None:
    [found] = inspect_dataset(dataset(changed(train, invert, every=300), test))
    assert (found.count, found.of, found.grave) == (1, 300, False)
    assert found.sentence.startswith("1 of 300 training images is dark ink")


def test_images_of_0_to_1_are_told_whichever_their_polarity(train: Arrays, test: Arrays) -> None:
    findings = inspect_dataset(dataset(changed(train, lambda x: x // 128), test))
    assert [(found.kind, found.part, found.count, found.grave) for found in findings] == [
        ("range", "train", 300, True)
    ]
    assert "multiply them by 255" in findings[0].sentence
    findings = inspect_dataset(dataset(changed(train, lambda x: 1 - x // 128, every=2), test))
    assert {(found.kind, found.count) for found in findings} == {("polarity", 150), ("range", 150)}


def test_faint_images_are_told(train: Arrays, test: Arrays) -> None:
    [found] = inspect_dataset(dataset(changed(train, lambda x: x // 16, every=2), test))
    assert (found.kind, found.count, found.grave) == ("dim", 150, False)


@pytest.mark.parametrize("grey", [0, 1, 128, 255])
def test_blank_images_of_any_grey_are_told_once(train: Arrays, test: Arrays, grey: int) -> None:
    findings = inspect_dataset(dataset(changed(train, lambda x: x * 0 + grey, every=50), test))
    assert [(found.kind, found.count, found.places[1]) for found in findings] == [("blank", 6, ("train", 50))]


def test_test_images_that_are_training_images_are_told(train: Arrays, test: Arrays) -> None:
    leaked = np.concatenate([test[0][:60], train[0][:40]]), np.concatenate([test[1][:60], train[1][:40]])
    [found] = inspect_dataset(dataset(train, leaked))
    assert (found.kind, found.part, found.count, found.of, found.grave) == ("overlap", "test", 40, 100, True)
    assert found.places[0] == ("test", 60)


def test_one_pixel_makes_two_images_different(train: Arrays, test: Arrays) -> None:
    near = train[0][:100].copy()
    near[:, 0, 0] ^= 1
    assert inspect_dataset(dataset(train, (near, train[1][:100]))) == ()


def test_one_picture_under_two_labels_is_told(train: Arrays, test: Arrays) -> None:
    images, labels = train[0].copy(), train[1].copy()
    images[1], images[2] = images[0], images[0]
    labels[:3] = 5, 3, 5
    findings = inspect_dataset(dataset((images, labels), test))
    [found] = only(findings, "labels")
    assert (found.part, found.count, found.of) == (None, 3, 400)
    assert "3 of 400 images are 1 picture under two or more labels" in found.sentence
    assert found.places == (("train", 0), ("train", 1), ("train", 2))
    [again] = only(findings, "copies")
    assert (again.part, again.count) == ("train", 2)


def test_a_conflict_between_the_parts_is_told_beside_the_overlap(train: Arrays) -> None:
    wrong = train[0][:100], (train[1][:100] + 1) % 10
    findings = inspect_dataset(dataset(train, wrong))
    assert [found.kind for found in findings] == ["overlap", "labels"]
    assert findings[1].count == 200
    assert findings[1].grave


def test_copies_within_the_test_part_are_told(train: Arrays, test: Arrays) -> None:
    twice = np.repeat(test[0][:50], 2, axis=0), np.repeat(test[1][:50], 2)
    [found] = only(inspect_dataset(dataset(train, twice)), "copies")
    assert (found.part, found.count, found.of) == ("test", 50, 100)


def test_a_rare_class_a_frequent_one_and_a_missing_one_are_told(mnist: Dataset, test: Arrays) -> None:
    rare = np.flatnonzero(mnist.y_train == 7)[:20]
    frequent = np.flatnonzero(mnist.y_train == 1)[:500]
    rest = np.flatnonzero((mnist.y_train != 7) & (mnist.y_train != 1))[:800]
    chosen = np.concatenate([rare, frequent, rest])
    kept = test[1] != 3
    findings = inspect_dataset(
        dataset((mnist.x_train[chosen], mnist.y_train[chosen]), (test[0][kept], test[1][kept]))
    )
    assert [found.kind for found in findings] == ["classes", "classes"]
    assert "class 1 has 500, class 7 has 20 of 1,320 images, where a tenth is 132" in findings[0].sentence
    assert "the test part has no image of class 3" in findings[1].sentence


def test_classes_that_chance_made_uneven_are_not_told(mnist: Dataset) -> None:
    for seed in range(20):
        chosen = np.random.default_rng(seed).integers(0, 60_000, 60)
        part = mnist.x_train[chosen], mnist.y_train[chosen]
        findings = inspect_dataset(dataset(part, part))
        assert not [found for found in only(findings, "classes") if "far from even" in found.sentence]


POSES: dict[str, Change] = {
    "rows and columns exchanged": lambda images: images.swapaxes(1, 2),
    "upside down": lambda images: np.rot90(images, 2, (1, 2)),
    "turned by a quarter": lambda images: np.rot90(images, 1, (1, 2)),
    "mirrored": lambda images: images[:, :, ::-1],
}


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize("drawn", [False, True], ids=["MNIST's", "drawn"])
def test_digits_that_lie_or_are_mirrored_are_told(
    train: Arrays, test: Arrays, pose: str, drawn: bool
) -> None:
    part = draw_digits(1_000, 2) if drawn else train
    turned = np.ascontiguousarray(POSES[pose](part[0])), part[1]
    [found] = inspect_dataset(dataset(turned, test))
    assert (found.kind, found.grave) == ("pose", True)
    assert pose in found.sentence


def test_inverted_digits_that_lie_are_told_of_both(train: Arrays, test: Arrays) -> None:
    lying = np.ascontiguousarray(255 - train[0].swapaxes(1, 2)), train[1]
    assert [found.kind for found in inspect_dataset(dataset(lying, test))] == ["polarity", "pose"]
