"""Every kind of picture file that the promises name, read or refused as they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from digitlab.data.dataset import Dataset
from digitlab.errors import ImageError
from digitlab.recognition import Recognizer
from digitlab.recognition.mnist_form import to_mnist_form
from picture_files import encoded, grey_tiff, png, png_chunk, png_rows
from real_digits import read_mnist

SIDE = 140


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


def drawing(digit: np.ndarray) -> np.ndarray:
    """A digit drawn black on white, uint8 [140, 140]: wider margins, soft edges, off the middle."""
    canvas = np.full((SIDE, SIDE), 255, np.uint8)
    canvas[10:122, 16:128] = 255 - cv2.resize(digit, (112, 112), interpolation=cv2.INTER_CUBIC)
    return canvas


@pytest.fixture(scope="module")
def three(mnist: Dataset) -> np.ndarray:
    """A 3, which no turn or mirror makes into another digit."""
    return drawing(mnist.x_test[32])


def deep(grey: np.ndarray, bits: int) -> np.ndarray:
    return (grey.astype(np.uint32) * (2**bits - 1) + 127) // 255


def greys(grey: np.ndarray) -> Iterator[tuple[str, bytes]]:
    image = Image.fromarray(grey)
    yield "1 bit, PNG", encoded(image.convert("1", dither=Image.Dither.NONE), "PNG")
    yield "1 bit, fax", encoded(image.convert("1", dither=Image.Dither.NONE), "TIFF", compression="group4")
    yield "8 bits, PNG", encoded(image, "PNG")
    yield "8 bits, JPEG", encoded(image, "JPEG", quality=60)
    yield "8 bits, BMP", encoded(image, "BMP")
    yield "8 bits, white as zero, TIFF", grey_tiff(255 - grey, 8, photometric=0)
    yield "12 bits, TIFF", grey_tiff(deep(grey, 12), 12)
    yield "16 bits, PNG", encoded(deep(grey, 16).astype(np.uint16), "PNG")
    yield "16 bits, TIFF", grey_tiff(deep(grey, 16).astype(np.uint16), 16, ">")
    yield "floats, TIFF", grey_tiff((grey / 255).astype(np.float32), 32, sample_format=3)
    yield "palette, PNG", encoded(image.convert("P"), "PNG")
    yield "palette, GIF", encoded(image.convert("P"), "GIF")


def colors(grey: np.ndarray) -> Iterator[tuple[str, bytes]]:
    # A dark blue pen on cream.
    share = grey[..., None] / 255
    rgb = Image.fromarray((share * (250, 244, 225) + (1 - share) * (20, 30, 120)).astype(np.uint8))
    for format_name in ("PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF"):
        yield f"RGB, {format_name}", encoded(rgb, format_name)
    yield "RGB, lossless WebP", encoded(rgb, "WebP", lossless=True)
    yield "RGB, progressive JPEG", encoded(rgb, "JPEG", progressive=True)
    yield "CMYK, JPEG", encoded(rgb.convert("CMYK"), "JPEG")
    yield "CMYK, TIFF", encoded(rgb.convert("CMYK"), "TIFF")
    yield "RGB, white on black", encoded(Image.fromarray(255 - np.asarray(rgb)), "PNG")


def alphas(grey: np.ndarray) -> Iterator[tuple[str, bytes]]:
    ink = 255 - grey
    black, white = np.zeros_like(ink), np.full_like(ink, 255)

    def layers(*bands: np.ndarray) -> Image.Image:
        return Image.fromarray(np.dstack(bands))

    for format_name, options in (("PNG", {}), ("TIFF", {}), ("WebP", {"lossless": True, "exact": True})):
        yield (
            f"black ink in the alpha channel alone, {format_name}",
            encoded(layers(black, black, black, ink), format_name, **options),
        )
        yield (
            f"white ink on clear white, {format_name}",
            encoded(layers(white, white, white, ink), format_name, **options),
        )
    yield "black ink on clear white", encoded(layers(grey, grey, grey, ink), "PNG")
    yield "white ink on clear black", encoded(layers(ink, ink, ink, ink), "PNG")
    yield "grey with alpha", encoded(layers(black, ink), "PNG")
    yield "red ink on clear", encoded(layers(np.full_like(ink, 200), black, black, ink), "PNG")
    yield "opaque alpha", encoded(layers(grey, grey, grey, white), "PNG")
    yield "half transparent throughout", encoded(layers(grey, grey, grey, white // 2), "PNG")
    bilevel = np.where(ink > 127, 0, 255).astype(np.uint8)
    yield (
        "a clear color in a palette",
        encoded(Image.fromarray(bilevel).convert("P"), "PNG", transparency=255),
    )
    yield "GIF with clear paper", encoded(Image.fromarray(bilevel).convert("P"), "GIF", transparency=255)
    rows = png_rows([row.tobytes() for row in bilevel])
    yield "a clear grey", png(SIDE, SIDE, 8, 0, rows, png_chunk(b"tRNS", b"\0\xff"))


def orientations(grey: np.ndarray) -> Iterator[tuple[str, bytes]]:
    turns: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.swapaxes(0, 1),
        6: np.rot90,
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }
    for orientation, turn in turns.items():
        exif = Image.Exif()
        exif[274] = orientation
        for format_name in ("JPEG", "PNG", "WebP", "TIFF"):
            yield (
                f"orientation {orientation}, {format_name}",
                encoded(np.ascontiguousarray(turn(grey)), format_name, exif=exif),
            )


def test_every_kind_of_file_gives_the_answer_of_the_clean_drawing(
    recognizer: Recognizer, three: np.ndarray
) -> None:
    assert recognizer.read(three).text == "3"
    files = dict(kind for kinds in (greys, colors, alphas, orientations) for kind in kinds(three))
    readings = recognizer.read_many(list(files.values()))
    read = {name: reading.text for name, reading in zip(files, readings, strict=True)}
    assert {name: text for name, text in read.items() if text != "3"} == {}
    assert len(read) > 60


def test_of_an_animation_the_first_frame_is_read_and_the_others_are_told(
    recognizer: Recognizer, mnist: Dataset
) -> None:
    seven, two, one = (Image.fromarray(drawing(digit)) for digit in mnist.x_test[:3])
    for format_name in ("GIF", "WebP", "PNG"):
        reading = recognizer.read(encoded(seven, format_name, save_all=True, append_images=[two, one]))
        assert reading.text == "7"
        assert reading.notes == ("2 other frames of the file were not read",)


def test_all_pages_of_a_tiff_are_read(recognizer: Recognizer, mnist: Dataset) -> None:
    seven, two, one = (Image.fromarray(drawing(digit)) for digit in mnist.x_test[:3])
    reading = recognizer.read(encoded(seven, "TIFF", save_all=True, append_images=[two, one]))
    assert reading.text == "7\n\n2\n\n1"
    assert [line.page for line in reading.lines] == [0, 1, 2]


def blanks() -> dict[str, np.ndarray]:
    rows, columns = np.mgrid[0:200, 0:300]
    clear = np.zeros((200, 300, 4), np.uint8)
    clear[..., :3] = 90
    plain = {f"grey {level}": np.full((200, 300), level, np.uint8) for level in (0, 1, 127, 254, 255)}
    return plain | {
        "a gradient": (columns * 0.8).astype(np.uint8),
        "a vignette": (250 - np.hypot(rows - 100, columns - 150)).astype(np.uint8),
        "nothing but clear": clear,
        "one speck": np.where((rows == 40) & (columns == 50), 0, 255).astype(np.uint8),
        "very small": np.full((3, 3), 255, np.uint8),
        "a single pixel": np.zeros((1, 1), np.uint8),
        "one row": np.full((1, 500), 200, np.uint8),
    }


def noises() -> dict[str, np.ndarray]:
    chance = np.random.default_rng(0)
    found = {}
    for sigma in (1, 4, 16, 64):
        noise = chance.normal(128, sigma, (200, 300))
        found[f"noise of {sigma}"] = np.clip(noise, 0, 255).astype(np.uint8)
        found[f"soft noise of {sigma}"] = np.clip(cv2.GaussianBlur(noise, (0, 0), 2), 0, 255).astype(np.uint8)
    found["uniform noise"] = chance.integers(0, 256, (200, 300), np.uint8)
    found["salt and pepper"] = np.where(chance.random((200, 300)) < 0.02, 0, 255).astype(np.uint8)
    found["small noise"] = chance.integers(0, 256, (28, 28), np.uint8)
    found["colored noise"] = chance.integers(0, 256, (200, 300, 3), np.uint8)
    found["noise in black and white"] = np.where(chance.random((200, 300)) < 0.5, 0, 255).astype(np.uint8)
    return found


@pytest.mark.parametrize("kind", [blanks, noises])
def test_blank_and_noise_are_rejected_with_a_reason(
    recognizer: Recognizer, kind: Callable[[], dict[str, np.ndarray]]
) -> None:
    pictures = kind()
    readings = recognizer.read_many([encoded(picture, "PNG") for picture in pictures.values()])
    for name, reading in zip(pictures, readings, strict=True):
        assert (name, reading.status, reading.text) == (name, "rejected", "")
        assert reading.reason


def test_jpeg_noise_about_nothing_is_rejected(recognizer: Recognizer) -> None:
    for quality in (5, 30, 80):
        for level in (20, 130, 240):
            paper = np.random.default_rng(level).normal(level, 3, (300, 400)).astype(np.uint8)
            assert recognizer.read(encoded(paper, "JPEG", quality=quality)).status == "rejected"


def test_several_digits_are_all_read_or_refused_but_never_taken_for_one(
    recognizer: Recognizer, mnist: Dataset
) -> None:
    drawings = [drawing(digit) for digit in mnist.x_test[:12]]
    pairs = [np.hstack(drawings[i : i + 2]) for i in range(10)]
    readings = recognizer.read_many(pairs)
    whole = 0
    for index, reading in enumerate(readings):
        assert len(reading.text) != 1
        whole += reading.text == "".join(map(str, mnist.y_test[index : index + 2]))
    assert whole >= 8


@pytest.mark.parametrize("side", [12, 16, 20, 28, 60, 500, 2000])
def test_a_digit_of_any_size_is_read(recognizer: Recognizer, mnist: Dataset, side: int) -> None:
    for index, label in ((0, 7), (2, 1), (3, 0)):
        picture = cv2.resize(mnist.x_test[index], (side, side), interpolation=cv2.INTER_AREA)
        assert recognizer.read(picture).text == str(label)


@given(
    sides=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    seed=st.integers(0, 2**32),
    marks=st.integers(0, 12),
    contrast=st.integers(0, 255),
    sigma=st.sampled_from([0, 0, 1, 8, 60]),
)
@settings(deadline=None, max_examples=150)
def test_any_picture_is_read_or_rejected(
    recognizer: Recognizer, sides: tuple[int, int], seed: int, marks: int, contrast: int, sigma: int
) -> None:
    chance = np.random.default_rng(seed)
    picture = np.full(sides, chance.integers(0, 256), np.float32)
    for _ in range(marks):
        start, end = (chance.integers(-10, 100, 2).tolist() for _ in range(2))
        color = float(picture[0, 0] + chance.choice([-1, 1]) * contrast)
        cv2.line(picture, start, end, color, int(chance.integers(1, 9)), cv2.LINE_AA)
    picture += chance.normal(0, sigma, sides)
    reading = recognizer.read(np.clip(picture, 0, 255).astype(np.uint8))
    assert (reading.status == "rejected") == bool(reading.reason) == (reading.text == "")
    for digit in reading.digits:
        assert sum(digit.probabilities) == pytest.approx(1, abs=1e-4)
        box = digit.box
        assert box.left >= 0
        assert box.top >= 0
        assert box.left + box.width <= sides[1]
        assert box.top + box.height <= sides[0]


@given(
    sides=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    seed=st.integers(0, 2**32),
    strongest=st.integers(33, 255),
    softness=st.sampled_from([0, 1, 3, 10]),
)
@settings(deadline=None, max_examples=150)
def test_any_ink_has_an_mnist_form(sides: tuple[int, int], seed: int, strongest: int, softness: int) -> None:
    """However faint or ragged: ink may be anything that stands out from its paper."""
    strength = np.random.default_rng(seed).random(sides, np.float32)
    if softness:
        strength = cv2.GaussianBlur(strength, (0, 0), softness)
        strength = strength - strength.min()
    strength *= strongest / max(float(strength.max()), 1e-6)
    assume(strength.max() >= 33)  # a softened pixel alone is no ink
    form = to_mnist_form(strength.astype(np.uint8))
    assert form.shape == (28, 28)
    assert form.dtype == np.uint8


BAD = {
    "empty": (b"", True),
    "an EPS file": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", False),
    "a PDF file": (b"%PDF-1.7\n", False),
    "an SVG file": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", False),
    "an HTML page": (b"<!doctype html><title>7</title>", False),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_raises_an_image_error(recognizer: Recognizer, name: str) -> None:
    content, accepted = BAD[name]
    with pytest.raises(ImageError) as raised:
        recognizer.read(content)
    assert raised.value.accepted == accepted


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF"])
def test_half_a_file_raises_an_image_error(
    recognizer: Recognizer, three: np.ndarray, format_name: str
) -> None:
    data = encoded(three, format_name)
    with pytest.raises(ImageError, match=r"truncated|damaged"):
        recognizer.read(data[: len(data) // 2])


def three_digits() -> np.ndarray:
    """A white page with 7, 2 and 1 of MNIST, uint8 [400, 600]."""
    page = np.full((400, 600), 255, np.uint8)
    for number, digit in enumerate(read_mnist().x_test[:3]):
        left = 100 + 130 * number
        page[150:234, left : left + 84] = 255 - cv2.resize(digit, (84, 84), interpolation=cv2.INTER_CUBIC)
    return page


@pytest.mark.parametrize("clear", [0, 1, 2000])
def test_a_page_with_little_ink_is_read_however_little_of_it_is_transparent(
    recognizer: Recognizer, clear: int
) -> None:
    page = three_digits()
    opacity = np.full_like(page, 255)
    opacity.flat[:clear] = 0
    assert recognizer.read(np.dstack([page, page, page, opacity])).text == "721"


def dashes() -> np.ndarray:
    """Ten thousand short lines, uint8 [700, 700]."""
    picture, chance = np.full((700, 700), 255, np.uint8), np.random.default_rng(0)
    for row in range(2, 698, 3):
        left = int(chance.integers(1, 9))
        while left < 688:
            picture[row, left : left + 10] = 0
            left += 10 + int(chance.integers(5, 8))
    return picture


def slanted_lines() -> np.ndarray:
    """Two hundred long lines whose boxes nearly coincide, uint8 [1220, 1220]."""
    side = 1220
    picture = np.full((side, side), 255, np.uint8)
    for shift in range(-900, 900, 9):
        start = max(0, shift) + 4, max(0, -shift) + 4
        end = min(side, side + shift) - 5, min(side, side - shift) - 5
        cv2.line(picture, start, end, 0, 1)
    return picture


@pytest.mark.parametrize("picture", [dashes, slanted_lines])
def test_textures_are_rejected(recognizer: Recognizer, picture: Callable[[], np.ndarray]) -> None:
    assert recognizer.read(picture()).status == "rejected"
