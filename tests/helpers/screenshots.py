"""Pictures of each page, on desk and phone, light and dark: `python tests/helpers/screenshots.py FOLDER`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, expect, sync_playwright

from chromium import ARGUMENTS, INSTALL, find_chromium
from handwriting import write_with_finger, write_with_mouse
from served import serve
from viewports import DESK, PHONE

DEVICES = {"desk": DESK, "phone": PHONE | {"device_scale_factor": 2}}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
STUDY = "mlp-neurons"
PATIENCE = 60_000  # milliseconds


def write(page: Page, text: str) -> None:
    """Write a number as the device does, and wait for its answer."""
    touch = page.evaluate("navigator.maxTouchPoints > 0")
    (write_with_finger if touch else write_with_mouse)(page, text)
    expect(page.locator("#read")).to_have_text(text)


def draw(page: Page) -> None:
    """Write a year."""
    write(page, "2026")
    expect(page.locator("#tiles img")).to_have_count(4)


def look(page: Page) -> None:
    """Follow a digit."""
    write(page, "2")
    expect(page.locator("#journey .bars .best b")).to_have_text("2")


def list_studies(page: Page) -> None:
    """Show all studies."""
    expect(page.locator(".questions li").first).to_be_visible(timeout=PATIENCE)


def show_study(page: Page) -> None:
    """Show one study."""
    expect(page.locator("h1")).to_be_visible(timeout=PATIENCE)


def describe_study(page: Page) -> None:
    """Fill the form for a study."""
    page.get_by_label("Start from a copy of").select_option(STUDY)


def compare(page: Page) -> None:
    """Compare two networks."""
    page.locator("select[name=b]").select_option(index=1)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".square")).to_be_visible(timeout=PATIENCE)


def open_card(page: Page) -> None:
    """Open a network's card."""
    page.locator("#models th a").first.click()
    expect(page.locator("#card table")).to_be_visible()


SCENES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "draw": ("/", draw),
    "draw-empty": ("/", lambda page: expect(page.locator("#networks td").first).to_be_visible()),
    "look": ("/look", look),
    "studies": ("/studies", list_studies),
    "study": (f"/studies#{STUDY}", show_study),
    "study-form": ("/studies#new", describe_study),
    "models": ("/models", compare),
    "card": ("/models", open_card),
}


def take(
    browser: Browser, address: str, device: dict[str, Any], scheme: Scheme, name: str
) -> tuple[bytes, bytes]:
    """Take what is seen of a scene, and the whole page."""
    path, prepare = SCENES[name]
    context = browser.new_context(**device, color_scheme=scheme, reduced_motion="reduce")
    context.request.get(address)  # with the owner's key
    page = context.new_page()
    page.goto(address.partition("/?")[0] + path)
    prepare(page)
    seen, whole = page.screenshot(), page.screenshot(full_page=True)
    context.close()
    return seen, whole


def main() -> None:
    expect.set_options(timeout=PATIENCE)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go; made if need be")
    parser.add_argument("--model", default="best", help="network that answers: a bundle's folder or a name")
    parser.add_argument("--results", type=Path, default=Path("digitlab-results"), help="folder of the store")
    options = parser.parse_args()
    program = find_chromium()
    if program is None:
        sys.exit(f"there is no chromium on this machine: {INSTALL}")
    options.folder.mkdir(parents=True, exist_ok=True)
    options.results.mkdir(parents=True, exist_ok=True)
    with serve(options.model, options.results) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        for name in SCENES:
            for device, settings in DEVICES.items():
                for scheme in SCHEMES:
                    seen, whole = take(browser, address, settings, scheme, name)
                    (options.folder / f"{name}-{device}-{scheme}.png").write_bytes(seen)
                    (options.folder / f"{name}-{device}-{scheme}-whole.png").write_bytes(whole)
        browser.close()


if __name__ == "__main__":
    main()
