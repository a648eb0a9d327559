"""Every package exports what its `__all__` says, lazily and truly."""

from __future__ import annotations

from importlib import import_module

import pytest

PACKAGES = [
    "digitlab",
    "digitlab.spec",
    "digitlab.data",
    "digitlab.models",
    "digitlab.results",
    "digitlab.bundle",
    "digitlab.report",
    "digitlab.studies",
    "digitlab.training",
]
NEEDS_KERAS = {("digitlab.models", "build")}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_there(package: str) -> None:
    module = import_module(package)
    names = [name for name in module.__all__ if (package, name) not in NEEDS_KERAS]
    missing = [name for name in names if getattr(module, name, None) is None]
    assert missing == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_exported_name_hides_a_module_of_its_package(package: str) -> None:
    """A function named as its module would be the module or the function, as imports happen to go."""
    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name, None).__class__.__name__ != "module" or (package, name) in NEEDS_KERAS


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        import_module(package).nothing_of_that_name  # noqa: B018
