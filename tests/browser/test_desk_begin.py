"""Writing first, and a draft that is on every device of its writer until it is sent."""

import re

from playwright.sync_api import Route, expect

from tests.browser.numbers import numbers
from tests.waiting import wait_for


def test_one_writes_first_by_keys_and_another_device_has_the_draft(product, sign_in, word):
    ben, phone = sign_in("ben"), sign_in("ben")
    page, press = ben.page, ben.page.keyboard.press
    product.deliver(f"Hi {word}", number=f"62819{next(numbers):07d}", name=f"Person {word}")
    ben.open(word)
    page.get_by_role("button", name="Resolve").click()
    expect(phone.row(word)).to_have_count(0)

    # The latest conversation opens again, with the composer ready
    page.locator("a[data-conversation-id]").first.focus()
    press("c")
    dialog = page.get_by_role("dialog", name="Start a conversation")
    dialog.get_by_role("combobox", name="With whom").fill(f"Person {word}")
    expect(page.locator("#begin-list [role=option]")).to_contain_text(f"Person {word}")
    press("Enter")
    expect(dialog.get_by_role("button", name="Open")).to_be_enabled()
    dialog.locator("select[name=channel]").select_option("demo-kapso")
    dialog.get_by_role("button", name="Open").focus()
    press("Enter")
    expect(page.locator(".thread-title")).to_contain_text(re.compile(f"Person {word}.*Open", re.S))
    expect(page.locator("textarea[name=body]")).to_be_focused()

    # What is begun here is gone on with there, and gone here when it is sent from there
    page.keyboard.type(f"Begun {word}")
    expect(phone.row(f"Person {word}")).to_contain_text(f"Begun {word}")
    phone.row(f"Person {word}").click()
    body = phone.page.locator("textarea[name=body]")
    expect(body).to_have_value(f"Begun {word}")
    body.press("Control+Enter")
    phone.wait_status(f"Begun {word}", "sent")
    expect(page.locator("textarea[name=body]")).to_have_value("")
    assert len(product.accepted(f"Begun {word}")) == 1


def test_what_is_written_before_the_script_comes_stays_and_is_kept(product, sign_in, word, number):
    ben = sign_in("ben")
    page, body = ben.page, ben.page.locator("textarea[name=body]")
    held: list[Route] = []
    product.deliver(f"Hi {word}", number=number)
    ben.open(f"Hi {word}")
    page.route(re.compile(r"/inbox/main[^/]*\.js"), lambda route: held.append(route))
    page.goto(page.url, wait_until="commit")
    body.fill(f"Early {word}")
    wait_for(lambda: held)
    for route in held:
        route.continue_()
    ben.wait_live()
    expect(body).to_have_value(f"Early {word}")
    wait_for(lambda: f"Early {word}" in [one["body"] for one in ben.ask("GET", "drafts/")["results"]])
    body.press("Control+Enter")
    ben.wait_status(f"Early {word}", "sent")
