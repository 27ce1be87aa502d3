"""What is done less often: forward, take out, teams, who takes part, one of two, block, spam, a file of it."""

import re

from playwright.sync_api import expect

from tests.browser.numbers import numbers


def deliver(product, name, text, number=None):
    product.deliver(text, number=number or f"62817{next(numbers):07d}", name=name)


def toast(agent, words):
    return agent.page.locator("#toasts").get_by_text(words)


def more(agent, entry):
    agent.page.get_by_role("button", name="More", exact=True).last.click()
    agent.page.locator("#menu-thread").get_by_text(entry, exact=True).click()


def test_a_message_goes_on_to_somebody_else_and_a_note_is_taken_out_by_keys(product, sign_in, word):
    ben = sign_in("ben")
    page, press = ben.page, ben.page.keyboard.press
    deliver(product, f"To {word}", "hello")
    deliver(product, f"From {word}", f"the address is {word}")
    ben.open(f"the address is {word}")
    ben.bubble(f"the address is {word}").last.hover()
    page.get_by_role("button", name="Forward", exact=True).click()
    dialog = page.get_by_role("dialog", name="Forward the message")
    expect(dialog).to_contain_text(f"the address is {word}")
    dialog.get_by_role("combobox").fill(f"To {word}")
    expect(dialog.get_by_role("option")).to_contain_text(f"To {word}")
    press("Enter")
    page.locator("#toasts").get_by_role("button", name="Open it").click()
    expect(page.locator(".thread-title")).to_contain_text(f"To {word}")
    ben.wait_status(f"the address is {word}", "sent")

    press("n")
    page.keyboard.type(f"not for here {word}")
    press("Control+Enter")
    note = page.locator('.message[data-direction="note"]').filter(has_text=word)
    expect(note).to_have_attribute("data-message-id", re.compile("-"))
    press("Escape")
    press("t")
    expect(note).to_be_focused()
    press("ArrowUp")
    expect(note).not_to_be_focused()
    press("ArrowDown")
    expect(note).to_be_focused()
    press("Tab")
    expect(page.get_by_role("button", name="Take out")).to_be_focused()
    press("Enter")
    expect(note).to_have_count(0)
    page.locator("#toasts").get_by_role("button", name="Undo").last.click()
    expect(note).to_be_visible()


def test_team_participants_file_block_and_spam(product, sign_in, word):
    ben, ada = sign_in("ben"), sign_in("ada")
    page = ben.page
    deliver(product, f"Person {word}", f"please {word}")
    ben.open(word)

    # A team that is made while the page is open is offered on it at once
    team = ada.ask("POST", "teams/", {"name": f"Team {word}"})
    entry = page.locator(f'#menu-assign [data-act="team"][data-value="{team["id"]}"]')
    expect(entry).to_have_count(1)
    page.keyboard.press("a")
    entry.click()
    expect(page.locator(".activity").filter(has_text=f"Team {word}")).to_be_visible()
    expect(page.locator('[data-field="assignee-name"]')).to_contain_text(f"Team {word}")
    ada.ask("DELETE", f"teams/{team['id']}/")
    expect(entry).to_have_count(0)

    more(ben, "Who takes part")
    bea = page.locator("#menu-further").get_by_role("menuitemcheckbox", name=re.compile("Bea"))
    expect(bea).to_have_attribute("aria-checked", "false")
    with page.expect_response("**/participants/"):
        bea.click()
    expect(bea).to_have_attribute("aria-checked", "true")
    conversation = page.url.split("/inbox/")[1].partition("?")[0]
    people = ben.ask("GET", f"conversations/{conversation}/participants/")["results"]
    assert [person["name"].split()[0] for person in people] == ["Bea"]
    page.keyboard.press("Escape")

    more(ben, "Save as a file")
    with page.expect_download() as download:
        page.locator("#menu-further").get_by_role("menuitem", name="Text").first.click()
    assert f"please {word}" in download.value.path().read_text()

    more(ben, "Block the contact")
    expect(toast(ben, re.compile("is blocked"))).to_be_visible()
    expect(ada.row(f"Person {word}")).to_have_count(0)
    page.locator("#toasts").get_by_role("button", name="Undo").last.click()
    expect(ada.row(f"Person {word}")).to_be_visible()

    # Spam is in a list of its own, and comes back from it
    more(ben, "Mark as spam")
    expect(ada.row(f"Person {word}")).to_have_count(0)
    ada.page.get_by_role("button", name=re.compile("^Status")).click()
    ada.page.get_by_role("menuitemradio", name="Spam").click()
    ada.row(f"Person {word}").click()
    expect(ada.page.locator(".thread-title")).to_contain_text(f"Person {word}")
    more(ada, "Not spam")
    expect(ada.row(f"Person {word}")).to_have_count(0)
    expect(ben.row(f"Person {word}")).to_be_visible()


def test_two_become_one_and_who_looks_at_the_other_goes_along(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    for which in ("Kept", "Other"):
        deliver(product, f"{which} {word}", f"{which} words {word}")
        ben.open(f"{which} words {word}")
        ben.page.get_by_role("button", name="Resolve").click()
        expect(ben.page.locator('.thread-head > [data-act="reopen"]')).to_be_visible()
    found = ben.ask("GET", f"conversations/?search={word}")["results"]
    kept, other = (next(row for row in found if row["contact"]["name"].startswith(name)) for name in ("Kept", "Other"))
    merged = ben.ask("POST", f"contacts/{kept['contact']['id']}/merge", {"from": other["contact"]["id"]})
    assert "id" in merged, merged
    bea.page.goto(f"{product.url}/inbox/{other['id']}")
    expect(bea.bubble(f"Other words {word}")).to_be_visible()
    bea.wait_live()
    ben.page.goto(f"{product.url}/inbox/{kept['id']}")
    expect(ben.bubble(f"Kept words {word}")).to_be_visible()
    more(ben, "Merge with another")
    dialog = ben.page.get_by_role("dialog", name="Merge another conversation into this one")
    expect(dialog.get_by_role("radio")).to_have_count(1)
    dialog.get_by_role("button", name="Merge").click()
    expect(ben.bubble(f"Other words {word}")).to_be_visible()
    expect(bea.bubble(f"Kept words {word}")).to_be_visible()
    assert kept["id"] in bea.page.url


def test_a_label_that_is_renamed_or_gone_is_so_on_every_open_list(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    deliver(product, f"Person {word}", f"words {word}")
    label = ben.ask("POST", "labels/", {"name": f"a{word}"})
    ben.open(word)
    conversation = ben.page.url.split("/inbox/")[1].partition("?")[0]
    ben.ask("POST", f"conversations/{conversation}/labels", {"add": [f"a{word}"]})
    row = bea.row(f"Person {word}")
    expect(row).to_contain_text(f"a{word}")
    ben.ask("PATCH", f"labels/{label['id']}/", {"name": f"b{word}"})
    expect(row).to_contain_text(f"b{word}")
    expect(ben.page.locator(".person [data-field=labels]")).to_contain_text(f"b{word}")
    ben.ask("DELETE", f"labels/{label['id']}/")
    expect(row).not_to_contain_text(f"b{word}")
