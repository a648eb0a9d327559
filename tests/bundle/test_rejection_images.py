"""The images that rejection is fitted to are the same whether they were kept or drawn."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitlab.bundle import rejection_images as module
from digitlab.bundle.rejection_images import RejectionImages, rejection_images
from digitlab.data.dataset import Dataset
from digitlab.workspace import cache_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "DRAWN", 20)
    monkeypatch.setattr(module, "OTHERS", 100)
    monkeypatch.setattr(module, "LOOKALIKES", 20)
    return tmp_path / "digitlab"


@pytest.fixture
def digits(mnist: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return mnist.x_train[:60], mnist.y_train[:60]


def same(one: RejectionImages, other: RejectionImages) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_kept_images_are_those_that_were_drawn(cache: Path, digits: tuple[np.ndarray, np.ndarray]) -> None:
    drawn = rejection_images(*digits)
    assert drawn.drawn.shape == (20, 28, 28)
    assert drawn.weights.sum() == pytest.approx(1)
    [kept] = cache.iterdir()
    written = kept.stat().st_ino
    assert same(rejection_images(*digits), drawn)
    assert kept.stat().st_ino == written


def _flipped(content: bytes) -> bytes:
    """One bit is another in the middle of the compressed images."""
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def _of_another_type(_: bytes) -> bytes:
    images = RejectionImages(
        np.zeros((20, 28, 28)), np.zeros((60, 28, 28)), np.zeros((0, 28, 28)), np.zeros(0)
    )
    file = io.BytesIO()
    np.savez(file, **images._asdict())
    return file.getvalue()


def _no_archive(_: bytes) -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


@pytest.mark.parametrize(
    "damage", [_flipped, _of_another_type, _no_archive, lambda _: b"", lambda content: content[:-40]]
)
def test_a_damaged_file_is_drawn_anew(
    cache: Path, digits: tuple[np.ndarray, np.ndarray], damage: Callable[[bytes], bytes]
) -> None:
    drawn = rejection_images(*digits)
    [kept] = cache.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    assert same(rejection_images(*digits), drawn)
    assert kept.read_bytes() == whole


def test_the_sets_that_were_not_used_for_longest_go(
    cache: Path, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = digits
    for count in range(50, 50 + module.KEPT_FILES):
        rejection_images(images[:count], labels[:count])
    kept = list(cache.iterdir())
    for path in kept:
        os.utime(path, (1, 1))
    rejection_images(images[:50], labels[:50])
    [used] = [path for path in kept if path.stat().st_mtime > 1]
    assert not same(rejection_images(images[:49], labels[:49]), rejection_images(images[:50], labels[:50]))
    assert len(list(cache.iterdir())) == module.KEPT_FILES
    assert used.exists()


def test_a_cache_that_cannot_be_written_is_no_error(
    cache: Path, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    cache.write_text("a file where the folder would be")
    assert rejection_images(*digits).drawn.shape == (20, 28, 28)


def test_a_user_without_a_home_has_no_cache(
    monkeypatch: pytest.MonkeyPatch, digits: tuple[np.ndarray, np.ndarray], cache: Path
) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr(Path, "home", no_home)
    assert cache_folder() is None
    assert rejection_images(*digits).drawn.shape == (20, 28, 28)
    assert not Path("relative").exists()
