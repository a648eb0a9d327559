from __future__ import annotations

from playwright.sync_api import Page, expect

from handwriting import write_with_finger, write_with_mouse
from viewports import PHONE, OpenPage


def painted(page: Page, selector: str) -> int:
    """Count the colours of a canvas: an empty one has one."""
    return page.locator(selector).first.evaluate(
        """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )


def test_a_digit_is_followed_through_the_network(open_page: OpenPage):
    page = open_page("/look")
    write_with_mouse(page, "2")
    expect(page.locator("#read")).to_have_text("2")
    expect(page.locator("#journey h2").first).to_contain_text("Input")
    expect(page.locator("#journey .map").first).to_be_visible()
    assert painted(page, "#journey .big") > 5
    assert painted(page, "#journey .map") > 5
    expect(page.locator("#journey .scores .best b")).to_have_text("2")
    expect(page.locator("#journey .bars .best b")).to_have_text("2")
    expect(page.locator("figcaption").nth(1)).to_contain_text("2")


def test_another_network_can_be_chosen_and_is_in_the_address(open_page: OpenPage):
    page = open_page("/look")
    write_with_mouse(page, "2")
    expect(page.locator("#journey h2").first).to_contain_text("Input")
    stations = page.locator("#journey > li").count()
    page.locator("#model").select_option(label="mlp")
    expect(page.locator("#model-words")).to_contain_text("Recipe mlp")
    expect(page.locator("#journey > li")).not_to_have_count(stations)
    expect(page.locator("#journey .neurons").first).to_be_visible()
    page.reload()
    expect(page.locator("#model-words")).to_contain_text("Recipe mlp")


def test_of_several_digits_each_can_be_looked_at(open_page: OpenPage):
    page = open_page("/look", PHONE)
    write_with_finger(page, "26")
    expect(page.locator("#choose label")).to_have_count(2)
    expect(page.locator("#read")).to_have_text("2")
    page.locator("#choose input").nth(1).check()
    expect(page.locator("#read")).to_have_text("6")
    page.locator("#undo").click()
    expect(page.locator("#read")).to_have_text("2")
    expect(page.locator("#choose")).to_be_hidden()


def test_an_example_is_written_for_those_who_only_look(open_page: OpenPage):
    page = open_page("/look")
    page.get_by_role("button", name="Show an example").click()
    expect(page.locator("#read")).to_have_text("2")
    page.locator("#clear").click()
    expect(page.locator("#journey > li")).to_have_count(2)
