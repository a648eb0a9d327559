from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from digitlab.errors import SpecError

Refusal = Callable[..., str]


@pytest.fixture(scope="session")
def refusal() -> Refusal:
    """Call something that must raise a SpecError, and give its message: one short line."""

    def call(function: Callable[..., Any], *arguments: Any) -> str:
        with pytest.raises(SpecError) as caught:
            function(*arguments)
        message = str(caught.value)
        assert message == " ".join(message.split()), f"not one plain line: {message!r}"
        assert len(message) < 400, f"too long to be read: {message}"
        return message

    return call
