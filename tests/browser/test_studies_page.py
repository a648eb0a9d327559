from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from viewports import PHONE, OpenPage

TRAINING = 240_000  # milliseconds that two workers and a few small trainings may take on a busy machine


def describe(page: Page, name: str, values: str, epochs: int) -> None:
    page.get_by_role("link", name="New study").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Question", exact=True).fill("Does a <b>wide</b> layer help?")
    page.get_by_label("Recipe", exact=True).fill("mlp")
    page.get_by_label("Settings that differ").fill(f"training.epochs = {epochs}\ntraining.batch_size = 1000")
    page.get_by_label("Setting", exact=True).fill("model.hidden.0")
    page.get_by_label("Levels").fill(values)
    page.get_by_label("Seeds").fill("2")
    page.get_by_role("button", name="Start the study").click()


def test_a_study_is_started_and_followed_to_its_report(open_page: OpenPage, results: Path):
    page = open_page("/studies")
    describe(page, "wide", "4, 16", epochs=2)
    expect(page.locator("h1")).to_have_text("Does a <b>wide</b> layer help?")
    expect(page.locator(".progress")).to_contain_text("of 4 results", timeout=TRAINING)
    expect(page.locator(".chart polyline[points*=',']").first).to_be_visible(timeout=TRAINING)
    expect(page.locator(".progress")).to_contain_text("4 of 4 results", timeout=TRAINING)
    expect(page.locator(".eyebrow")).to_contain_text("finished", timeout=TRAINING)
    expect(page.locator(".verdicts li")).not_to_have_count(0)
    expect(page.locator(".legend li span")).to_have_text(["4", "16"])
    expect(page.frame_locator("iframe.report").locator("h1")).to_have_text("Does a <b>wide</b> layer help?")
    assert (results / "reports" / "wide.html").is_file()
    page.get_by_role("link", name="All studies").click()
    expect(page.get_by_role("link", name="Report of wide")).to_be_visible()


def test_a_study_is_stopped_and_goes_on(open_page: OpenPage):
    page = open_page("/studies", PHONE)
    describe(page, "long", "8, 16, 24, 32, 40, 48", epochs=12)
    expect(page.locator(".chart polyline[points*=',']").first).to_be_visible(timeout=TRAINING)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".eyebrow")).to_contain_text("paused", timeout=TRAINING)
    expect(page.locator(".progress")).to_contain_text(re.compile("^[1-9]"))
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".eyebrow")).to_contain_text("running", timeout=TRAINING)
    expect(page.locator(".progress")).to_contain_text("12 of 12 results", timeout=TRAINING)


def test_the_printed_address_makes_the_owner(open_page: OpenPage, service: str, owner_address: str):
    page = open_page("/studies", owner=False)
    expect(page.get_by_text("open the address with a key")).to_be_visible()
    expect(page.get_by_role("link", name="New study")).to_have_count(0)
    page.goto(owner_address)
    assert page.url == f"{service}/"
    page.get_by_role("link", name="Studies").click()
    expect(page.get_by_role("link", name="New study")).to_be_visible()


def test_impossible_settings_are_refused_in_words(open_page: OpenPage):
    page = open_page("/studies", refused="422")
    describe(page, "impossible", "0, 16", epochs=2)
    expect(page.locator("form .notice")).to_contain_text("hidden.0")
    expect(page.get_by_label("Name")).to_have_value("impossible")


def test_a_study_of_the_library_is_a_starting_point(open_page: OpenPage):
    page = open_page("/studies#new")
    page.get_by_label("Start from a copy of").select_option("cnn-dense-by-epochs")
    expect(page.get_by_label("Name")).to_have_value("my-cnn-dense-by-epochs")
    expect(page.locator(".box")).to_have_count(2)
    page.get_by_role("button", name="Remove this axis").first.click()
    expect(page.get_by_label("Setting", exact=True)).to_have_value("model.dense.0")
    page.get_by_role("button", name="Add an axis").click()
    expect(page.locator(".box")).to_have_count(2)


def test_a_study_that_does_not_exist_is_said_in_words(open_page: OpenPage):
    page = open_page("/studies#nowhere", refused="404")
    expect(page.locator(".notice")).to_contain_text("nowhere")
    expect(page.get_by_role("link", name="All studies")).to_be_visible()
