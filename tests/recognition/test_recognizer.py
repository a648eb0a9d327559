from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hard_pictures import kind
from PIL import Image

from digitlab.data.dataset import Dataset
from digitlab.errors import ImageError
from digitlab.pictures.decoder import decode_image
from digitlab.recognition import Reason, Recognizer
from digitlab.recognition.lengths import LengthRange
from digitlab.recognition.reading import Reading

Write = Callable[..., np.ndarray]


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def share_read(reader: Recognizer, pages: list[tuple[np.ndarray, str]]) -> float:
    readings = reader.read_many([page for page, _ in pages])
    return float(np.mean([reading.text == text for reading, (_, text) in zip(readings, pages, strict=True)]))


def test_a_number_drawn_on_a_canvas_is_read_from_left_to_right(reader: Recognizer, write: Write) -> None:
    reading = reader.read(write(["2026"]))
    assert (reading.status, reading.text, reading.reason) == ("ok", "2026", None)
    lefts = [digit.box.left for digit in reading.digits]
    assert lefts == sorted(lefts)


def test_most_numbers_are_read_whole(reader: Recognizer, write: Write) -> None:
    numbers = [str(number) for number in np.random.default_rng(1).integers(100, 100_000, 15)]
    assert share_read(reader, [(write([text], seed), text) for seed, text in enumerate(numbers)]) >= 0.8


def test_lines_are_read_from_the_top_and_stand_on_lines_of_the_text(reader: Recognizer, write: Write) -> None:
    reading = reader.read(write(["044", "6321"], seed=3))
    assert reading.text == "044\n6321"
    assert [digit.line for digit in reading.digits] == [0, 0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("fall", [-12.0, 12.0])
def test_lines_that_climb_or_fall_are_told_apart(reader: Recognizer, write: Write, fall: float) -> None:
    reading = reader.read(write(["1234", "5678"], seed=5, fall=fall))
    assert [len(line) for line in reading.text.split("\n")] == [4, 4]


def test_two_lines_that_stand_close_are_two(reader: Recognizer, digits: Dataset) -> None:
    pages = []
    for seed in range(30):
        chance = np.random.default_rng(seed)
        gap, count = int(chance.integers(5, 16)), int(chance.integers(1, 4))
        chosen = chance.integers(0, 3000, (2, count))
        lines = [
            np.hstack([cv2.resize(digits.x_test[one][4:24], (44, 36)) for one in line]) for line in chosen
        ]
        page = 255 - np.pad(np.vstack([lines[0], np.zeros((gap, 44 * count), np.uint8), lines[1]]), 5)
        pages.append((page, "\n".join("".join(map(str, digits.y_test[line])) for line in chosen)))
    readings = reader.read_many([page for page, _ in pages])
    lost = [
        (reading.text, text)
        for reading, (_, text) in zip(readings, pages, strict=True)
        if reading.status == "ok" and "?" not in reading.text and len(reading.text) < len(text)
    ]
    assert not lost
    assert share_read(reader, pages) >= 0.7


def test_a_length_that_is_far_from_what_is_written_is_answered(reader: Recognizer, write: Write) -> None:
    for length in ("1", "2", "30-"):
        reading = reader.read(write(["2026481"]), lengths=LengthRange.parse(length))
        assert reading.status in ("ok", "rejected")
        assert not any(digit.reason is None and digit.confidence < 0.5 for digit in reading.digits)


def test_the_pale_bar_of_a_4_is_seen(reader: Recognizer) -> None:
    picture = np.full((200, 200), 255, np.uint8)
    cv2.line(picture, (60, 112), (150, 110), 228, 7, cv2.LINE_AA)
    cv2.line(picture, (100, 50), (60, 112), 40, 7, cv2.LINE_AA)
    cv2.line(picture, (125, 80), (118, 155), 40, 7, cv2.LINE_AA)
    assert "1" not in reader.read(picture).text


def test_a_digit_that_the_edge_cuts_off_is_no_pattern(reader: Recognizer, write: Write) -> None:
    page = write(["8472"], gap=60)
    reading = reader.read(np.ascontiguousarray(page[:, 50:]))
    assert len(reading.digits) == 4
    assert not any("pattern" in note for note in reading.notes)


def test_digits_of_various_sizes_are_read(reader: Recognizer, write: Write) -> None:
    pages = [(write(["407"], seed, height), "407") for seed, height in enumerate((16, 24, 40, 90, 200))]
    assert share_read(reader, pages) >= 0.8


def test_frames_underlines_and_specks_are_no_digits(reader: Recognizer, write: Write) -> None:
    page = write(["2026"])
    plain = reader.read(page).text
    cv2.rectangle(page, (8, 8), (page.shape[1] - 9, page.shape[0] - 9), 0, 2)
    cv2.line(page, (25, 100), (page.shape[1] - 25, 103), 0, 2)
    for left in range(40, page.shape[1] - 40, 45):
        page[130:132, left : left + 2] = 0
    assert reader.read(page).text == plain == "2026"


def test_touching_digits_are_split_or_refused_and_seldom_one(reader: Recognizer, digits: Dataset) -> None:
    readings = [reader.read(touching(digits, seed)) for seed in range(16)]
    single = sum(reading.status == "ok" and len(reading.text) == 1 for reading in readings)
    assert single <= 3
    assert sum(len(reading.text) == 2 for reading in readings) >= 9


def touching(digits: Dataset, seed: int) -> np.ndarray:
    """Two digits pushed together until they touch."""
    chance = np.random.default_rng(seed)
    left, right = (columns_of_ink(digits.x_test[number]) for number in chance.integers(3000, size=2))
    both = left
    for overlap in range(min(left.shape[1], right.shape[1])):
        both = np.zeros((28, left.shape[1] + right.shape[1] - overlap), np.uint8)
        both[:, : left.shape[1]] = left
        both[:, left.shape[1] - overlap :] |= right
        if cv2.connectedComponents((both > 100).astype(np.uint8), connectivity=8)[0] == 2:
            break
    large = cv2.resize(both, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    return 255 - cv2.copyMakeBorder(large, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=0)


def columns_of_ink(digit: np.ndarray) -> np.ndarray:
    columns = np.flatnonzero((digit > 60).any(axis=0))
    return digit[:, columns[0] : columns[-1] + 1]


def test_a_digit_that_broke_is_read_as_one(reader: Recognizer, digits: Dataset) -> None:
    seen = []
    for number in np.flatnonzero(digits.y_test[:400] == 8)[:6]:
        large = cv2.resize(digits.x_test[number], (224, 224), interpolation=cv2.INTER_CUBIC)
        large[112:117] = 0
        seen.append(
            reader.read(255 - cv2.copyMakeBorder(large, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=0))
        )
    assert sum(reading.text == "8" for reading in seen) >= 4
    assert {reading.text for reading in seen} <= {"8", ""}  # the others are refused, and never two digits


def test_a_blank_picture_has_no_ink(reader: Recognizer) -> None:
    reading = reader.read(np.full((200, 300), 240, np.uint8))
    assert (reading.status, reading.text, reading.digits) == ("rejected", "", ())
    assert reading.reason == Reason.NO_INK == "no ink"


def test_noise_is_never_a_digit(reader: Recognizer) -> None:
    chance = np.random.default_rng(0)
    noises = [chance.integers(0, 256, (side, side), np.uint8).astype(np.uint8) for side in (40, 150, 400)]
    assert all(reader.read(noise).status == "rejected" for noise in noises)


def test_dirt_is_too_small(reader: Recognizer) -> None:
    page = np.full((60, 60), 255, np.uint8)
    page[30:34, 30:33] = 0
    assert reader.read(page).reason == Reason.TOO_SMALL


def test_a_page_full_of_marks_is_too_many(reader: Recognizer) -> None:
    page = np.full((1000, 1000), 255, np.uint8)
    for top in range(20, 960, 40):
        for left in range(20, 960, 40):
            cv2.line(page, (left, top), (left + 8, top + 20), 0, 3)
    assert reader.read(page).reason == Reason.TOO_MANY


def test_a_drawing_is_not_a_digit_and_still_says_what_it_is_most_like(reader: Recognizer) -> None:
    page = np.full((280, 280), 255, np.uint8)
    star = [(140, 30), (200, 230), (40, 100), (240, 100), (80, 230)]
    cv2.polylines(page, [np.array(star)], True, 0, 12, cv2.LINE_AA)
    reading = reader.read(page)
    assert (reading.status, reading.text, reading.reason) == ("rejected", "", Reason.NOT_A_DIGIT)
    assert reading.digits[0].reason == Reason.NOT_A_DIGIT
    assert 0 <= reading.digits[0].digit <= 9


def test_a_number_on_its_head_is_refused_with_the_reason(reader: Recognizer) -> None:
    readings = [reader.read(picture) for picture, _ in kind("upside down", 2, 8)]
    assert sum(reading.status == "ok" for reading in readings) <= 2  # 100 of `benchmarks/kinds.py`: none
    told = [reading for reading in readings if reading.reason is Reason.UPSIDE_DOWN]
    assert len(told) >= 5
    assert all(digit.reason is Reason.NOT_A_DIGIT for reading in told for digit in reading.digits)


def test_of_several_pages_the_one_on_its_head_is_named(reader: Recognizer, write: Write) -> None:
    turned, _ = kind("upside down", 2, 1)[0]
    file = io.BytesIO()
    pages = [Image.fromarray(write(["7210"])), Image.fromarray(np.asarray(turned))]
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    reading = reader.read(file.getvalue())
    assert "page 2: upside down" in reading.notes
    assert not [note for note in reading.notes if note.startswith("page 1: upside down")]


def test_among_digits_a_question_mark_stands_for_what_is_none(reader: Recognizer, write: Write) -> None:
    page = write(["20626"])
    boxes = [digit.box for digit in reader.read(page).digits]
    middle = boxes[2]
    page[middle.top : middle.top + middle.height, middle.left : middle.left + middle.width] = 255
    corner, side = np.array([middle.left, middle.top]), middle.height
    letter = [(0, 1), (0, 0), (0.25, 0.6), (0.5, 0), (0.5, 1)]
    points = np.array([corner + side * np.array(point) for point in letter])
    cv2.polylines(page, [np.rint(points).astype(np.int32)], False, 0, 4, cv2.LINE_AA)
    reading = reader.read(page)
    assert (reading.status, reading.text) == ("ok", "20?26")


def test_an_array_a_file_and_its_bytes_are_read_alike(
    reader: Recognizer, write: Write, tmp_path: Path
) -> None:
    page = write(["35"])
    clear = np.dstack([np.zeros((*page.shape, 3), np.uint8), 255 - page])
    path = tmp_path / "page.png"
    path.write_bytes(png(page))
    sources = (page, page[..., None].repeat(3, 2), clear, path, str(path), png(page), decode_image(path))
    assert {reader.read(source).text for source in sources} == {"35"}


@pytest.mark.parametrize("shape", [(4,), (4, 4, 2), (0, 5), (31_000, 1)])
def test_an_array_that_is_no_picture_is_refused_in_one_line(
    reader: Recognizer, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ImageError, match=r"^expected [^\n]+ received [^\n]+$"):
        reader.read(np.zeros(shape, np.uint8))


def test_an_array_of_floats_is_refused(reader: Recognizer) -> None:
    with pytest.raises(ImageError, match="received float64"):
        reader.read(np.zeros((28, 28)))


def test_the_array_is_left_as_it_was(reader: Recognizer, write: Write) -> None:
    page = write(["1"])
    before = page.copy()
    reader.read(page)
    assert page.flags.writeable
    np.testing.assert_array_equal(page, before)


def test_many_are_read_as_each_alone(reader: Recognizer, write: Write) -> None:
    pages = [write([text], seed) for seed, text in enumerate(("12", "7", "903", "45"))]
    pages.insert(2, np.full((50, 50), 255, np.uint8))
    together, alone = reader.read_many(pages), [reader.read(page) for page in pages]
    assert [reading.text for reading in together] == [reading.text for reading in alone]
    for one, other in zip(together, alone, strict=True):
        for first, second in zip(one.digits, other.digits, strict=True):
            np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-5)


def test_reading_no_pictures_gives_no_readings(reader: Recognizer) -> None:
    assert reader.read_many([]) == []


def test_threads_may_share_a_recognizer(reader: Recognizer, write: Write) -> None:
    pages = [write([str(number)], number) for number in range(10, 18)]
    expected = [reader.read(page).text for page in pages]
    with ThreadPoolExecutor(4) as pool:
        assert [reading.text for reading in pool.map(reader.read, pages)] == expected


def test_steps_are_kept_only_when_asked_for(reader: Recognizer, write: Write) -> None:
    page = write(["8"])
    assert reader.read(page).steps == ()
    explained = reader.read(page, explain=True)
    assert {"grey", "ink"} <= {step.name for step in explained.steps}
    assert explained.digits[0].image.shape == (28, 28)


def check_values(reading: Reading) -> None:
    values = json.loads(json.dumps(reading.to_values()))
    assert list(values) == ["status", "text", "digits", "reason", "lines", "notes"]
    for digit in values["digits"]:
        ranked = sorted(digit["probabilities"], reverse=True)
        assert (digit["confidence"], digit["runner_up_confidence"]) == (ranked[0], ranked[1])
        assert digit["probabilities"][digit["digit"]] == digit["confidence"]
        assert sum(digit["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_a_reading_is_written_as_json(reader: Recognizer, write: Write) -> None:
    reading = reader.read(write(["64"]))
    check_values(reading)
    check_values(reader.read(np.zeros((30, 30), np.uint8)))
    assert reading.to_values()["digits"][1]["line"] == 0


def test_boxes_lie_in_the_picture_around_the_ink(reader: Recognizer, write: Write) -> None:
    page = cv2.resize(write(["52"]), None, fx=9, fy=9, interpolation=cv2.INTER_CUBIC)
    assert page.size > 3_000_000  # so that it was read at a reduced size
    reading = reader.read(page)
    assert reading.text == "52"
    for digit in reading.digits:
        box = digit.box
        inside = page[box.top : box.top + box.height, box.left : box.left + box.width]
        assert inside.shape == (box.height, box.width)
        assert (inside < 128).any(axis=0).mean() > 0.9
    everything = np.argwhere(page < 128)
    assert min(digit.box.left for digit in reading.digits) <= everything[:, 1].min() + 2


@pytest.mark.parametrize(
    ("kind", "cure"),
    [
        (np.float32, r"pass \(255 \* pixels\)\.round\(\)\.astype\(numpy\.uint8\)"),
        (np.float64, r"pass \(255 \* pixels\)\.round\(\)\.astype\(numpy\.uint8\)"),
        (bool, r"pass 255 \* pixels\.astype\(numpy\.uint8\)"),
        (np.int64, r"convert it to uint8 in 0\.\.255"),
    ],
)
def test_an_array_of_0_to_1_is_refused_with_what_makes_it_a_picture(
    reader: Recognizer, write: Write, kind: type, cure: str
) -> None:
    page = write(["2026"])
    with pytest.raises(ImageError, match=cure):
        reader.read((page / 255).astype(kind))
    assert reader.read((255 * (page / 255)).round().astype(np.uint8)).text == "2026"


def test_an_array_of_0_to_1_that_was_made_uint8_is_no_ink(reader: Recognizer, write: Write) -> None:
    reading = reader.read((write(["2026"]) / 255).astype(np.uint8))
    assert (reading.status, reading.reason) == ("rejected", Reason.NO_INK)
