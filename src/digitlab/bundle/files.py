"""Bundles on disk: finding one, and checking it before it is used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

from digitlab.bundle.card import Card
from digitlab.errors import BundleError, SpecError

MODEL = "model.keras"
ONNX = "model.onnx"
INSIDE = "inside.onnx"
README = "README.md"
CARD = "card.json"
REQUIRED = frozenset({MODEL, ONNX, INSIDE})
"""Files that every bundle has beside its card."""
MAX_CARD_BYTES = 1_000_000

PRETRAINED = Path(__file__).parent / "pretrained"
PRETRAINED_ROWS = PRETRAINED / "rows"


class CardWithFiles(Protocol):
    """A card with the SHA-256 of each file beside it."""

    files: dict[str, str]

    @classmethod
    def from_json(cls, text: str, source: str) -> Self:
        """Parse a card; the source is named in error messages."""
        ...


C = TypeVar("C", bound=CardWithFiles)


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files match its card.

    Attributes:
        folder: the bundle's folder.
        card: the bundle's card.
    """

    folder: Path
    card: Card

    @property
    def model_path(self) -> Path:
        """Path of the Keras file."""
        return self.folder / MODEL

    @property
    def onnx_path(self) -> Path:
        """Path of the ONNX file that computes probabilities."""
        return self.folder / ONNX

    @property
    def inside_path(self) -> Path:
        """Path of the ONNX file that computes activations, too."""
        return self.folder / INSIDE


def shipped_names() -> tuple[str, ...]:
    """Return the names of the networks that come with digitlab, sorted."""
    return _names_in(PRETRAINED)


def _names_in(folder: Path) -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{CARD}")))


def find_bundle(model: str | Path) -> Path:
    """Find the folder of a bundle.

    Args:
        model: name of a network that comes with digitlab, or a folder. A name takes precedence over a folder
            of that name; pass `./best` for the folder.

    Raises:
        BundleError: no such bundle exists, or it is a reader of rows.
    """
    is_reader = isinstance(model, str) and model in _names_in(PRETRAINED_ROWS)
    if not is_reader:
        folder = find_folder(model, PRETRAINED)
        if not is_reader_of_rows(folder):
            return folder
    raise BundleError(
        f"model {str(model)!r}: expected a network that classifies one digit, received one that reads "
        "rows; the recognizer loads that one itself"
    )


def is_reader_of_rows(folder: Path) -> bool:
    """Return whether a folder's card is that of a reader of rows; False if it is no bundle."""
    try:
        with (folder / CARD).open("rb") as file:
            values = json.loads(file.read(MAX_CARD_BYTES))
        return "parity" in values  # the card of a classifier has proofs instead
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def find_folder(model: str | Path, shipped_in: Path) -> Path:
    """Find a bundle by its folder, or by its name if it comes with digitlab.

    Args:
        model: name or folder of the bundle.
        shipped_in: folder of the bundles that come with digitlab.

    Raises:
        BundleError: no such bundle exists.
    """
    shipped = _names_in(shipped_in)
    if isinstance(model, str) and model in shipped:
        return shipped_in / model
    try:
        if Path(model).exists():
            return Path(model)
    except (OSError, ValueError):
        pass  # too long for a path, or with a NUL in it
    names = ", ".join(shipped) or "none in this copy: run  make pretrained"
    raise BundleError(
        f"no model {str(model)!r}: expected a network that comes with digitlab ({names}) "
        "or a folder that  digitlab train  wrote"
    )


def check_bundle(folder: Path | str) -> Bundle:
    """Read the card of a bundle and check every file against it.

    Raises:
        BundleError: a file is missing, not in the card, or altered; the message names it.
    """
    folder = Path(folder)
    return Bundle(folder, check_files(folder, Card, REQUIRED))


def check_files(folder: Path, kind: type[C], required: Collection[str]) -> C:
    """Read the card in a folder and check every file against it.

    Args:
        folder: the bundle's folder.
        kind: class of the card.
        required: names of files that must exist.

    Raises:
        BundleError: a file is missing, not in the card, or altered; the message names it.
    """
    try:
        with (folder / CARD).open("rb") as file:
            content = file.read(MAX_CARD_BYTES + 1)
        if len(content) > MAX_CARD_BYTES:
            raise BundleError(f"{folder / CARD}: expected at most {MAX_CARD_BYTES:,} bytes")
        card = kind.from_json(content.decode("utf-8"), str(folder / CARD))
        names = {*required, *card.files}
        for name in sorted(names):  # sorted, so that the same fault is always named first
            _check(folder, name, card.files)
    except OSError as error:
        file_name = Path(error.filename or folder).name
        raise BundleError(
            f"{folder}: expected a bundle (a folder that  digitlab train  wrote): "
            f"{error.strerror}: {file_name}"
        ) from None
    except UnicodeDecodeError:
        raise BundleError(f"{folder / CARD}: expected UTF-8 text") from None
    except SpecError as error:
        raise BundleError(str(error)) from None
    return card


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(folder: Path, name: str, files: Mapping[str, str]) -> None:
    is_in_folder = Path(name).name == name  # a path in a card could lead anywhere
    if not is_in_folder or not (folder / name).is_file():
        raise BundleError(
            f"{folder}: expected a file {name!r} in the bundle, found none; "
            "train it again or get a complete copy"
        )
    if files.get(name) != sha256(folder / name):
        raise BundleError(
            f"{folder / name}: its SHA-256 is not the one in {CARD}: the file was altered or damaged; "
            "train it again or get a complete copy"
        )
