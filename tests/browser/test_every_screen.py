"""Pages beside the inbox: what happened while the line was away is there when it is back, and where sockets are blocked
it comes all the same. Of the inbox itself tests/browser/test_two_agents.py says so, of the others the tests of each."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.numbers import numbers


@pytest.fixture
def name():
    return f"Noë {next(numbers)}x"


def connection(page):
    return page.locator(".rail [data-live]")


def no_sockets(page):
    page.route_web_socket(re.compile("/ws/live"), lambda socket: socket.close())


def test_contacts_are_right_after_a_break_and_without_sockets(sign_in, product, name):
    ben = sign_in("ben")
    contact = ben.ask("POST", "contacts/", {"name": name})["id"]
    table, page, blocked = (sign_in("bea", path="/contacts", wait=False) for _ in range(3))
    no_sockets(blocked.page)
    for agent, path in ((table, f"?q={name}"), (page, f"/{contact}"), (blocked, f"/{contact}")):
        agent.page.goto(f"{product.url}/contacts{path}")
    for agent in (table, page):
        agent.wait_live()
        agent.page.evaluate("window.notReloaded = true")
        agent.context.set_offline(True)
        expect(connection(agent.page)).to_have_text("Offline")
    ben.ask("PATCH", f"contacts/{contact}/", {"lead_status": "customer"})
    ben.ask("POST", f"contacts/{contact}/notes/", {"body": f"Called {name}"})
    expect(connection(blocked.page)).to_have_text("Catching up")
    expect(blocked.page.locator('[data-part="lead-badge"]')).to_contain_text("Customer")
    for agent in (table, page):
        agent.context.set_offline(False)
    expect(table.page.locator(f'[data-contact-id="{contact}"]')).to_contain_text("Customer")
    expect(page.page.locator('[data-part="lead-badge"]')).to_contain_text("Customer")
    for agent in (page, blocked):
        expect(agent.page.get_by_text(f"Called {name}")).to_be_visible()
    for agent in (table, page):
        agent.wait_live()
        assert agent.page.evaluate("window.notReloaded") is True


def test_settings_show_what_others_set_up_and_take_nothing_out_of_full_hands(sign_in, product, name):
    ben, ada = sign_in("ben"), sign_in("ada", path="/settings/labels")
    blocked = sign_in("ada", path="/settings/profile")
    no_sockets(blocked.page)
    blocked.page.goto(f"{product.url}/settings/labels")

    def label(number):
        return ben.ask("POST", "labels/", {"name": f"{number} {name}"})

    def shown(agent, number):
        return agent.page.locator("[data-label]").filter(has_text=f"{number} {name}")

    label("One")
    for agent in (ada, blocked):
        expect(shown(agent, "One")).to_be_visible()
    expect(connection(blocked.page)).to_have_text("Catching up")

    # Opened, and with the hand on it: it stays open, and so does the hand
    shown(ada, "One").locator("summary").focus()
    ada.page.keyboard.press("Enter")
    ada.context.set_offline(True)
    label("Two")
    ada.context.set_offline(False)
    expect(shown(ada, "Two")).to_be_visible()
    expect(shown(ada, "One").locator("details")).to_have_attribute("open", "")
    expect(shown(ada, "One").locator("summary")).to_be_focused()

    # What is being typed is not taken away: it is said that there is something newer
    field = ada.page.locator("form", has=ada.page.get_by_role("heading", name="New label")).get_by_label("Name")
    field.fill(f"Half {name}")
    label("Three")
    changed = ada.page.get_by_role("status").filter(has_text="changed this page")
    expect(changed).to_be_visible()
    expect(shown(ada, "Three")).to_have_count(0)
    expect(field).to_have_value(f"Half {name}")
    changed.get_by_role("button", name="Show it").click()
    expect(shown(ada, "Three")).to_be_visible()
    ada.wait_live()

    # And whoever is there hears of what is theirs
    product.deliver(f"For Ada {name}", number=f"62815{next(numbers):07d}")
    row = ben.row(f"For Ada {name}")
    me = ada.page.evaluate("JSON.parse(document.querySelector('#page-state').textContent).me.id")
    ben.ask("POST", f"conversations/{row.get_attribute('data-conversation-id')}/assign", {"assignee": me})
    bell = ada.page.locator('[data-bell="unread"]')
    expect(bell).to_be_visible()
