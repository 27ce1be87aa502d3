"""Somebody on a page of another origin chats with an agent in the inbox, through all that happens to a browser."""

import re
import time
from typing import Any

import jwt
from playwright.sync_api import Route, expect

from tests.browser.numbers import numbers
from tests.browser.test_access import look
from tests.browser.visiting import Visitor, connect
from tests.waiting import wait_for


def test_a_visitor_and_an_agent_talk(visit: Any, sign_in: Any, word: str):
    visitor, ben = visit(), sign_in("ben")
    visitor.open()
    visitor.write(f"Question {word}")
    visitor.wait(f"Question {word}")
    ben.row(word).wait_for()
    ben.open(word)
    visitor.wait(f"Question {word}", "read")
    visitor.frame.locator("#body").press_sequentially("I am still writing", delay=30)
    ben.page.locator(".typing").first.wait_for()
    ben.write(f"Answer {word}")
    visitor.wait(f"Answer {word}")
    ben.wait_status(f"Answer {word}", "read")


def test_a_closed_chat_counts_what_comes_and_the_launcher_says_so(visit: Any, sign_in: Any, word: str):
    visitor, ben = visit(), sign_in("ben")
    visitor.open()
    visitor.write(f"Question {word}")
    ben.row(word).wait_for()
    visitor.page.keyboard.press("Escape")
    expect(visitor.launcher).to_be_focused()
    ben.open(word)
    ben.write(f"Answer {word}")
    expect(visitor.page.locator("#launcher span")).to_have_text("1")
    expect(visitor.launcher).to_have_accessible_name("Open the chat, 1 new")
    visitor.page.keyboard.press("Enter")
    visitor.wait(f"Answer {word}")
    ben.wait_status(f"Answer {word}", "read")


def test_what_is_written_without_a_connection_goes_out_once_after_a_reload(visit: Any, sign_in: Any, word: str):
    visitor, ben = visit(), sign_in("ben")
    visitor.open()
    visitor.write(f"First {word}")
    visitor.wait(f"First {word}", "received")
    refuse = [True]
    visitor.context.route("**/messages", lambda route: route.abort() if refuse[0] else route.continue_())
    visitor.write(f"Second {word}")
    visitor.write(f"Third {word}")
    visitor.wait(f"Third {word}", "sending")
    visitor.page.reload()
    refuse[0] = False
    visitor.launcher.click()
    for text in ("First", "Second", "Third"):
        visitor.wait(f"{text} {word}", "received")
    ben.open(word)
    for text in ("First", "Second", "Third"):
        expect(ben.bubble(f"{text} {word}")).to_have_count(1)


def test_the_page_around_it_neither_reaches_in_nor_is_changed(visit: Any):
    visitor = visit()
    visitor.open()
    colour = visitor.frame.locator("#body").evaluate("one => getComputedStyle(one).fontSize")
    assert colour == "14px"
    assert visitor.launcher.evaluate("one => getComputedStyle(one).color") == "rgb(255, 255, 255)"
    assert visitor.page.locator("iframe").count() == 1
    assert visitor.page.evaluate("document.querySelectorAll('link, style').length") == 1


def test_nothing_of_the_page_is_covered_but_by_the_button(visit: Any):
    """On a light page, for somebody who likes it dark."""
    visitor = visit(color_scheme="dark")
    page = visitor.page
    expect(visitor.launcher).to_have_accessible_name("Open the chat")  # the frame is there
    bare = page.screenshot(clip={"x": 600, "y": 500, "width": 8, "height": 8})
    box = visitor.launcher.bounding_box()
    corner = {"x": box["x"] - 48, "y": box["y"] - 48, "width": 8, "height": 8}
    assert page.screenshot(clip=corner) == bare
    assert page.evaluate("document.elementFromPoint(1000, 600).localName") == "html"


def test_a_press_counts_before_the_chat_is_there(visit: Any, shop: str):
    """The frame takes its time; the button is there from the beginning."""
    held: list[Route] = []
    visitor = visit("about:blank")
    visitor.context.route("**/widget/demo-widget?*", lambda route: held.append(route))
    with visitor.page.expect_request("**/widget/demo-widget?*", timeout=60_000):
        visitor.page.goto(shop, wait_until="commit")
    visitor.launcher.click()
    expect(visitor.launcher).to_have_attribute("aria-busy", "true")
    held.pop().continue_()
    expect(visitor.frame.locator("#body")).to_be_focused()
    expect(visitor.launcher).to_have_accessible_name("Close the chat")
    visitor.launcher.click()
    expect(visitor.launcher).to_be_focused()
    expect(visitor.launcher).to_have_attribute("aria-expanded", "false")


def test_where_there_is_no_chat_the_button_goes(visit: Any, shop: str):
    visitor = visit(f"{shop}nobody-has-this")
    expect(visitor.launcher).to_have_count(1)
    expect(visitor.launcher).to_be_hidden()


def test_what_was_typed_is_there_when_the_feature_comes_back(visit: Any, sign_in: Any, word: str):
    """What is there can be read meanwhile; the chat goes on by itself once it may."""
    visitor, ada = visit(hurry=True), sign_in("ada")
    visitor.open()
    visitor.write(f"Before {word}")
    visitor.wait(f"Before {word}", "received")
    ada.ask("PATCH", "features", {"widget": False})
    try:
        visitor.write(f"Kept {word}")
        expect(visitor.frame.locator("#live")).to_contain_text("closed at the moment")
        visitor.page.reload()
        visitor.launcher.click()
        visitor.wait(f"Before {word}", "received")
        visitor.wait(f"Kept {word}", "sending")
        expect(visitor.frame.locator("#live")).to_contain_text("closed at the moment")
    finally:
        ada.ask("PATCH", "features", {"widget": True})
    visitor.wait(f"Kept {word}", "received")
    expect(visitor.frame.locator("#live")).to_have_text("")


def test_a_chat_ends_with_a_rating(visit: Any, word: str):
    visitor = visit()
    visitor.open()
    visitor.write(f"Hello {word}")
    visitor.wait(f"Hello {word}", "received")
    visitor.frame.get_by_role("button", name="End the chat").click()
    visitor.frame.locator(".stars label").nth(3).click()
    expect(visitor.frame.get_by_role("radio", name="4 of 5")).to_be_checked()
    look(visitor.page, visitor.page.frames[-1])
    visitor.frame.locator("#rating button").click()
    expect(visitor.frame.locator("#live")).to_have_text("Thank you")
    expect(visitor.frame.locator("#rating")).to_be_hidden()


def test_a_file_arrives_and_markup_stays_text(visit: Any, sign_in: Any, word: str):
    visitor, ben = visit(), sign_in("ben")
    visitor.open()
    visitor.write(f"<img src=x onerror=alert(1)> {word}")
    visitor.wait(word, "received")
    ben.open(word)
    visitor.frame.locator("#files").set_input_files(
        {"name": f"{word}.txt", "mimeType": "text/plain", "buffer": b"plain words"}
    )
    expect(visitor.frame.locator(".file a")).to_have_text(f"{word}.txt")
    expect(ben.page.locator(".attachment").filter(has_text=word).first).to_be_visible()
    assert ben.page.locator("img[src=x]").count() == 0


def test_two_tabs_lose_nothing_of_each_other(visit: Any, sign_in: Any, shop: str, word: str):
    """Both write without a connection; one closes before it could send, the other is loaded anew."""
    visitor, ben = visit(), sign_in("ben")
    visitor.open()
    visitor.write(f"Hello {word}")
    visitor.wait(f"Hello {word}", "received")
    refuse = [True]
    visitor.context.route("**/messages", lambda route: route.abort() if refuse[0] else route.continue_())
    other = Visitor(visitor.context.new_page(), visitor.context, visitor.errors)
    other.page.goto(shop)
    other.open()
    other.write(f"Of the other {word}")
    other.wait(f"Of the other {word}", "sending")
    visitor.write(f"Of the first {word}")
    visitor.wait(f"Of the first {word}", "sending")
    other.page.close()
    visitor.page.reload()
    refuse[0] = False
    visitor.launcher.click()
    for text in ("Hello", "Of the other", "Of the first"):
        visitor.wait(f"{text} {word}", "received")
    ben.open(word)
    for text in ("Of the other", "Of the first"):
        expect(ben.bubble(f"{text} {word}")).to_have_count(1)


def test_a_chat_of_ones_own_asks_first_proves_itself_and_asks_where_to_write(sign_in: Any, product: Any, visit: Any):
    """As its owner sets it up in /settings, with a browser that has to work before it may write."""
    slug = f"own-{next(numbers)}"
    ada = connect(sign_in, product, slug)
    ada.get_by_label("Question 1", exact=True).fill("Your name")
    ada.locator('select[name="kind_0"]').select_option("name")
    ada.locator('input[name="required_0"]').check()
    ada.get_by_label("Ask for an address after").fill("1")
    ada.get_by_label("Work for the browser first").select_option("16")
    ada.get_by_role("button", name="Save").click()
    expect(ada.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    visitor = visit(f"{product.url}/widget/{slug}")
    page = visitor.page
    expect(page.locator("#composer")).to_be_hidden()
    page.get_by_label("Your name").fill("Lucía")
    page.keyboard.press("Enter")
    page.locator("#body").fill("Hola")
    page.keyboard.press("Enter")
    expect(page.locator('.message[data-status="received"]')).to_have_count(1)
    page.get_by_label("Where can we write to you if you leave?").fill(f"{slug}@shop.example")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_have_text("Thank you")
    page.get_by_role("button", name="End the chat").click()
    page.get_by_role("button", name="Mail me the transcript").click()
    expect(page.locator("#live")).to_have_text("The transcript is on its way")


def test_who_signs_in_next_at_a_browser_sends_and_sees_nothing_of_who_was_there(sign_in: Any, product: Any, visit: Any):
    slug = f"signed-{next(numbers)}"
    ada = connect(sign_in, product, slug)
    ada.locator("button[value=renew]").click()
    secret = ada.locator("#new-secret").input_value()

    def at(who: str) -> str:
        claims = {"sub": who, "name": who, "exp": int(time.time()) + 600}
        return f"{product.url}/widget/{slug}#identity={jwt.encode(claims, secret, algorithm='HS256')}"

    visitor = visit(at("Ana"))
    page = visitor.page
    page.locator("#body").fill("Of Ana")
    page.keyboard.press("Enter")
    expect(page.locator('.message[data-status="received"]')).to_have_count(1)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    visitor.context.set_offline(True)
    page.locator("#body").fill("Kept by Ana")
    page.keyboard.press("Enter")
    expect(page.locator('.message[data-status="sending"]')).to_have_count(1)
    page.goto("about:blank")
    visitor.context.set_offline(False)
    page.goto(at("Ben"))
    page.locator("#body").fill("Of Ben")
    page.keyboard.press("Enter")
    expect(page.locator('.message[data-status="received"]')).to_have_text([re.compile("Of Ben")])
    page.goto("about:blank")
    sent.clear()
    page.goto(at("Ana"))
    expect(page.locator(".message").filter(has_text="Of Ana")).to_have_count(1)
    expect(page.locator(".message").filter(has_text="Of Ben")).to_have_count(0)
    assert not any("Kept by Ana" in body for body in sent)


def test_each_language_is_said_and_stands_on_its_side(visit: Any, product: Any):
    names = {"en": "Open the chat", "es": "Abrir el chat", "id": "Buka obrolan", "ar": "فتح المحادثة"}
    for language in names:
        visitor = visit(f"{product.url}/widget/demo-widget?lang={language}")
        page = visitor.page
        page.locator("#chat").wait_for()
        write, send = page.locator("#attach").bounding_box(), page.locator("#send").bounding_box()
        assert write
        assert send
        assert (write["x"] < send["x"]) is (language != "ar"), language
        page.locator("#close").click()
        expect(page.locator("#launcher")).to_have_accessible_name(names[language])
        launcher = page.locator("#launcher").bounding_box()
        assert launcher
        assert (launcher["x"] > 550) is (language != "ar"), language


def test_by_itself_on_a_phone_and_from_right_to_left(visit: Any, product: Any, word: str):
    visitor = visit(f"{product.url}/widget/demo-widget?lang=ar", color_scheme="dark")
    page = visitor.page
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("#chat")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 760})
    wait_for(lambda: page.locator("#chat").bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 760})
    page.locator("#body").fill(f"مرحبا {word}")
    page.locator("#send").click()
    expect(page.locator('.message[data-status="received"]')).to_have_count(1)
    look(page)
