"""The decoder of picture files from untrusted sources.

A file's format is detected by its content, never by its name, and is the only one that Pillow may use: no
helper program is ever started. Pillow reads the header first, whose claims are checked against the limits and
the file before a pixel is decoded.
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

from digitlab.errors import ImageError
from digitlab.pictures.file_kinds import BASE64, DEFLATE_RATIO, kind_of, picture_format
from digitlab.pictures.frames import MAX_PAGES, Frames, list_frames
from digitlab.pictures.pixel_modes import colour_of, grey_and_alpha

MAX_FILE_BYTES = 256 * 2**20
"""Largest picture file that is read, in bytes: 50 megapixels of four samples, uncompressed, and some more."""
MAX_PIXELS = 50_000_000
"""Largest picture that is decoded, in pixels."""
MAX_SIDE = 30_000
"""Longest side of a picture that is decoded, in pixels."""
MAX_PAGES_PIXELS = 2 * MAX_PIXELS
"""Largest number of pixels of all pages of a file together."""

_FORMATS = ("PNG", "JPEG", "WebP", "BMP", "TIFF", "GIF")
_LIMITS = (
    f"expected at most {MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE:,} pixels a side: scale it down"
)

_MAX_RUN_PIXELS = 2**22  # Pillow expands the runs of a BMP in Python
_MAX_TIFF_TILE = 2**22  # pixels; a decoder allocates a tile whole, however small the picture is

# The most pixels that a byte of a file can hold; a header that claims more is false.
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
        format: format of the file: PNG, JPEG, WebP, BMP, TIFF or GIF.
        unread: number of other pictures in the file that were not decoded: frames of an animation, reduced
            copies and masks; counted up to 10,000.
        colour: RGB, uint8 [h, w, 3], or reduced by an integer factor; None if the picture is grey.
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
    """Decode a picture file: if it has several pages, or frames of an animation, the first.

    Grey of 1 to 16 bits (and TIFF's 32-bit integers and floats), palette, RGB, CMYK and alpha of every kind
    are read; color profiles are ignored.

    Args:
        source: content of the file, or its path.

    Returns:
        The picture, turned upright according to its Exif orientation.

    Raises:
        ImageError: the content is of no accepted format (`accepted=False`), or it is damaged, truncated,
            empty, too large, or cannot be read (`accepted=True`).
    """
    return _decode_source(source, only_first=True)[0]


def decode_pages(source: bytes | str | os.PathLike[str]) -> tuple[Picture, ...]:
    """Decode all pages of a TIFF file, or the first frame of any other file.

    Args:
        source: content of the file, or its path.

    Returns:
        The pages in order, at least one, each turned upright. Other pictures in the file are counted in the
        first page's `unread`.

    Raises:
        ImageError: the file cannot be decoded, as in `decode_image`; a page is damaged; or there are more
            than 100 pages, or more than 100 megapixels together.
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
        # Checked before opening: opening a pipe would wait for its writer.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = "folder" if path.is_dir() else "device or pipe"
            raise ImageError(f"expected a picture file, found a {kind}")
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
    kind = kind_of(data)
    cure = "decode it to the bytes that it stands for" if kind == BASE64 else "save it as PNG"
    raise ImageError(
        f"expected a picture in {', '.join(_FORMATS[:-1])} or {_FORMATS[-1]}, found {kind}: {cure}",
        accepted=False,
    )


def _decode(data: bytes, format_name: str, only_first: bool) -> tuple[Picture, ...]:
    frames = list_frames(data, format_name)
    if only_first:
        frames = Frames(frames.pages[:1], frames.others + len(frames.pages) - 1)
    elif len(frames.pages) > MAX_PAGES:
        raise ImageError(f"too large with more than {MAX_PAGES} pages; split the file")
    count = len(frames.pages)
    prefixes = [f"page {i + 1} of {count}: " for i in range(count)] if count > 1 else [""]
    # Pillow warns of damaged metadata, which we do not use. The filters are global to the process: threads
    # that exit this block out of order may leave this one in place, which hides only Pillow's warnings.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        with _refusals(format_name, ""):
            image = Image.open(io.BytesIO(data), formats=(format_name,))
        pixels = 0
        # All headers before any pixel: no page is decoded of a file that is refused for its last one.
        for prefix, frame in zip(prefixes, frames.pages, strict=True):
            with _refusals(format_name, prefix):
                image.seek(frame.index)
                _check_claim(image, frame.held, format_name)
                pixels += image.width * image.height
        _check_total(pixels, count)
        # Only the header of a JPEG lists the pictures after the first, as of a camera with two lenses.
        others = image.n_frames - 1 if isinstance(image, MpoImageFile) else frames.others
        pictures: list[Picture] = []
        for prefix, frame in zip(prefixes, frames.pages, strict=True):
            with _refusals(format_name, prefix):
                image.seek(frame.index)
                unread = 0 if pictures else others  # counted with the first page
                pictures.append(_load(image, format_name, unread))
        return tuple(pictures)


@contextmanager
def _refusals(format_name: str, page: str) -> Iterator[None]:
    """Convert any exception of the decoder to an `ImageError` that names the page."""
    try:
        yield
    except ImageError as error:
        raise ImageError(f"{page}{error}") from error.__cause__
    except Image.DecompressionBombError as error:  # Pillow's own limit is above ours
        raise ImageError(f"{page}too large; {_LIMITS}") from error
    # Pillow documents no closed set of exceptions: damaged bytes can raise any in its decoders.
    except Exception as error:
        raise ImageError(
            f"{page}the {format_name} file is damaged, truncated or of a rare kind; save it again as PNG"
        ) from error


def _load(image: ImageFile, format_name: str, unread: int) -> Picture:
    raw_mode = _raw_mode(image)
    image.load()
    with suppress(Exception):  # a picture is not refused for its metadata
        ImageOps.exif_transpose(image, in_place=True)
    grey, alpha = grey_and_alpha(image, raw_mode)
    return Picture(grey, alpha, format_name, unread, colour_of(image))


def _check_total(pixels: int, pages: int) -> None:
    if pixels > MAX_PAGES_PIXELS:
        raise ImageError(
            f"too large with {pixels:,} pixels on {pages} pages; expected at most "
            f"{MAX_PAGES_PIXELS // 1_000_000} megapixels together: split the file"
        )


def _check_claim(image: ImageFile, held: int, format_name: str) -> None:
    """Raise an error for a picture that is too large or cannot be in the file, before anything is allocated.

    Args:
        image: picture of which only the header has been read.
        held: number of bytes in the file that hold its pixels.
        format_name: format of the file.
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
    """Raise an error for oversized tiles, and for parts that leave a gap or overlap."""
    pixels = image.width * image.height
    tags = image.tag_v2
    tile_pixels = int(tags.get(TiffImagePlugin.TILEWIDTH, 0)) * int(tags.get(TiffImagePlugin.TILELENGTH, 0))
    if tile_pixels > max(pixels, _MAX_TIFF_TILE):
        raise ImageError(f"the TIFF file is damaged: it claims tiles of {tile_pixels:,} pixels")
    # Only uncompressed files that keep their channels apart are described to Pillow a channel at a time.
    are_apart = image.tile[0].codec_name == "raw" and tags.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2
    times_described = len(image.getbands()) if are_apart else 1
    boxes = [part.extents or (0, 0, 0, 0) for part in image.tile]
    covered = sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
    if covered != pixels * times_described:
        raise ImageError("the TIFF file is damaged: its parts do not make up the picture")


def _raw_mode(image: ImageFile) -> str:
    """Return the layout of the samples in the file, in Pillow's terms; Pillow drops it on loading."""
    arguments = image.tile[0].args if image.tile else ""
    return arguments if isinstance(arguments, str) else str(arguments and arguments[0])
