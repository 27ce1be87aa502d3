"""Contacts in the browser: found, edited, moved and noted, and seen by whoever looks at the same."""

import json
import time
import urllib.request

import pytest
from playwright.sync_api import expect

from tests.browser.numbers import numbers
from webhooks.simulator.signing import stripe


@pytest.fixture
def name():
    return f"Zoë {next(numbers)}x"


def make(agent, base, **fields):
    """By REST, with the session of whoever is signed in; the new contact's id."""
    return agent.page.evaluate(
        """async ([path, body]) => {
            const token = document.querySelector('meta[name="csrf-token"]').content;
            const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
            const answer = await fetch(path, {method: "POST", headers, body: JSON.stringify(body)});
            return (await answer.json()).id;
        }""",
        [f"{base}contacts/", fields],
    )


BASE = "/api/v1/workspaces/demo/"


def test_an_edit_shows_in_the_other_window_and_in_the_list(sign_in, name):
    ben, bea = sign_in("ben", path="/contacts"), sign_in("bea", path="/contacts")
    contact = make(ben, BASE, name=name, lead_status="new")
    ben.page.locator("input[name=q]").fill(name)
    ben.page.locator(f'[data-rows] [data-contact-id="{contact}"]').wait_for()
    expect(ben.page.locator("[data-rows] tr")).to_have_count(1)
    bea.page.goto(bea.page.url.partition("?")[0] + f"?q={name}")
    ben.page.locator("[data-rows] a").first.click()
    ben.page.wait_for_url(f"**/contacts/{contact}")
    ben.wait_live()
    bea.wait_live()
    ben.page.locator("[name=lead_status]").select_option("customer")
    expect(bea.page.locator(f'[data-contact-id="{contact}"]')).to_contain_text("Customer")
    expect(ben.page.locator('[data-part="lead-badge"]')).to_contain_text("Customer")


def test_a_refused_edit_says_why_and_can_be_put_back(sign_in, name):
    ben = sign_in("ben", path="/contacts")
    contact = make(ben, BASE, name=name, email="zoe@mail.example")
    ben.page.goto(ben.page.url.partition("/contacts")[0] + f"/contacts/{contact}")
    ben.wait_live()
    field = ben.page.locator("input[name=phone]")
    field.fill("not a number")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    ben.page.get_by_role("button", name="Put back").click()
    expect(field).to_have_value("")
    expect(field).not_to_have_attribute("aria-invalid", "true")


def test_a_note_tells_who_is_picked_by_keyboard(sign_in, name):
    ben, bea = sign_in("ben", path="/contacts"), sign_in("bea", path="/contacts")
    contact = make(ben, BASE, name=name)
    for agent in (ben, bea):
        agent.page.goto(agent.page.url.partition("/contacts")[0] + f"/contacts/{contact}")
        agent.wait_live()
    field = ben.page.locator('[data-form="note"] textarea')
    field.press_sequentially("Ask @bea")
    expect(ben.page.locator("#mentions [role=option]").first).to_be_visible()
    field.press("Enter")
    field.press_sequentially("about it")
    field.press("Control+Enter")
    note = bea.page.locator(".note-card").filter(has_text="about it")
    expect(note.locator(".mention")).to_contain_text("@Bea")


def test_the_board_is_worked_by_keyboard_alone(sign_in, name):
    ben = sign_in("ben", path="/contacts")
    contact = make(ben, BASE, name=name, lead_status="new")
    ben.page.goto(ben.page.url.partition("?")[0] + f"?layout=board&q={name}")
    ben.wait_live()
    card = ben.page.locator(f'[data-contact-id="{contact}"] [data-item]')
    card.focus()
    ben.page.keyboard.press("ArrowRight")
    ben.page.keyboard.press("ArrowRight")
    expect(ben.page.locator(f'[data-column="qualified"] [data-contact-id="{contact}"]')).to_have_count(1)
    expect(ben.page.locator("#announcer")).to_contain_text("Qualified")
    expect(card).to_be_focused()
    expect(ben.page.locator("main")).not_to_have_attribute("data-moving", "")
    ben.page.reload()
    expect(ben.page.locator(f'[data-column="qualified"] [data-contact-id="{contact}"]')).to_have_count(1)


def test_a_card_is_dragged_to_another_column(sign_in, name):
    ben = sign_in("ben", path="/contacts")
    contact = make(ben, BASE, name=name, lead_status="new")
    ben.page.goto(ben.page.url.partition("?")[0] + f"?layout=board&q={name}")
    ben.wait_live()
    ben.page.locator(f'[data-contact-id="{contact}"] [data-item]').hover()
    ben.page.mouse.down()
    ben.page.locator('[data-column="contacted"] h2').hover()
    ben.page.mouse.up()
    expect(ben.page.locator(f'[data-column="contacted"] [data-contact-id="{contact}"]')).to_have_count(1)
    assert "/contacts?" in ben.page.url


def test_a_number_that_is_taken_leads_to_who_has_it(sign_in, name):
    ben = sign_in("ben", path="/contacts")
    number = f"+4479{next(numbers):06d}00"[:13]
    other = make(ben, BASE, name=name, phone=number)
    ben.page.keyboard.press("c")
    ben.page.locator('[data-form="new"] [name=name]').fill("Somebody else")
    ben.page.locator('[data-form="new"] [name=phone]').fill(number)
    ben.page.locator('[data-form="new"] [type=submit]').click()
    link = ben.page.locator('[data-error="phone"] a')
    expect(link).to_have_attribute("href", f"/contacts/{other}")


def test_the_selected_are_deleted_and_brought_back(sign_in, name):
    ben = sign_in("ben", path="/contacts")
    for word in ("a", "b"):
        make(ben, BASE, name=f"{name} {word}")
    ben.page.goto(ben.page.url.partition("?")[0] + f"?q={name}")
    ben.wait_live()
    ben.page.locator("[data-select-all]").click()
    ben.page.locator('[data-act="bulk-delete"]').click()
    expect(ben.page.locator("[data-rows] tr")).to_have_count(0)
    ben.page.get_by_role("button", name="Undo").click()
    expect(ben.page.locator("[data-rows] tr")).to_have_count(2)


def test_filters_are_kept_as_a_view(sign_in, name):
    ben = sign_in("ben", path="/contacts?lead_status=customer")
    ben.page.locator('[popovertarget="menu-views"]').click()
    ben.page.locator('[data-act="keep-view"]').click()
    ben.page.locator('[data-form="view"] [name=name]').fill(name)
    ben.page.locator('[data-form="view"] [type=submit]').dblclick()  # and is made once
    expect(ben.page.locator("h1")).to_have_text(name)
    assert [one["name"] for one in ben.ask("GET", "views/?scope=contacts")["results"]].count(name) == 1
    assert "view=" in ben.page.url
    assert set(ben.page.locator("[data-rows] tr").evaluate_all("rows => rows.map(row => row.dataset.lead)")) == {
        "customer"
    }
    # With the columns that are chosen, now and after a reload
    heads = ben.page.locator("[data-part=columns] th")
    expect(heads).to_have_count(10)
    ben.page.locator('[popovertarget="menu-views"]').click()
    ben.page.locator('[data-act="rename-view"]').click()
    boxes = ben.page.locator('[data-form="view"] [name=columns]')
    expect(boxes).to_have_count(8)
    for box in boxes.all():
        box.set_checked(box.get_attribute("value") in {"email", "owner"})
    ben.page.locator('[data-form="view"] [type=submit]').click()
    expect(heads).to_have_text(["", "Name", "E-mail", "Owner"])
    ben.page.reload()
    expect(heads).to_have_text(["", "Name", "E-mail", "Owner"])


def test_billing_shows_on_the_open_page_as_it_changes(sign_in, product, name):
    ben = sign_in("ben", path="/contacts")
    contact = make(ben, BASE, name=name)
    ben.page.goto(ben.page.url.partition("/contacts")[0] + f"/contacts/{contact}")
    ben.wait_live()
    billing = ben.page.locator('[data-part="billing"]')
    expect(billing).to_contain_text("No subscription")
    customer = f"cus_{next(numbers)}"
    for at, (status, word) in enumerate([("active", "Active"), ("past_due", "Past due")]):
        subscribed(product, customer, contact, status, int(time.time()) - 60 + at)
        expect(billing).to_contain_text(word)
    expect(ben.page.locator(".timeline")).to_contain_text("Known to billing")


def subscribed(product, customer, contact, status, at):
    thing = {
        "id": f"sub_{customer}",
        "object": "subscription",
        "customer": customer,
        "status": status,
        "created": at,
        "metadata": {"contact_id": contact},
        "items": {"data": [{"current_period_end": at + 86_400, "quantity": 1, "price": {"id": "price_1"}}]},
    }
    event = {"id": f"evt_{customer}_{status}", "object": "event", "type": "customer.subscription.updated"}
    body = json.dumps({**event, "created": at, "data": {"object": thing}}).encode()
    headers = {"Content-Type": "application/json", **stripe("whsec_demo_stripe", body)}
    request = urllib.request.Request(f"{product.url}/webhooks/stripe", body, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200


def test_a_viewer_reads_and_changes_nothing(sign_in):
    vic = sign_in("vic", path="/contacts")
    expect(vic.page.locator('[data-act="new"]')).to_have_count(0)
    expect(vic.page.locator("[data-select]")).to_have_count(0)
    vic.page.locator("[data-rows] a").first.click()
    vic.page.wait_for_url("**/contacts/*-*")
    expect(vic.page.locator("[data-edit]")).to_have_count(0)
    expect(vic.page.locator("[data-read-only]")).to_be_visible()


@pytest.mark.parametrize("path", ["/contacts", "/contacts?layout=board"])
def test_a_phone_shows_it_without_scrolling_sideways(sign_in, path):
    ben = sign_in("ben", path="/contacts")
    ben.page.set_viewport_size({"width": 390, "height": 800})
    ben.page.goto(ben.page.url.partition("/contacts")[0] + path)
    ben.page.locator("[data-contact-id]").first.wait_for()
    assert ben.page.evaluate("document.documentElement.scrollWidth") <= 390
    link = ben.page.locator("[data-contact-id] a").first
    ben.page.goto(ben.page.url.partition("/contacts")[0] + link.get_attribute("href"))
    ben.page.locator("h1").wait_for()
    assert ben.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_inbox_leads_to_the_contact_and_back_on_another_channel(sign_in, product, number, word):
    ben = sign_in("ben")
    page = ben.page
    product.deliver(f"Hi {word}", number=number, name=f"Person {word}")
    ben.open(word)
    page.locator('[data-field="page"]').first.click()
    page.wait_for_url("**/contacts/*-*")
    expect(page.locator('[data-part="talks"] a')).to_have_count(1)

    # What is open is offered first, and is not all that is offered
    page.locator("html[data-ready]").wait_for()
    page.get_by_role("link", name="Start a conversation").click()
    dialog = page.get_by_role("dialog", name="Start a conversation")
    channel = dialog.locator("select[name=channel]")
    expect(channel.locator("option").first).to_contain_text("conversation open")
    channel.select_option("demo-twilio sms")
    dialog.get_by_role("button", name="Open").click()
    expect(page.locator(".thread-title")).to_contain_text(f"Person {word}")
    expect(page.locator(".composer-to")).to_contain_text("SMS")
    ben.write(f"By text {word}")
    ben.wait_status(f"By text {word}", "sent")
    page.locator('[data-field="page"]').first.click()
    expect(page.locator('[data-part="talks"] a')).to_have_count(2)
