"""What is for several people: a team named in a note, views of a team and of everyone, work handed back by hand."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.numbers import numbers
from tests.waiting import wait_for


@pytest.fixture
def team(sign_in, word):
    """Bea alone, and Ada who made it."""
    ada = sign_in("ada")
    agents = {one["name"].split()[0]: one["id"] for one in ada.ask("GET", "agents/")["results"]}
    made = ada.ask("POST", "teams/", {"name": f"Night {word}", "members": [agents["Bea"]]})
    yield made
    ada.ask("DELETE", f"teams/{made['id']}/")


def test_a_team_that_is_named_in_a_note_hears_of_it_and_nobody_else(product, sign_in, word, team):
    ben, bea, ada = sign_in("ben"), sign_in("bea"), sign_in("ada")
    product.deliver(f"Hi {word}", number=f"62821{next(numbers):07d}")
    ben.open(word)
    hers, adas = (who.page.locator('[data-bell="count"]') for who in (bea, ada))
    her_before, adas_before = (int(count.text_content() or 0) for count in (hers, adas))  # none is nothing, or 0
    ben.page.keyboard.press("n")
    ben.page.keyboard.type("@night")
    option = ben.page.get_by_role("option", name=re.compile(f"Night {word}"))
    expect(option).to_contain_text("Team")
    option.click()
    ben.page.keyboard.type(f"who takes {word}?")
    ben.page.keyboard.press("Control+Enter")
    note = ben.page.locator('.message[data-direction="note"]').filter(has_text=f"@Night {word} who takes {word}?")
    expect(note).to_be_visible()

    expect(hers).to_have_text(str(her_before + 1))
    bea.page.get_by_role("button", name="Notices").click()
    bea.page.get_by_role("menuitem", name=re.compile("mentioned", re.IGNORECASE)).first.click()
    expect(bea.bubble(f"who takes {word}?")).to_be_visible()
    # The same in a note about the person, which leads to them
    ben.page.locator("textarea[name=note]").fill("@night")
    option.click()
    ben.page.keyboard.type(f"who knows {word}?")
    ben.page.keyboard.press("Control+Enter")
    expect(ben.page.locator(".note-card")).to_contain_text(f"@Night {word} who knows {word}?")
    expect(hers).to_have_text(str(her_before + 1))
    bea.page.get_by_role("button", name="Notices").click()
    bea.page.get_by_role("menuitem", name=re.compile(f"mentioned you.*who knows {word}", re.DOTALL)).click()
    bea.page.wait_for_url("**/contacts/*")
    expect(bea.page.locator(".note-card .mention")).to_have_text(f"@Night {word}")

    ada.open(word)
    expect(ada.bubble(f"who takes {word}?")).to_be_visible()  # by now she would have heard
    expect(ada.page.locator(".note-card")).to_contain_text(f"who knows {word}?")
    assert int(adas.text_content() or 0) == adas_before
    assert product.accepted(f"@Night {word} who takes {word}?") == []


def save_view(agent, name, audience):
    page = agent.page
    page.keyboard.press("v")
    page.get_by_role("menuitem", name=re.compile("New view")).click()
    dialog = page.get_by_role("dialog", name="New view")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Who sees it").select_option(audience)
    dialog.get_by_role("button", name="Save").dblclick()
    expect(page.get_by_role("button", name=re.compile(f"View: .*{name}"))).to_be_visible()


def offered(agent, word):
    """The names of the views of this test that somebody is offered."""
    page = agent.page
    page.locator('[data-act="views-menu"]').click()
    page.locator("#menu-views").get_by_role("menuitem", name=re.compile("New view")).wait_for()
    found = page.locator("#menu-views [role=menuitemradio]").all_inner_texts()
    page.keyboard.press("Escape")
    return sorted(name.strip().split()[0] for name in found if word in name)


def test_a_view_is_offered_to_oneself_to_a_team_or_to_everyone(product, sign_in, word, team):
    ben, bea, ada = sign_in("ben"), sign_in("bea"), sign_in("ada")
    for name, audience in (("Mine", "mine"), ("Ours", team["id"]), ("All", "everyone")):
        save_view(bea, f"{name} {word}", audience)
    vic = sign_in("vic")
    assert offered(bea, word) == ["All", "Mine", "Ours"]  # each once, though its button was pressed twice
    assert offered(ben, word) == offered(vic, word) == ["All"]

    # Who joins the team is offered its view without a reload; who may not change one cannot
    people = {one["name"].split()[0]: one["id"] for one in ada.ask("GET", "agents/")["results"]}
    ada.ask("PATCH", f"teams/{team['id']}/", {"members": [people["Bea"], people["Ben"]]})
    wait_for(lambda: offered(ben, word) == ["All", "Ours"])
    views = {one["name"].split()[0]: one["id"] for one in bea.ask("GET", "views/?scope=conversations")["results"]}
    for name, code in (("Mine", "not_found"), ("All", "forbidden")):
        assert ben.ask("DELETE", f"views/{views[name]}")["code"] == code
    for name in ("Mine", "Ours", "All"):
        assert bea.ask("DELETE", f"views/{views[name]}") is None


def test_who_hands_back_what_they_have_is_rid_of_it_at_once(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=f"62821{next(numbers):07d}")
    ben.open(word)
    ben.page.keyboard.press("a")
    ben.page.get_by_role("menuitemradio", name=re.compile(", me")).click()
    expect(bea.row(word).locator("[data-field=assignee]")).to_have_attribute("aria-label", re.compile("Ben"))
    ben.page.locator('[popovertarget="menu-account"]').click()
    ben.page.get_by_role("menuitem", name=re.compile("Hand back")).click()
    form = ben.page.locator("form", has=ben.page.get_by_role("heading", name="Are you available?"))
    try:
        form.locator("input[value=handing]").check()
        form.get_by_role("button", name="Save").click()
        expect(form.locator("input[value=handing]")).to_be_checked()
        expect(bea.row(word).locator("[data-field=assignee]")).to_be_hidden()
        bea.open(word)
        expect(bea.page.locator(".activity").last).to_contain_text("Ben Okafor handed this back, so nobody has this")
        expect(bea.page.locator("[data-field=assignee-name]")).to_have_text("Nobody")
    finally:
        ben.ask("PUT", "availability", {"availability": "online"})
