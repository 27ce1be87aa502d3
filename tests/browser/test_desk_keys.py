"""A day's work without the mouse: find, open, answer with a saved text, note, label, assign, snooze, resolve, next."""

import re

from playwright.sync_api import expect

from tests.browser.numbers import numbers


def forbid_the_mouse(page):
    page.evaluate(
        """() => { for (const kind of ['mousedown', 'pointerdown'])
            addEventListener(kind, event => { if (event.isTrusted) throw new Error('the mouse was used'); }, true); }"""
    )


def test_a_day_at_the_desk_by_keys_alone(product, sign_in, word):
    ben = sign_in("ben")
    page, press, type_ = ben.page, ben.page.keyboard.press, ben.page.keyboard.type
    forbid_the_mouse(page)
    for name in (f"Next {word}", f"First {word}"):
        product.deliver(f"Hi from {name}", number=f"62816{next(numbers):07d}", name=name)
        ben.row(name).wait_for()

    # The list: down to the row, in with Enter
    page.locator("a[data-conversation-id]").first.focus()
    while word not in page.evaluate("document.activeElement.textContent"):
        press("j")
    expect(page.locator(":focus")).to_contain_text(f"First {word}")
    press("Enter")
    expect(page.locator(".thread-title")).to_contain_text(f"First {word}")

    # An answer, and a note that names a colleague
    press("r")
    expect(page.locator("textarea[name=body]")).to_be_focused()
    type_(f"Answer {word}")
    press("Control+Enter")
    ben.wait_status(f"Answer {word}", "sent")
    press("Escape")
    press("n")
    expect(page.locator("textarea[name=body]")).to_be_focused()
    type_("@be")
    page.get_by_role("option", name=re.compile("Bea")).wait_for()
    press("Enter")
    type_(f"please look {word}")
    press("Control+Enter")
    expect(page.locator('.message[data-direction="note"]').filter(has_text=f"please look {word}")).to_be_visible()

    # Priority, label, assignment
    press("Escape")
    press("p")
    page.locator("#menu-priority .menu-item:focus").wait_for()
    press("Home")
    press("Enter")
    expect(ben.row(f"First {word}")).to_contain_text("Urgent")
    press("l")
    page.locator("#menu-labels .menu-item:focus").wait_for()
    label = page.locator("#menu-labels [data-act=label]").first.get_attribute("data-value")
    press("Enter")
    press("Escape")
    expect(ben.row(f"First {word}")).to_contain_text(label)
    press("a")
    page.locator("#menu-assign .menu-item:focus").wait_for()
    press("Home")
    press("Enter")
    expect(page.locator("[data-field=assignee-name]")).to_contain_text("Ben")

    # The palette, resolving with the next one opening, and back with Undo
    press("Control+k")
    type_(f"next {word}")
    expect(page.locator("#dialog-palette [role=option]").first).to_contain_text(f"Next {word}")
    press("Enter")
    expect(page.locator(".thread-title")).to_contain_text(f"Next {word}")
    below = page.locator('li:has([aria-current="true"]) + li a[data-conversation-id]')
    following = below.get_attribute("data-conversation-id")
    press("e")
    expect(ben.row(f"Next {word}")).to_have_count(0)
    expect(page.locator('a[data-conversation-id][aria-current="true"]')).to_have_attribute(
        "data-conversation-id", following
    )
    expect(page.locator('.thread[data-state="open"] .message').first).to_be_visible()
    expect(page.locator(".thread-title")).not_to_contain_text(f"Next {word}")

    # Several at once, by the filter and the selection
    press("f")
    page.locator("#dialog-filter[open]").wait_for()
    page.locator("#dialog-filter select[name=priority]").focus()
    type_("Urgent")
    page.locator("#dialog-filter [type=submit]").focus()
    press("Enter")
    expect(page.get_by_role("button", name=re.compile("Priority: Urgent"))).to_be_visible()
    row = ben.row(f"First {word}")
    row.focus()
    press("x")
    bar = page.get_by_role("toolbar", name="For the selected")
    expect(bar).to_contain_text("1 selected")
    bar.get_by_role("button", name="Resolve").focus()
    press("Enter")
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Undo").last.focus()
    press("Enter")
    expect(row).to_be_visible()
