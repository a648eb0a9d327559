from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from chromium import ARGUMENTS, INSTALL, find_chromium
from served import serve
from viewports import DESK, OpenPage

expect.set_options(timeout=20_000)  # milliseconds; a machine that does much else is slow


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = find_chromium()
    if program is None:
        pytest.skip(f"there is no chromium on this machine: {INSTALL}")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the service keeps what it writes."""
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def owner_address(results: Path) -> Iterator[str]:
    """The address that a service printed, with the owner's key."""
    with serve("best", results) as address:
        yield address


@pytest.fixture(scope="module")
def service(owner_address: str) -> str:
    """Address of the service, as anybody knows it."""
    return owner_address.partition("/?")[0]


@pytest.fixture
def open_page(browser: Browser, service: str, owner_address: str) -> Iterator[OpenPage]:
    """Open pages of the service as its owner; at the end, none may have complained, nor asked anybody else.

    A browser reports refused requests as errors, too: tests that have one refused name what it is refused
    with, in `refused`.
    """
    contexts, errors, hosts, expected = [], [], set(), []

    def keep(message: Any) -> None:
        if message.type in ("error", "warning") and not any(code in message.text for code in expected):
            errors.append(message.text)

    def visit(
        path: str, device: dict[str, Any] = DESK, refused: str = "", owner: bool = True, **settings: Any
    ) -> Page:
        context = browser.new_context(**device, **settings)
        contexts.append(context)
        if owner:
            context.request.get(owner_address)
        if refused:
            expected.append(refused)
        page = context.new_page()
        page.on("console", keep)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
        page.goto(service + path)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert errors == []
    assert hosts - {urlsplit(service).netloc} <= {""}, (
        "pages may ask the service alone; '' is data: and blob:"
    )
