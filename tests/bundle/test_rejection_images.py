"""The images that rejection is fitted to are the same whether they were kept or drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from digitlab.bundle import rejection_images as module
from digitlab.bundle.rejection_images import RejectionImages, rejection_images
from digitlab.data.dataset import Dataset


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "DRAWN", 100)
    monkeypatch.setattr(module, "OTHERS", 1_000)
    return tmp_path / "digitlab"


@pytest.fixture
def digits(mnist: Dataset) -> tuple[np.ndarray, np.ndarray]:
    return mnist.x_train[:200], mnist.y_train[:200]


def same(one: RejectionImages, other: RejectionImages) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_kept_images_are_those_that_were_drawn(cache: Path, digits: tuple[np.ndarray, np.ndarray]) -> None:
    drawn = rejection_images(*digits)
    assert drawn.drawn.shape == (100, 28, 28)
    assert drawn.weights.sum() == pytest.approx(1)
    [kept] = cache.iterdir()
    kept_at = kept.stat().st_mtime_ns
    assert same(rejection_images(*digits), drawn)
    assert kept.stat().st_mtime_ns == kept_at


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" + bytes(40)])
def test_a_damaged_file_is_drawn_anew(
    cache: Path, digits: tuple[np.ndarray, np.ndarray], content: bytes
) -> None:
    drawn = rejection_images(*digits)
    [kept] = cache.iterdir()
    whole = kept.stat().st_size
    kept.write_bytes(content)
    assert same(rejection_images(*digits), drawn)
    assert kept.stat().st_size == whole


def test_other_digits_have_other_images_and_the_oldest_file_goes(
    cache: Path, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = digits
    first = rejection_images(images, labels)
    assert not same(first, rejection_images(images[:150], labels[:150]))
    for count in range(100, 100 + module.KEPT_FILES):
        rejection_images(images[:count], labels[:count])
    assert len(list(cache.iterdir())) == module.KEPT_FILES


def test_a_cache_that_cannot_be_written_is_no_error(
    cache: Path, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    cache.write_text("a file where the folder would be")
    assert rejection_images(*digits).drawn.shape == (100, 28, 28)
