from __future__ import annotations

import base64
import io
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from digitlab.pictures.decoder import decode_image
from digitlab.recognition.explain import encode_png
from handwriting import write_with_finger, write_with_mouse
from real_digits import read_mnist
from viewports import PHONE, OpenPage

WEIGHT = 150_000  # bytes, of all that a visit of the page fetches

GIVE_PICTURE = """([how, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "picture", { type }));
  const event = how === "paste"
    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
    : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.body.dispatchEvent(event);
}"""


def read(page: Page):
    return expect(page.locator("#read"))


def give(page: Page, how: str, content: bytes, type_: str = "image/png") -> None:
    page.evaluate(GIVE_PICTURE, [how, type_, base64.b64encode(content).decode()])


def picture_of_seven() -> bytes:
    return encode_png(255 - read_mnist().x_test[0].repeat(8, 0).repeat(8, 1))


def several(format_name: str) -> bytes:
    """A file of two pictures: a 7 and a 2."""
    pictures = [Image.fromarray(255 - read_mnist().x_test[k].repeat(8, 0).repeat(8, 1)) for k in (0, 1)]
    stream = io.BytesIO()
    pictures[0].save(stream, format_name, save_all=True, append_images=pictures[1:])
    return stream.getvalue()


def test_a_digit_drawn_with_the_mouse_is_read(open_page: OpenPage):
    page = open_page("/")
    write_with_mouse(page, "2")
    read(page).to_have_text("2")
    expect(page.locator("#tiles img")).to_have_count(1)
    expect(page.locator("#bars .best b")).to_have_text("2")
    expect(page.locator(".mark b")).to_have_text("2")


def test_several_digits_are_read_in_order_and_each_can_be_looked_at(open_page: OpenPage):
    page = open_page("/")
    write_with_mouse(page, "2026")
    read(page).to_have_text("2026")
    expect(page.locator(".mark b")).to_have_text(["2", "0", "2", "6"])
    page.locator("#tiles label").nth(3).click()
    expect(page.locator("#bars .best b")).to_have_text("6")


def test_2026_is_written_with_a_finger_on_a_phone_and_the_page_stays(open_page: OpenPage):
    page = open_page("/", PHONE)
    before = page.locator("#pad").bounding_box()
    write_with_finger(page, "2026")
    read(page).to_have_text("2026")
    assert page.evaluate("[scrollX, scrollY]") == [0, 0]
    assert page.locator("#pad").bounding_box() == before, "the paper may not move under the finger"
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_each_row_has_its_confidence_and_each_digit_two_opinions(open_page: OpenPage):
    page = open_page("/")
    write_with_mouse(page, "2026")
    read(page).to_have_text("2026")
    expect(page.locator("#rows tbody th")).to_have_text(["2026"])
    expect(page.locator(".row-mark b")).to_have_count(1)
    page.locator("#tiles label").nth(3).click()
    expect(page.locator("#opinions")).to_contain_text("Row reader: 6")
    expect(page.locator("#opinions")).to_contain_text("Classifier: 6")
    page.locator("#clear").click()
    expect(page.locator("#opinions p")).to_have_count(0)
    expect(page.locator(".rows")).to_be_hidden()


def test_the_box_of_a_digit_lies_around_its_ink(open_page: OpenPage):
    page = open_page("/")
    write_with_mouse(page, "2")
    read(page).to_have_text("2")
    box, pad = page.locator(".mark").bounding_box(), page.locator("#pad").bounding_box()
    assert box
    assert pad
    assert abs(box["x"] + box["width"] / 2 - pad["x"] - pad["width"] / 2) < 0.1 * pad["width"]
    assert 0.4 * pad["height"] < box["height"] < 0.75 * pad["height"]


def test_a_known_length_is_asked_for_and_nonsense_is_said(open_page: OpenPage):
    page = open_page("/", refused="422")
    write_with_mouse(page, "20")
    read(page).to_have_text("20")
    with page.expect_request(lambda request: "length=2" in request.url):
        page.locator("#length").fill("2")
        page.locator("#length").press("Enter")
    read(page).to_have_text("20")
    page.locator("#length").fill("two")
    page.locator("#length").press("Enter")
    expect(page.locator("#answer.refused #sure")).to_contain_text("expected a number of characters such as 5")


def test_what_was_not_read_of_a_file_is_said(open_page: OpenPage):
    page = open_page("/")
    expect(page.locator("#networks tbody tr").first).to_be_visible()
    give(page, "drop", several("GIF"), "image/gif")
    expect(page.locator("#notes")).to_contain_text("not read")
    read(page).to_have_text("7")


def test_a_picture_that_browsers_do_not_show_is_shown_by_the_service(open_page: OpenPage):
    page = open_page("/")
    expect(page.locator("#networks tbody tr").first).to_be_visible()
    give(page, "drop", several("TIFF"), "image/tiff")
    expect(page.locator("#notes")).to_contain_text("Page 1 of 2 is shown.")
    page.wait_for_function("document.querySelector('.picture').naturalWidth > 0")
    expect(page.locator(".mark")).to_have_count(1)


def test_each_network_answers_side_by_side(open_page: OpenPage):
    page = open_page("/")
    write_with_mouse(page, "20")
    expect(page.locator("#networks tbody tr").first).to_be_visible()
    rows = page.locator("#networks tbody tr")
    assert rows.count() >= 2
    for answer in rows.locator(".reads").all():
        expect(answer).to_have_text("20")


def test_strokes_are_undone_and_cleared(open_page: OpenPage):
    page = open_page("/")
    write_with_mouse(page, "20")
    read(page).to_have_text("20")
    page.locator("#undo").click()
    read(page).to_have_text("2")
    page.locator("#clear").click()
    read(page).to_have_text("")
    expect(page.locator("#undo")).to_be_disabled()
    expect(page.locator(".mark")).to_have_count(0)


def test_a_drawing_is_still_there_on_the_next_page(open_page: OpenPage):
    page = open_page("/")
    write_with_mouse(page, "2")
    read(page).to_have_text("2")
    page.locator("nav").get_by_text("Look inside").click()
    read(page).to_have_text("2")


@pytest.mark.parametrize("how", ["paste", "drop"])
def test_a_picture_is_pasted_or_dropped(open_page: OpenPage, how: str):
    page = open_page("/")
    expect(page.locator("#networks tbody tr").first).to_be_visible()
    give(page, how, picture_of_seven())
    read(page).to_have_text("7")
    expect(page.locator(".picture")).to_be_visible()


def test_a_picture_is_chosen_or_photographed(open_page: OpenPage):
    page = open_page("/", PHONE)
    assert page.locator("#photo").get_attribute("capture") == "environment"
    for chooser in ("#photo", "#open"):
        page.set_input_files(
            chooser, {"name": "seven.png", "mimeType": "image/png", "buffer": picture_of_seven()}
        )
        read(page).to_have_text("7")
        page.locator("#clear").click()
        read(page).to_have_text("")


def test_a_blank_picture_is_rejected_in_words(open_page: OpenPage):
    page = open_page("/")
    expect(page.locator("#networks tbody tr").first).to_be_visible()
    give(page, "paste", encode_png(np.full((80, 120), 255, np.uint8)))
    expect(page.locator("#sure")).to_contain_text("No ink was found")


def test_a_file_that_is_no_picture_is_refused_in_words(open_page: OpenPage):
    page = open_page("/", refused="415")
    expect(page.locator("#networks tbody tr").first).to_be_visible()
    give(page, "drop", b"<svg onload='alert(1)'/>", "image/svg+xml")
    expect(page.locator("#answer.refused #sure")).not_to_be_empty()
    write_with_mouse(page, "2")
    read(page).to_have_text("2")


def test_a_corrected_drawing_is_kept_after_asking(open_page: OpenPage, results: Path):
    page = open_page("/")
    write_with_mouse(page, "2")
    expect(page.locator("#correction")).to_be_visible()
    page.get_by_role("button", name="Correct digit: 7").click()
    expect(page.locator("#consent")).to_contain_text(str(results / "drawings"))
    page.get_by_role("button", name="Do not save").click()
    expect(page.locator("#correction")).to_contain_text("not saved")
    assert not list(results.glob("drawings/*/*.png"))
    page.locator("#clear").click()
    write_with_mouse(page, "6")
    page.get_by_role("button", name="Correct digit: 7").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#correction")).to_contain_text("Saved as a 7")
    kept = list(results.glob("drawings/7/*.png"))
    assert len(kept) == 1
    assert decode_image(kept[0].read_bytes()).grey.shape == (28, 28)
    assert sorted(path.name for path in (results / "drawings").iterdir()) == list("0123456789")


def test_a_visit_of_the_page_weighs_little_even_uncompressed(open_page: OpenPage):
    page = open_page("/")
    fetched = set()
    page.on("request", lambda request: fetched.add(request.url))
    page.reload(wait_until="networkidle")
    sizes = {address: len(urlopen(address).read()) for address in fetched if address.startswith("http")}
    assert len(sizes) > 5
    assert sum(sizes.values()) <= WEIGHT, sizes
