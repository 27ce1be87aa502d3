"""The pane beside the conversation: what the team has written down about this person, live for everybody."""

import re

from playwright.sync_api import expect

from tests.browser.late import Late
from tests.browser.numbers import numbers


def test_a_note_with_a_mention_is_there_for_colleagues_at_once(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=f"628128{next(numbers):06d}")
    ben.open(word)
    bea.open(word)
    ben.page.locator("textarea[name=note]").click()
    ben.page.keyboard.type("Likes mornings, @be")
    expect(ben.page.locator('.suggestions [role="option"]').filter(has_text="Bea")).to_be_visible()
    ben.page.keyboard.press("ArrowDown")
    ben.page.keyboard.press("ArrowUp")
    name = ben.page.locator('.suggestions [aria-selected="true"]').inner_text().strip()
    ben.page.keyboard.press("Enter")
    ben.page.keyboard.press("Control+Enter")

    wanted = f"Likes mornings, @{name}"
    expect(ben.page.locator(".note-card")).to_contain_text(wanted)
    expect(bea.page.locator(".note-card")).to_contain_text(wanted)

    ben.page.locator(".note-card").get_by_role("button", name="Delete this note").click()
    expect(bea.page.locator(".note-card")).to_have_count(0)
    ben.page.get_by_role("button", name="Undo").click()
    expect(bea.page.locator(".note-card")).to_contain_text(wanted)


def test_profile_and_billing_stand_beside_the_conversation_and_stay_true(product, sign_in, word):
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=f"628130{next(numbers):06d}")
    ben.open(word)
    conversation = ben.row(word).get_attribute("data-conversation-id")
    profile = f"contacts/{ben.ask('GET', f'conversations/{conversation}/')['contact']['id']}/profile"
    ben.ask("PATCH", profile, {"journey_phase": f"First {word}", "burnout_score": 34})
    part = ben.page.locator('[data-part="account"]')
    part.locator("summary").click()
    expect(part).to_contain_text(f"First {word}")
    expect(part).to_contain_text("34 ·")
    ben.ask("PATCH", profile, {"journey_phase": f"Second {word}"})
    expect(part).to_contain_text(f"Second {word}")
    part.locator("summary").click()


def test_what_is_told_while_the_pane_is_being_filled_stays(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=f"628131{next(numbers):06d}")
    bea.row(word).wait_for()
    conversation = bea.row(word).get_attribute("data-conversation-id")
    contact = bea.ask("GET", f"conversations/{conversation}/")["contact"]["id"]
    part = ben.page.locator('[data-part="account"]')
    ben.page.evaluate("localStorage.setItem('inbox.account', 'true')")  # it was left open
    notes, profile = Late(ben.page, f"/{contact}/notes/$"), Late(ben.page, f"/{contact}/profile$")
    ben.open(word)
    assert notes.get()["results"] == []
    assert not profile.get()["journey_phase"]
    bea.ask("PATCH", f"contacts/{contact}/profile", {"journey_phase": f"First {word}"})
    bea.ask("POST", f"contacts/{contact}/notes/", {"body": f"Mornings {word}"})
    expect(ben.page.locator(".note-card")).to_contain_text(f"Mornings {word}")
    notes.give()
    profile.give()
    expect(part).to_contain_text(f"First {word}")
    expect(ben.page.locator(".note-card")).to_contain_text(f"Mornings {word}")


def test_what_nobody_answered_is_asked_for_again(product, sign_in, word):
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=f"628131{next(numbers):06d}")
    ben.row(word).wait_for()
    conversation = ben.row(word).get_attribute("data-conversation-id")
    contact = ben.ask("GET", f"conversations/{conversation}/")["contact"]["id"]
    ben.ask("POST", f"contacts/{contact}/notes/", {"body": f"Mornings {word}"})
    refused: list[object] = []

    def refuse_once(route):
        if refused:
            return route.fallback()
        refused.append(route)
        return route.fulfill(status=503, body="{}")

    ben.page.route(re.compile(f"/{contact}/notes/$"), refuse_once)
    ben.open(word)
    expect(ben.page.locator(".note-card")).to_contain_text(f"Mornings {word}")
    assert refused


def test_the_pane_leads_to_everything_about_the_person(product, sign_in, word):
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=f"628129{next(numbers):06d}")
    ben.open(word)
    link = ben.page.get_by_role("link", name="Everything about this person")
    expect(link).to_have_attribute("href", re.compile(r"^/contacts/[0-9a-f-]{36}$"))
