from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from digitlab.bundle.files import write_bundle
from digitlab.errors import BundleError
from digitlab.results.record import Result
from digitlab.spec import DataSpec, Trial
from digitlab.spec.library import resolve_recipe

NETWORK = b"what is inside does not matter to a bundle"


@pytest.fixture(scope="session")
def network() -> bytes:
    return NETWORK


@pytest.fixture(scope="session")
def save() -> Callable[[str], None]:
    """What a network does when it is saved."""

    def write(path: str) -> None:
        assert path.endswith(".keras")
        Path(path).write_bytes(NETWORK)

    return write


@pytest.fixture(scope="session")
def refusal() -> Callable[..., str]:
    """Call something that must raise a BundleError, and give its message: one line."""

    def call(function: Callable[..., Any], *arguments: Any) -> str:
        with pytest.raises(BundleError) as caught:
            function(*arguments)
        message = str(caught.value)
        assert "\n" not in message
        return message

    return call


@pytest.fixture(scope="session")
def result(make_result: Any) -> Result:
    recipe = resolve_recipe("cnn")
    data = DataSpec(fingerprint="0" * 64)
    return make_result(Trial(recipe="cnn", model=recipe.model, training=recipe.training, data=data))


@pytest.fixture
def bundle(tmp_path: Path, result: Result, save: Callable[[str], None]) -> Path:
    return write_bundle(tmp_path / "network", result, save).folder
