"""Every package exports what its `__all__` says, lazily and truly."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest

PACKAGES = [
    "digitlab",
    "digitlab.spec",
    "digitlab.data",
    "digitlab.models",
    "digitlab.results",
    "digitlab.bundle",
    "digitlab.recognition",
    "digitlab.report",
    "digitlab.serving",
    "digitlab.studies",
    "digitlab.training",
]
NEEDS_KERAS = {("digitlab.models", "build")}


def light_names(package: str) -> list[str]:
    """The exported names whose import does not take the seconds of TensorFlow."""
    return [name for name in import_module(package).__all__ if (package, name) not in NEEDS_KERAS]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_is_there(package: str) -> None:
    module = import_module(package)
    missing = [name for name in light_names(package) if getattr(module, name, None) is None]
    assert missing == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_exported_names_are_listed(package: str) -> None:
    module = import_module(package)
    assert dir(module) == module.__all__


@pytest.mark.parametrize("package", PACKAGES)
def test_no_exported_name_hides_a_module_of_its_package(package: str) -> None:
    """A function named as its module would be the module or the function, as imports happen to go."""
    module = import_module(package)
    modules = [name for name in light_names(package) if isinstance(getattr(module, name), ModuleType)]
    assert modules == []


@pytest.mark.parametrize("package", PACKAGES)
def test_an_unknown_name_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="nothing_of_that_name"):
        import_module(package).nothing_of_that_name  # noqa: B018
