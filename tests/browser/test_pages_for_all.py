"""Whoever comes: with a keyboard, a screen reader, in the dark, or on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from handwriting import write_with_mouse
from viewports import DESK, PHONE, OpenPage

SERIOUS = {"serious", "critical"}


def draw(page: Page) -> None:
    write_with_mouse(page, "26")
    expect(page.locator("#read")).to_have_text("26")
    expect(page.locator("#tiles img")).to_have_count(2)  # the answer to the whole, not to a glance


def look(page: Page) -> None:
    write_with_mouse(page, "2")
    expect(page.locator("#journey .bars")).to_be_visible()


def list_studies(page: Page) -> None:
    expect(page.locator(".questions li").first).to_be_visible()


def describe_study(page: Page) -> None:
    expect(page.locator("form")).to_be_visible()


def compare(page: Page) -> None:
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".square")).to_be_visible(timeout=60_000)
    page.locator("#models th a").first.click()
    expect(page.locator("#card table")).to_be_visible()


FILLED = {
    "/": draw,
    "/look": look,
    "/studies": list_studies,
    "/studies#mlp-neurons": lambda page: expect(page.locator("h1")).to_be_visible(),
    "/studies#new": describe_study,
    "/models": compare,
}


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("path", "fill"), FILLED.items(), ids=FILLED)
def test_axe_finds_nothing_serious(
    open_page: OpenPage, path: str, fill: Callable[[Page], None], scheme: str, device: dict[str, Any]
):
    page = open_page(path, device, color_scheme=scheme)
    fill(page)
    found = Axe().run(page).response["violations"]
    serious = [
        (rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found if rule["impact"] in SERIOUS
    ]
    assert serious == []


@pytest.mark.parametrize("path", FILLED)
def test_a_phone_scrolls_down_and_never_sideways(open_page: OpenPage, path: str):
    page = open_page(path, PHONE)
    FILLED[path](page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_digit_is_drawn_with_the_keyboard_alone(open_page: OpenPage):
    page = open_page("/")
    expect(page.locator("#networks tbody tr").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#pad canvas")).to_be_focused()
    page.keyboard.press("Space")
    for key, times in (("ArrowRight", 3), ("ArrowDown", 6)):
        for _ in range(times):
            page.keyboard.press(f"Shift+{key}")
    page.keyboard.press("Space")
    expect(page.locator("#read")).to_have_text("7")
    page.keyboard.press("Control+z")
    expect(page.locator("#read")).to_have_text("")


def test_a_digit_is_chosen_and_corrected_with_the_keyboard_alone(open_page: OpenPage):
    page = open_page("/")
    draw(page)
    page.locator("#tiles input").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#bars .best b")).to_have_text("6")
    expect(page.locator("#tiles input").nth(1)).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Correct digit: 0")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#consent")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#correction")).to_contain_text("not saved")


def test_the_answer_is_said_to_a_screen_reader(open_page: OpenPage):
    page = open_page("/")
    draw(page)
    said = page.locator("#answer")
    assert said.get_attribute("aria-live") == "polite"
    assert "confidence" in said.inner_text()


def test_a_reader_who_wants_no_motion_gets_none(open_page: OpenPage):
    page = open_page("/", reduced_motion="reduce")
    draw(page)
    moving = page.evaluate("document.getAnimations().length")
    assert moving == 0
