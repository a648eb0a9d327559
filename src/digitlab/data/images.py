"""The one safe decoder of anybody's picture files.

A file is judged by its content, never by its name. Pillow gets the one format that was found: no helper
program is ever started. It reads the header first, and what that claims is held against the limits and the
file before a pixel is decoded.
"""

from __future__ import annotations

import io
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Importing these registers their formats, so that Image.open need not load all of Pillow's plugins.
from PIL import (
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,
    WebPImagePlugin,  # noqa: F401
)
from PIL.ImageFile import ImageFile
from PIL.MpoImagePlugin import MpoImageFile

from digitlab.data.file_kinds import BASE64, kind_of, picture_format
from digitlab.data.idx import DEFLATE_RATIO
from digitlab.data.picture_modes import colour_of, grey_and_alpha
from digitlab.data.picture_parts import MAX_PAGES, Frames, list_frames
from digitlab.errors import ImageError

MAX_FILE_BYTES = 256 * 2**20
"""The largest picture file that is read, in bytes: 50 megapixels of four samples, uncompressed, and some."""
MAX_PIXELS = 50_000_000
"""The largest picture that is decoded, in pixels."""
MAX_SIDE = 30_000
"""The longest side of a picture that is decoded, in pixels."""
MAX_PAGES_PIXELS = 2 * MAX_PIXELS
"""The most pixels of all pages of a file together."""

_FORMATS = ("PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF")
_LIMITS = (
    f"expected at most {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} pixels a side: scale it down"
)

_MAX_RUN_PIXELS = 2**22  # Pillow expands the runs of a BMP in Python
_MAX_TIFF_TILE = 2**22  # pixels; a decoder allocates a tile whole, however small the picture is

# The most pixels that a byte of a file can hold; a header that claims more is lying.
_LZW_RATIO = 2731  # a code of 12 bits stands for at most 4,096 bytes
_PIXELS_A_BYTE = {
    "PNG": 8 * DEFLATE_RATIO,  # of one bit each
    "JPEG": 1024,  # 64 take a bit at least; every channel may be kept at less than full size
    "WebP": 2**15,  # those of an empty lossless picture take no bits; encoders put 25,000 into a byte
    "BMP": 128,  # two bytes are a run of 255
    "GIF": _LZW_RATIO,
}
_FAX = ("tiff_ccitt", "group3", "group4")
_TIFF_RATIOS = {"raw": 1, "packbits": 64, "lzma": 2**13, "zstd": 2**15}  # deflate and JPEG stay below LZW


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright; its arrays are read-only.

    Attributes:
        grey: luminance, uint8 [h, w], 0 black .. 255 white, of the stored color also where it is transparent.
        alpha: opacity, uint8 [h, w], 0 clear .. 255 opaque; None when every pixel is opaque.
        format: of the file: PNG, JPEG, WebP, BMP, TIFF or GIF.
        unread: how many other pictures the file has that were not decoded: frames of an animation, reduced
            copies and masks; counted up to 10,000.
        colour: RGB, uint8 [h, w, 3], or a reduction of it by a whole number; None where the picture is grey.
    """

    grey: np.ndarray
    alpha: np.ndarray | None
    format: str
    unread: int = 0
    colour: np.ndarray | None = None

    def __post_init__(self) -> None:
        for pixels in (self.grey, self.alpha, self.colour):
            if pixels is not None:
                pixels.flags.writeable = False


def decode_image(source: bytes | str | os.PathLike[str]) -> Picture:
    """Decode a picture file; of a file of several pages, or frames of an animation, the first.

    Grey of 1 to 16 bits (and TIFF's 32-bit integers and floats), palette, RGB, CMYK and alpha of every kind
    are read; color profiles are ignored.

    Args:
        source: the file's bytes, or its path.

    Returns:
        The picture, turned upright as its Exif orientation says.

    Raises:
        ImageError: with `accepted=False` when the content is of no accepted format; with `accepted=True` when
            it is damaged, truncated, empty, too large, or cannot be read.
    """
    return _decode_source(source, only_first=True)[0]


def decode_pages(source: bytes | str | os.PathLike[str]) -> tuple[Picture, ...]:
    """Decode all pages of a TIFF file; of any other file the first frame.

    Args:
        source: the file's bytes, or its path.

    Returns:
        The pages in their order, one at least, each turned upright. Pictures in the file that are none of
        them count in the first page's `unread`.

    Raises:
        ImageError: as `decode_image` does; a page is damaged; there are more than 100 pages, or they have
            more than 100 megapixels together.
    """
    return _decode_source(source, only_first=False)


def _decode_source(source: bytes | str | os.PathLike[str], only_first: bool) -> tuple[Picture, ...]:
    name = "the picture" if isinstance(source, bytes) else str(source)
    try:
        data = source if isinstance(source, bytes) else _read_file(Path(source))
        _check_length(len(data))
        return _decode(data, _sniff(data), only_first)
    except ImageError as error:
        raise ImageError(f"{name}: {error}", accepted=error.accepted) from error.__cause__


def _read_file(path: Path) -> bytes:
    try:
        # Asked before opening: opening a pipe would wait for its writer.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(
                f"expected a picture file, found a {'folder' if path.is_dir() else 'device or pipe'}"
            )
        _check_length(status.st_size)
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}") from error


def _check_length(length: int) -> None:
    if not length:
        raise ImageError("the file is empty")
    if length > MAX_FILE_BYTES:
        raise ImageError(f"too large with {length:,} bytes; expected at most {MAX_FILE_BYTES:,}")


def _sniff(data: bytes) -> str:
    format_name = picture_format(data)
    if format_name:
        return format_name
    found = kind_of(data)
    cure = "decode it to the bytes that it stands for" if found == BASE64 else "save it as PNG"
    raise ImageError(
        f"expected a picture in {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}, found {found}: {cure}",
        accepted=False,
    )


def _decode(data: bytes, format_name: str, only_first: bool) -> tuple[Picture, ...]:
    frames = list_frames(data, format_name)
    if only_first:
        frames = Frames(frames.pages[:1], frames.others + len(frames.pages) - 1)
    elif len(frames.pages) > MAX_PAGES:
        raise ImageError(f"too large with more than {MAX_PAGES} pages; split the file")
    names = [f"page {index + 1} of {len(frames.pages)}: " for index in range(len(frames.pages))]
    names = names if len(frames.pages) > 1 else [""]
    # Pillow warns of damaged metadata, which we do not use. The filters are the process's: threads that
    # leave here out of order may leave this one behind, and it hides nothing but Pillow's warnings.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        with _refusals(format_name, ""):
            image = Image.open(io.BytesIO(data), formats=(format_name,))
        pixels = 0
        # All headers before any pixel: nothing is decoded of a file that is refused for its last page.
        for name, frame in zip(names, frames.pages, strict=True):
            with _refusals(format_name, name):
                image.seek(frame.index)
                _check_claim(image, frame.held, format_name)
                pixels += image.width * image.height
        _check_total(pixels, len(frames.pages))
        # What follows the picture in a JPEG, as of a camera with two lenses, only its header tells.
        others = image.n_frames - 1 if isinstance(image, MpoImageFile) else frames.others
        pictures: list[Picture] = []
        for name, frame in zip(names, frames.pages, strict=True):
            with _refusals(format_name, name):
                image.seek(frame.index)
                pictures.append(_load(image, format_name, 0 if pictures else others))
        return tuple(pictures)


@contextmanager
def _refusals(format_name: str, page: str) -> Iterator[None]:
    """Turn whatever the decoder raises into an error that names the page."""
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{page}{error}") from error.__cause__
    except Image.DecompressionBombError as error:  # Pillow's own limit is above ours
        raise ImageError(f"{page}too large; {_LIMITS}") from error
    # Pillow names no closed set of exceptions: its decoders raise what damaged bytes make them raise.
    except Exception as error:
        raise ImageError(
            f"{page}the {format_name} file is damaged, truncated or of a rare kind; save it again as PNG"
        ) from error


def _load(image: ImageFile, format_name: str, unread: int) -> Picture:
    raw_mode = _raw_mode(image)
    image.load()
    with suppress(Exception):  # a picture is not refused for its metadata
        ImageOps.exif_transpose(image, in_place=True)
    return Picture(*grey_and_alpha(image, raw_mode), format_name, unread, colour_of(image))


def _check_total(pixels: int, pages: int) -> None:
    if pixels > MAX_PAGES_PIXELS:
        raise ImageError(
            f"too large with {pixels:,} pixels on {pages} pages; expected at most "
            f"{MAX_PAGES_PIXELS // 1_000_000} megapixels together: split the file"
        )


def _check_claim(image: ImageFile, held: int, format_name: str) -> None:
    """Refuse what is too large, and what cannot be in the file: nothing is allocated for a lie.

    Args:
        image: of which only the header has been read.
        held: bytes of the file that hold its pixels.
        format_name: of the file.
    """
    pixels = image.width * image.height
    size = f"{image.width:,} x {image.height:,} pixels"
    if pixels > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise ImageError(f"too large with {size}; {_LIMITS}")
    if pixels > _MAX_RUN_PIXELS and image.tile and image.tile[0].codec_name == "bmp_rle":
        raise ImageError(f"run-length coded BMP of {size} is not read: save it as PNG")
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        _check_tiff_parts(image)
    if pixels > held * _pixels_a_byte(image, format_name):
        raise ImageError(f"damaged: its header claims {size}, and the file has {held:,} bytes of pixels")


def _pixels_a_byte(image: ImageFile, format_name: str) -> float:
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return _PIXELS_A_BYTE[format_name]
    compression = image.info["compression"]
    # A row of a fax takes a bit at least; the picture may be on its side.
    ratio = max(image.size) if compression in _FAX else _TIFF_RATIOS.get(compression, _LZW_RATIO)
    return 8 * ratio / sum(image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))


def _check_tiff_parts(image: TiffImagePlugin.TiffImageFile) -> None:
    """Refuse tiles out of all proportion, and parts that leave a gap or lie over each other."""
    pixels, tags = image.width * image.height, image.tag_v2
    tile_pixels = int(tags.get(TiffImagePlugin.TILEWIDTH, 0)) * int(tags.get(TiffImagePlugin.TILELENGTH, 0))
    if tile_pixels > max(pixels, _MAX_TIFF_TILE):
        raise ImageError(f"the TIFF file is damaged: it claims tiles of {tile_pixels:,} pixels")
    # Only uncompressed files that keep their channels apart are described to Pillow a channel at a time.
    apart = image.tile[0].codec_name == "raw" and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2
    boxes = [part.extents or (0, 0, 0, 0) for part in image.tile]
    covered = sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
    if covered != pixels * (len(image.getbands()) if apart else 1):
        raise ImageError("the TIFF file is damaged: its parts do not make up the picture")


def _raw_mode(image: ImageFile) -> str:
    """How the samples lie in the file, in Pillow's terms; known only until the picture is loaded."""
    arguments = image.tile[0].args if image.tile else ""
    return arguments if isinstance(arguments, str) else str(arguments and arguments[0])
