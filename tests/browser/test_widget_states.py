"""The chat in the states that a customer may find it in: asked first, refused, cut off, looking back, somebody else."""

import os
import re
import time
from pathlib import Path
from typing import Any

import jwt
from playwright.sync_api import Page, Route, expect

from tests.browser.numbers import numbers
from tests.browser.test_access import look
from tests.browser.visiting import connect
from tests.inbox.media_peer import PDF, png
from tests.waiting import wait_for

MIB = 1024 * 1024


def file(name: str, content: bytes, kind: str = "text/plain") -> Any:
    return {"name": name, "mimeType": kind, "buffer": content}


def signed(who: str, secret: str, *, seconds: int = 600) -> str:
    return jwt.encode({"sub": who, "name": who, "exp": int(time.time()) + seconds}, secret, algorithm="HS256")


def write(page: Page, text: str) -> None:
    page.locator("#body").fill(text)
    page.keyboard.press("Enter")


def test_what_must_be_answered_first_has_the_cursor(sign_in: Any, product: Any, visit: Any, shop: str):
    slug = f"asks-{next(numbers)}"
    ada = connect(sign_in, product, slug)
    ada.get_by_label("Question 1", exact=True).fill("Your name")
    ada.locator('select[name="kind_0"]').select_option("name")
    ada.locator('input[name="required_0"]').check()
    ada.get_by_role("button", name="Save").click()
    expect(ada.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    visitor = visit(f"{shop}{slug}")
    visitor.page.keyboard.press("Tab")
    expect(visitor.launcher).to_be_focused()
    visitor.page.keyboard.press("Enter")
    expect(visitor.frame.get_by_label("Your name")).to_be_focused()
    look(visitor.page, visitor.page.frames[-1])
    visitor.page.keyboard.type("Lucía")
    visitor.page.keyboard.press("Enter")
    expect(visitor.frame.locator("#body")).to_be_focused()


def test_files_are_shown_and_what_cannot_be_sent_is_said_at_once(visit: Any, sign_in: Any, word: str, tmp_path: Path):
    visitor, ben = visit(), sign_in("ben")
    visitor.open()
    visitor.write(f"Hello {word}")
    visitor.wait(f"Hello {word}", "received")
    ben.open(word)
    frame = visitor.frame
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/messages") else None)
    frame.locator("#files").set_input_files([file(f"{n}.txt", b"words") for n in range(6)])
    expect(frame.locator("#live")).to_have_text("At most 5 files at once")
    film = tmp_path / "film.mp4"
    film.touch()
    os.truncate(film, 26 * MIB)
    frame.locator("#files").set_input_files(film)
    expect(frame.locator("#live")).to_have_text("This file is too large")
    assert asked == []
    frame.locator("#files").set_input_files([file(f"{word}.png", png(60, 40), "image/png"), file("list.pdf", PDF)])
    picture = frame.locator(".bubble a img")
    expect(picture).to_have_attribute("alt", f"{word}.png")
    expect(frame.locator(".bubble a:has(img)")).to_have_attribute("href", re.compile("^blob:"))
    expect(frame.locator(".file a")).to_have_text("list.pdf")
    expect(frame.locator("#live")).to_have_text("")
    ben.page.set_input_files("input[name=files]", [file("plan.png", png(50, 50), "image/png")])
    expect(ben.page.locator('.composer-files > [data-state="ready"]')).to_have_count(1)
    ben.write(f"The plan {word}")
    visitor.wait(f"The plan {word}")
    expect(frame.get_by_role("img", name="plan.png")).to_be_visible()
    look(visitor.page, visitor.page.frames[-1])


def test_only_after_three_failures_does_it_say_so_and_then_goes_on(visit: Any, word: str):
    visitor = visit(hurry=True)
    visitor.open()
    visitor.write(f"First {word}")
    visitor.wait(f"First {word}", "received")
    tried: list[int] = []

    def refuse(route: Route) -> None:
        tried.append(1)
        route.fulfill(status=503, body="{}")

    visitor.context.route("**/messages", refuse)
    visitor.write(f"Second {word}")
    expect(visitor.frame.locator("#live")).to_contain_text("This is not getting through")
    assert len(tried) >= 3
    visitor.context.unroute("**/messages")
    visitor.wait(f"Second {word}", "received")
    expect(visitor.frame.locator("#live")).to_have_text("")


def test_who_reads_above_stays_there_and_is_told_of_what_is_new(visit: Any, sign_in: Any, word: str):
    visitor, ben = visit(), sign_in("ben")
    visitor.open()
    for number in range(12):
        visitor.write(f"Line {number} {word}\n\n\n.")
        visitor.wait(f"Line {number} {word}", "received")
    scroll = visitor.frame.locator("#scroll")
    # Until it stays there: what is still being drawn goes back to the foot
    wait_for(lambda: scroll.evaluate("one => { const was = one.scrollTop; one.scrollTop = 0; return was === 0; }"))
    ben.open(word)
    ben.write(f"Answer {word}")
    newest = visitor.frame.get_by_role("button", name="New messages")
    expect(newest).to_be_visible()
    assert scroll.evaluate("one => one.scrollTop") < 40
    newest.click()
    expect(newest).to_be_hidden()
    expect(visitor.bubble(f"Answer {word}")).to_be_in_viewport()


def test_the_transcript_asks_where_to_when_nobody_knows(visit: Any, word: str):
    visitor = visit()
    visitor.open()
    visitor.write(f"Hello {word}")
    visitor.wait(f"Hello {word}", "received")
    frame = visitor.frame
    frame.get_by_role("button", name="End the chat").click()
    frame.get_by_role("button", name="Mail me the transcript").click()
    expect(frame.get_by_label("Your e-mail address")).to_be_focused()
    visitor.page.keyboard.type(f"{word}@shop.example")
    visitor.page.keyboard.press("Enter")
    expect(frame.locator("#live")).to_have_text("The transcript is on its way")
    expect(frame.locator("#email")).to_be_hidden()
    visitor.write(f"Again {word}")
    visitor.wait(f"Again {word}", "received")
    expect(frame.locator("#ended")).to_be_hidden()


def test_the_team_sees_how_it_was(visit: Any, sign_in: Any, word: str):
    visitor, ben = visit(), sign_in("ben")
    visitor.open()
    visitor.write(f"Hello {word}")
    visitor.wait(f"Hello {word}", "received")
    ben.open(word)
    visitor.frame.get_by_role("button", name="End the chat").click()
    visitor.frame.locator(".stars label").nth(3).click()
    visitor.frame.get_by_label("Anything to add?").fill("Quick")
    visitor.frame.locator("#rating button").click()
    expect(ben.page.locator(".activity").filter(has_text="Rated 4 of 5: Quick")).to_be_visible()


def test_a_page_says_who_signs_in_and_out_without_being_loaded_anew(sign_in: Any, product: Any, visit: Any, shop: str):
    slug = f"says-{next(numbers)}"
    ada = connect(sign_in, product, slug)
    ada.locator("button[value=renew]").click()
    secret = ada.locator("#new-secret").input_value()
    visitor = visit(f"{shop}{slug}")
    visitor.open()
    visitor.write("As nobody")
    visitor.wait("As nobody", "received")

    def identify(word: str) -> None:
        visitor.page.evaluate("([slug, word]) => window.switchboard[slug].identify(word)", [slug, word])

    identify(signed("Ana", secret))
    visitor.write("As Ana")
    visitor.wait("As Ana", "received")
    visitor.wait("As nobody")
    visitor.frame.locator("#body").fill("A draft of Ana's")
    with visitor.page.expect_response(lambda answer: answer.request.method == "DELETE") as taken:
        identify("")
    assert taken.value.status == 204
    expect(visitor.frame.locator(".message[data-own]")).to_have_count(0)
    expect(visitor.frame.locator("#body")).to_have_value("")
    visitor.write("Of somebody else")
    visitor.wait("Of somebody else", "received")
    expect(visitor.frame.locator(".message[data-own]")).to_have_count(1)
    identify(signed("Ana", secret))
    visitor.wait("As Ana")


def test_a_word_that_is_over_lets_one_chat_all_the_same(sign_in: Any, product: Any, visit: Any):
    slug = f"over-{next(numbers)}"
    ada = connect(sign_in, product, slug)
    ada.locator("button[value=renew]").click()
    secret = ada.locator("#new-secret").input_value()
    visitor = visit(f"{product.url}/widget/{slug}#identity={signed('Ana', secret, seconds=-600)}")
    write(visitor.page, "Hello")
    expect(visitor.page.locator('.message[data-status="received"]')).to_have_count(1)
