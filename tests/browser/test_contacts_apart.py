"""What cannot be taken lightly, from the contact's page: two made one and apart again, handed out, deleted, erased."""

import io
import json
import zipfile

import pytest
from playwright.sync_api import expect

from tests.browser.numbers import numbers
from tests.browser.test_contacts_pages import BASE, make


@pytest.fixture
def name():
    return f"Orla {next(numbers)}x"


def open_contact(agent, contact):
    agent.page.goto(agent.page.url.partition("/contacts")[0] + f"/contacts/{contact}")
    agent.wait_live()


def choose(agent, word):
    agent.page.get_by_role("button", name="More", exact=True).click()
    agent.page.get_by_role("menuitem", name=word).click()


def test_two_become_one_and_two_again(sign_in, name):
    ben = sign_in("ben", path="/contacts")
    mail = f"{name.replace(' ', '.').lower()}@mail.example"
    kept, other = (make(ben, BASE, name=one, email=mail) for one in (name, f"{name} twice"))
    open_contact(ben, kept)
    expect(ben.page.locator("[data-duplicates-text]")).to_contain_text(f"{name} twice")
    ben.page.get_by_role("button", name="Look and merge").click()
    dialog = ben.page.get_by_role("dialog")
    expect(dialog.get_by_role("radio")).to_have_count(1)
    dialog.get_by_role("radio").check()
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(ben.page.locator("[data-duplicates]")).to_be_hidden()
    bea = sign_in("bea", path=f"/contacts/{other}")
    bea.page.wait_for_url(f"**/contacts/{kept}")  # the one that it is part of
    ben.page.get_by_role("button", name="Undo the merge").click()
    expect(ben.page.get_by_text("The merge is undone")).to_be_visible()
    open_contact(bea, other)
    expect(bea.page.locator("h1")).to_have_text(f"{name} twice")


def test_a_person_is_found_by_name_to_merge_and_said_to_be_another(sign_in, name):
    ben = sign_in("ben", path="/contacts")
    mail = f"{name.replace(' ', '.').lower()}@mail.example"
    kept = make(ben, BASE, name=name, email=mail)
    make(ben, BASE, name="Somebody else", email=mail)
    open_contact(ben, kept)
    ben.page.keyboard.press("m")
    dialog = ben.page.get_by_role("dialog")
    dialog.get_by_role("radio").check()
    dialog.get_by_role("button", name="These are two people").click()
    expect(dialog.get_by_role("radio")).to_have_count(0)
    dialog.get_by_label("Find the other contact").fill("Somebody else")
    expect(dialog.get_by_role("radio").first).to_be_visible()
    ben.page.reload()
    ben.wait_live()
    expect(ben.page.locator("[data-duplicates]")).to_be_hidden()


def test_all_that_is_known_is_handed_out_and_then_erased(sign_in, name):
    ada = sign_in("ada", path="/contacts")
    contact = make(ada, BASE, name=name)
    open_contact(ada, contact)
    choose(ada, "Export personal data")
    with ada.page.expect_download() as download:
        ada.page.get_by_role("link", name="Download").click(timeout=30_000)
    archive = zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes()))
    assert name in json.dumps(json.loads(archive.read("contact.json")), ensure_ascii=False)
    ada.page.get_by_role("button", name="Close").click()
    choose(ada, "Erase for good")
    field = ada.page.get_by_label("Type the word erase")
    field.fill("no")
    ada.page.get_by_role("button", name="Erase for good", exact=True).click()
    expect(ada.page.get_by_role("dialog")).to_be_visible()  # another word does nothing
    field.fill("erase")
    ada.page.get_by_role("button", name="Erase for good", exact=True).click()
    ada.page.wait_for_url("**/contacts")
    answer = ada.page.goto(ada.page.url.partition("/contacts")[0] + f"/contacts/{contact}")
    assert answer is not None
    assert answer.status == 404
