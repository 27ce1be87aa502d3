"""Threads that are got before they are asked for: by a hand that rests on a row, and the one below the open one."""

import re
from typing import Any

from playwright.sync_api import expect

from tests.browser.numbers import numbers


def deliver(product, agent, *words):
    """One after the other, so that the last of them is the first of the list."""
    for word in words:
        product.deliver(f"Hi {word}", number=f"62815{next(numbers):07d}")
        agent.row(word).wait_for()


def path_of(agent, word):
    return f"/conversations/{agent.row(word).get_attribute('data-conversation-id')}/messages/"


def test_a_thread_that_was_got_ahead_is_read_by_nobody(product, sign_in, word):
    ben = sign_in("ben")
    deliver(product, ben, f"{word}a", f"{word}b")
    with ben.page.expect_response(re.compile(path_of(ben, f"{word}a"))):  # the one below the first, which is opened
        ben.open(f"{word}b")
    expect(ben.row(f"{word}a").locator(".count")).to_have_text(re.compile("1"))
    row = ben.ask("GET", f"conversations/{ben.row(f'{word}a').get_attribute('data-conversation-id')}/")
    assert row["unread_count"] == 1
    with ben.page.expect_response(re.compile(r"/read$")):
        ben.open(f"{word}a")
    expect(ben.row(f"{word}a").locator(".count")).to_be_hidden()


def test_what_came_after_a_thread_was_got_is_there_when_it_opens(product, sign_in, word):
    ben = sign_in("ben")
    number = f"62815{next(numbers):07d}"
    product.deliver(f"Hi {word}", number=number)
    ben.row(word).wait_for()
    with ben.page.expect_response(re.compile(path_of(ben, word))):
        ben.row(word).hover()
    product.deliver(f"And more {word}", number=number)
    expect(ben.row(word)).to_contain_text("And more")
    ben.open(word)
    expect(ben.bubble(word)).to_have_count(2)


def test_who_goes_on_to_another_row_does_not_wait_for_the_first(product, sign_in, word):
    ben = sign_in("ben")
    deliver(product, ben, f"{word}a", f"{word}b")
    slow = path_of(ben, f"{word}a")
    held: list[Any] = []
    ben.page.route(re.compile(slow), lambda route: route.continue_() if held else held.append(route))
    with ben.page.expect_request(re.compile(slow)):
        ben.row(f"{word}a").hover()
    given_up: list[str] = []
    ben.page.on("requestfailed", lambda request: given_up.append(request.url))
    ben.open(f"{word}b")
    assert [url for url in given_up if slow in url]
    ben.open(f"{word}a")  # given up is not failed: it is asked for anew
    expect(ben.bubble(f"{word}a")).to_have_count(1)
