"""The list: many conversations changed at once and back, narrowed by filters, kept as a view."""

import json
import re
import urllib.request

from playwright.sync_api import expect

from tests.browser.numbers import numbers


def deliver(product, name):
    product.deliver(f"Hi from {name}", number=f"62815{next(numbers):07d}", name=name)


def test_two_are_ticked_by_keys_given_away_and_taken_back(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    for name in (f"One {word}", f"Two {word}"):
        deliver(product, name)
        ben.row(name).wait_for()
        ben.row(name).focus()
        page.keyboard.press("x")
    bar = page.get_by_role("toolbar", name="For the selected")
    expect(bar).to_contain_text("2 selected")
    bar.get_by_role("button", name="Assign").press("Enter")
    page.get_by_role("menuitem", name=re.compile("^Bea")).click()
    for name in (f"One {word}", f"Two {word}"):
        expect(ben.row(name).locator("[data-field=assignee]")).to_have_attribute("aria-label", re.compile("Bea"))
    page.get_by_role("button", name="Undo").click()
    for name in (f"One {word}", f"Two {word}"):
        expect(ben.row(name).locator("[data-field=assignee]")).to_be_hidden()
    expect(bar).to_be_hidden()


def test_a_filter_narrows_the_list_survives_a_reload_and_is_taken_away(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    for name in (f"Urgent {word}", f"Calm {word}"):
        deliver(product, name)
        ben.row(name).wait_for()
    ben.row(f"Urgent {word}").click()
    expect(page.locator(".thread-title")).to_contain_text(f"Urgent {word}")
    page.keyboard.press("p")
    page.locator("#menu-priority [data-value=urgent]").click()
    page.keyboard.press("f")
    dialog = page.get_by_role("dialog", name="Filter the list")
    dialog.get_by_label("Priority").select_option("urgent")
    dialog.get_by_role("button", name="Filter").press("Enter")
    expect(ben.row(f"Calm {word}")).to_have_count(0)
    expect(ben.row(f"Urgent {word}")).to_be_visible()
    page.reload()
    chip = page.get_by_role("button", name=re.compile("Priority: Urgent"))
    expect(chip).to_be_visible()
    expect(ben.row(f"Calm {word}")).to_have_count(0)
    chip.press("Enter")
    expect(ben.row(f"Calm {word}")).to_be_visible()


def test_a_view_with_a_group_is_built_opened_and_stays_true(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    page.clock.install()
    for name in (f"In {word}", f"Out {word}"):
        deliver(product, name)
        ben.row(name).wait_for()
    page.keyboard.press("v")
    page.get_by_role("menuitem", name=re.compile("New view")).click()
    dialog = page.get_by_role("dialog", name="New view")
    dialog.get_by_label("Name").fill(f"View {word}")
    dialog.get_by_role("button", name="Group").click()
    group = dialog.locator("[data-group='1']")
    group.get_by_label("Field").select_option("contact.name")
    group.get_by_label("Condition", exact=True).select_option("contains")
    group.get_by_label("Value").fill(f"In {word}")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name=re.compile(f"View: .*View {word}"))).to_be_visible()
    expect(ben.row(f"In {word}")).to_be_visible()
    expect(ben.row(f"Out {word}")).to_have_count(0)
    deliver(product, f"In {word} too")
    expect(ben.row(f"In {word} too")).to_be_visible()
    page.reload()
    expect(ben.row(f"In {word}").first).to_be_visible()
    expect(ben.row(f"Out {word}")).to_have_count(0)

    # Who waits longest is first, until a person has answered them: a program's answer is none
    page.locator('[popovertarget="menu-order"]').click()
    page.locator('#menu-order [data-value="waiting"]').click()
    rows = page.locator("[data-conversation-id]")
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text(f"In {word} too")
    ada = sign_in("ada", path="/settings/profile", wait=False)
    key = ada.ask("POST", "api-keys/", {"name": f"Helper {word}", "scopes": ["read_inbox", "reply"]})
    path = f"/api/v1/workspaces/demo/conversations/{rows.first.get_attribute('data-conversation-id')}/messages/"
    said = {"client_id": key["id"], "body": f"Soon {word}"}
    headers = {"Authorization": f"Bearer {key['key']}", "Content-Type": "application/json"}
    asked = urllib.request.Request(product.url + path, json.dumps(said).encode(), headers)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert answer.status == 201
    expect(rows.first).to_contain_text(f"Soon {word}")
    expect(rows).to_have_count(2)
    ada.ask("DELETE", f"api-keys/{key['id']}/")
    rows.first.click()
    expect(page.locator(".thread-title")).to_contain_text(f"In {word}")
    ben.write(f"Answer {word}")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(f"In {word} too")

    # What nobody tells, such as that time has passed, counts within a minute
    page.keyboard.press("Escape")
    product._sql(f"update crm_contact set name = 'Else {word}' where name like 'In {word}%'")
    page.clock.run_for(61_000)
    expect(rows).to_have_count(0)

    page.keyboard.press("v")
    page.get_by_role("menuitem", name=re.compile("Delete")).click()
    expect(ben.row(f"Out {word}")).to_be_visible()
