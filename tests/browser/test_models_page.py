from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from viewports import OpenPage


def test_two_networks_are_compared_on_the_test_set(open_page: OpenPage):
    page = open_page("/models")
    page.locator("select[name=b]").select_option(label="mlp")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".square div")).to_have_count(4, timeout=60_000)
    counts = [int(text.replace(",", "")) for text in page.locator(".square b").all_inner_texts()]
    assert sum(counts) == 10_000
    expect(page.locator("#comparison .lead")).to_contain_text("McNemar")
    expect(page.locator(".digit")).not_to_have_count(0)
    page.get_by_label("only the first is correct").check()
    assert "✗" not in "".join(page.locator(".digit figcaption span:nth-child(2)").all_inner_texts())


def test_the_card_of_a_network_is_opened(open_page: OpenPage):
    page = open_page("/models")
    page.locator("#models th a").first.click()
    expect(page.locator("#card")).to_be_focused()
    expect(page.locator("#card")).to_contain_text("of 10,000")
    expect(page.locator("#card table.shaded tbody tr")).to_have_count(10)


def test_a_folder_that_is_no_bundle_is_listed_with_the_reason_as_text(open_page: OpenPage, results: Path):
    name = "<img src=x onerror=alert(1)>"
    broken = results / "models" / name
    broken.mkdir(parents=True)
    (broken / "card.json").write_text("{")
    page = open_page("/models")
    row = page.locator("#models tr", has_text="cannot be used")
    expect(row.locator("th")).to_have_text(name)
    assert page.locator("#models img").count() == 0
    assert name not in page.locator("select[name=a]").inner_text()
