"""What customers do to messages afterwards, before an agent's eyes: edit, take back, react; and where they are."""

import itertools
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.numbers import numbers


@pytest.fixture
def customer(product):
    """Sends one message object after another, as one person."""
    who = f"628130{next(numbers):06d}"
    second = itertools.count(int(time.time()))

    def send(kind: str, content: Any, ago: int = 0) -> str:
        return product.says(kind, content, number=who, at=next(second) - ago)

    return send


def test_edits_reactions_places_and_deletions_show_at_once_and_after_a_reload(customer, sign_in):
    word = f"w{next(numbers)}x"
    ben = sign_in("ben")
    first = customer("text", {"body": f"Nine {word}"})
    second = customer("text", {"body": f"Gone {word}"})
    ben.open(f"Gone {word}")
    customer("edit", {"original_message_id": first, "message": {"type": "text", "text": {"body": f"Ten {word}"}}})
    edited = ben.bubble(f"Ten {word}")
    expect(edited).to_contain_text("edited")
    expect(ben.bubble(f"Nine {word}")).to_have_count(0)

    customer("reaction", {"message_id": first, "emoji": "👍"})
    expect(edited.locator(".reactions li")).to_have_text(["👍 Budi"])
    customer("reaction", {"message_id": first, "emoji": "❤️"})
    expect(edited.locator(".reactions li")).to_have_text(["❤️ Budi"])

    customer("revoke", {"original_message_id": second})
    expect(ben.bubble(f"Gone {word}")).to_have_count(0)

    customer("location", {"latitude": -6.2, "longitude": 106.8, "name": f"Office {word}"})
    place = ben.bubble(f"Office {word}").locator("a")
    expect(place).to_have_attribute("href", "https://www.openstreetmap.org/?mlat=-6.2&mlon=106.8#map=16/-6.2/106.8")

    # What was long on its way stands where it came in, and says when it was written
    customer("text", {"body": f"Held up {word}"}, ago=600)
    expect(ben.bubble(f"Held up {word}")).to_contain_text("· written")
    expect(edited).not_to_contain_text("written")

    ben.page.reload()
    expect(ben.bubble(f"Held up {word}")).to_contain_text("· written")
    expect(edited.locator(".reactions li")).to_have_text(["❤️ Budi"])
    expect(edited).to_contain_text("edited")
    expect(place).to_have_count(1)
    expect(ben.bubble(f"Gone {word}")).to_have_count(0)

    customer("reaction", {"message_id": first, "emoji": ""})
    expect(edited.locator(".reactions")).to_have_count(0)
