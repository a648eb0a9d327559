"""Writing a bundle whole or not at all, and checking one before it is used."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from digitlab.bundle.card import Card
from digitlab.errors import BundleError, SpecError
from digitlab.results.record import Result

MODEL = "model.keras"
CARD = "card.json"
MAX_CARD_BYTES = 1_000_000


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files match its card.

    Attributes:
        folder: where it is.
        card: what it says of itself.
    """

    folder: Path
    card: Card

    @property
    def model_path(self) -> Path:
        """The Keras file."""
        return self.folder / MODEL


def ensure_new(folder: Path | str) -> Path:
    """Make sure that a bundle can be written to a folder, before anything is trained for it.

    Args:
        folder: one that is not there yet, or is empty.

    Returns:
        The folder as an absolute path without symbolic links.

    Raises:
        BundleError: something is there already, or the place cannot be written.
    """
    target = Path(os.path.realpath(folder))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not _is_free(target):
            raise BundleError(
                f"{target}: expected a new folder, received one that is there; name another or remove it"
            )
        with tempfile.TemporaryFile(dir=target.parent):
            return target
    except OSError as error:
        raise _unwritable(target, error) from None


def _is_free(target: Path) -> bool:
    try:
        return not any(target.iterdir())
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        return False


def write_bundle(folder: Path | str, result: Result, save: Callable[[str], None]) -> Bundle:
    """Write a bundle: to a temporary folder, synced to disk, then renamed.

    Args:
        folder: a new or an empty folder; a kill at any moment leaves a whole bundle there or none.
        result: of the trial that trained the network.
        save: writes the network to the path it is given, a file that ends in `.keras`.

    Raises:
        BundleError: the folder is there already, or cannot be written.
    """
    target = ensure_new(folder)
    try:
        draft = Path(tempfile.mkdtemp(prefix=".digitlab-", dir=target.parent))
        try:
            draft.chmod(0o755)  # mkdtemp lets nobody else read
            save(str(draft / MODEL))
            card = _card(result, {MODEL: _sha256(draft / MODEL)})
            text = json.dumps(card.to_values(), indent=2) + "\n"
            (draft / CARD).write_text(text, "utf-8")
            for path in (draft / MODEL, draft / CARD, draft):
                _sync(path)
            with suppress(FileNotFoundError):
                target.rmdir()  # if it is there it is empty; Windows renames onto nothing
            draft.rename(target)
            _sync(target.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise _unwritable(target, error) from None
    return Bundle(target, card)


def _unwritable(target: Path, error: OSError) -> BundleError:
    cause = error.strerror or " ".join(str(error).split())
    return BundleError(f"{target}: cannot be written: {cause}; name another folder")


def check_bundle(folder: Path | str) -> Bundle:
    """Read the card of a bundle and compare every file with it.

    Raises:
        BundleError: a file is missing, unnamed or altered; the message names it.
    """
    place = Path(folder)
    try:
        with (place / CARD).open("rb") as file:
            content = file.read(MAX_CARD_BYTES + 1)
        if len(content) > MAX_CARD_BYTES:
            raise BundleError(f"{place / CARD}: expected at most {MAX_CARD_BYTES:,} bytes")
        card = Card.from_json(content.decode("utf-8"), str(place / CARD))
        for name in sorted({MODEL, *card.files}):
            _check(place, name, card)
    except OSError as error:
        raise BundleError(
            f"{place}: expected a bundle (a folder that  digitlab train  wrote): "
            f"{error.strerror}: {Path(error.filename or place).name}"
        ) from None
    except UnicodeDecodeError:
        raise BundleError(f"{place / CARD}: expected UTF-8 text") from None
    except SpecError as error:
        raise BundleError(str(error)) from None
    return Bundle(place, card)


def _check(folder: Path, name: str, card: Card) -> None:
    if Path(name).name != name or not (folder / name).is_file():
        raise BundleError(
            f"{folder}: expected a file {name!r} in the bundle, found none; "
            "train it again or get a whole copy"
        )
    if card.files.get(name) != _sha256(folder / name):
        raise BundleError(
            f"{folder / name}: its SHA-256 is not the one in {CARD}: the file was altered or damaged; "
            "train it again or get a whole copy"
        )


def _card(result: Result, files: dict[str, str]) -> Card:
    return Card(
        recipe=result.trial.recipe,
        trial=result.trial,
        trial_id=result.trial.id,
        parameters=result.parameters,
        multiply_adds=result.multiply_adds,
        validation=result.final_validation,
        test=result.final_test,
        train_seconds=result.train_seconds,
        environment=result.environment,
        files=files,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open a folder to sync it
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
