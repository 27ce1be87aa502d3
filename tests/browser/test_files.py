"""Files on the page: what a customer sends appears when it is fetched, what an agent attaches goes out."""

import re

from playwright.sync_api import expect

from tests.inbox.media_peer import EXE, PDF, png
from tests.waiting import wait_for


def picture_is_drawn(bubble) -> None:
    """Loaded and decoded, not merely there."""
    picture = bubble.locator("img").first  # asked anew each time: another may have taken its place
    wait_for(lambda: picture.evaluate("img => img.complete && img.naturalWidth > 0"))


def test_a_customers_picture_has_its_place_until_it_is_fetched_and_then_appears_there(product, sign_in, number):
    ben = sign_in("ben")
    product.deliver("Foto segera", number=number, name=f"Foto {number}")
    ben.open("Foto segera")
    ben.page.evaluate("window.samePage = true")
    bubble = ben.bubble("Ini fotonya")
    product.simulator("behaviour", {"files": "held"})
    try:
        product.simulator("customer", {"from": number, "sample": "image", "caption": "Ini fotonya"})
        expect(bubble.locator(".file-wait")).to_contain_text("Picture · Fetching")
        expect(bubble.locator("img")).to_have_count(0)
        place = bubble.locator(".file").bounding_box()
    finally:
        product.simulator("behaviour", {"files": "on"})
    picture_is_drawn(bubble)
    expect(bubble.locator(".file-wait")).to_have_count(0)
    box = bubble.locator(".file").bounding_box()
    assert (round(box["width"] / box["height"], 1), box) == (1.3, place)  # nothing moves when it comes
    assert ben.page.evaluate("window.samePage") is True

    ben.page.reload()
    ben.page.wait_for_selector("html[data-ready]")
    picture_is_drawn(ben.bubble("Ini fotonya"))


def test_an_agent_sends_a_picture_and_a_paper(product, sign_in, number):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Kirim {number}", number=number)
    bea.open(f"Kirim {number}")
    ben.open(f"Kirim {number}")
    ben.page.set_input_files(
        "input[name=files]",
        [
            {"name": "plan.png", "mimeType": "image/png", "buffer": png(60, 40)},
            {"name": "price list.pdf", "mimeType": "application/pdf", "buffer": PDF},
        ],
    )
    expect(ben.page.locator('.composer-files > [data-state="ready"]')).to_have_count(2)
    ben.write(f"Ini {number}")
    expect(ben.page.locator(".composer-files")).to_be_hidden()
    ben.wait_status(f"Ini {number}", "read")
    ben.wait_status("price list.pdf", "read")
    picture_is_drawn(ben.bubble(f"Ini {number}"))
    picture_is_drawn(bea.bubble(f"Ini {number}"))

    with bea.page.expect_download() as download:
        bea.bubble("price list.pdf").get_by_role("link", name="Download price list.pdf").click()
    assert download.value.suggested_filename == "price list.pdf"
    assert download.value.path().read_bytes() == PDF


def test_what_cannot_be_attached_says_why_and_can_be_taken_off(product, sign_in, number):
    ben = sign_in("ben")
    product.deliver(f"Halo {number}", number=number)
    ben.open(f"Halo {number}")
    ben.page.set_input_files("input[name=files]", [{"name": "holiday.png", "mimeType": "image/png", "buffer": EXE}])
    card = ben.page.locator(".composer-files > li")
    expect(card).to_have_attribute("data-state", "failed")
    expect(card).to_contain_text("Programs and web pages cannot be sent.")
    expect(ben.page.locator("form[name=composer] [type=submit]")).to_be_disabled()
    card.get_by_role("button", name=re.compile("Remove")).click()
    expect(card).to_have_count(0)
    expect(ben.page.locator("form[name=composer] [type=submit]")).to_be_enabled()
    expect(ben.page.locator("textarea[name=body]")).to_be_focused()


def test_files_can_be_dropped_pasted_and_are_not_for_notes(product, sign_in, number):
    ben = sign_in("ben")
    product.deliver(f"Hai {number}", number=number)
    ben.open(f"Hai {number}")
    make = (
        "(name) => { const data = new DataTransfer();"
        " data.items.add(new File(['a,b'], name, {type: 'text/csv'})); return data; }"
    )
    dropped = ben.page.evaluate_handle(make, "dropped.csv")
    ben.page.dispatch_event(".thread", "dragover", {"dataTransfer": dropped})
    expect(ben.page.locator("[data-part=drop]")).to_be_visible()
    ben.page.dispatch_event(".thread", "drop", {"dataTransfer": dropped})
    expect(ben.page.locator("[data-part=drop]")).to_be_hidden()
    pasted = ben.page.evaluate_handle(make, "pasted.csv")
    ben.page.evaluate(
        "(data) => document.querySelector('textarea[name=body]').dispatchEvent("
        "new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}))",
        pasted,
    )
    ready = ben.page.locator('.composer-files > [data-state="ready"]')
    expect(ready).to_have_count(2)
    ben.page.keyboard.press("Escape")
    ben.page.keyboard.press("n")
    expect(ben.page.locator(".composer-files")).to_be_hidden()
    ben.page.locator("input[name=mode][value=reply]").check(force=True)
    expect(ready).to_have_count(2)
