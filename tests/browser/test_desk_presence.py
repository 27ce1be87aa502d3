"""Who else has the same conversation open, who of them is writing a reply, and who has gone quiet."""

import itertools
import os
import re

import pytest
from playwright.sync_api import expect

_number = itertools.count(os.getpid() * 1000 % 800_000)
PATIENT = 20_000


@pytest.fixture
def word():
    return f"p{next(_number)}x"


def chips(agent):
    return agent.page.locator('[data-part="here"] > .here-chip')


def test_two_agents_see_each_other_draft_and_leave(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=f"628126{next(_number):06d}")
    ben.open(word)
    expect(chips(ben)).to_have_count(0)
    bea.open(word)
    expect(chips(ben)).to_have_attribute("aria-label", re.compile("Bea.* is viewing"), timeout=PATIENT)
    expect(chips(bea)).to_have_attribute("aria-label", re.compile("Ben.* is"), timeout=PATIENT)

    bea.page.locator("textarea[name=body]").fill("I will take this")
    expect(chips(ben)).to_have_attribute("aria-label", re.compile("drafting"), timeout=PATIENT)
    bea.page.locator("textarea[name=body]").fill("")
    expect(chips(ben)).not_to_have_attribute("aria-label", re.compile("drafting"), timeout=PATIENT)

    bea.page.goto("about:blank")
    expect(chips(ben)).to_have_count(0, timeout=PATIENT)


def test_who_rests_their_hands_is_shown_so(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=f"628127{next(_number):06d}")
    ben.open(word)
    bea.open(word)
    expect(chips(ben)).to_have_attribute("data-state", "idle", timeout=40_000)
    bea.page.mouse.move(300, 300)
    expect(chips(ben)).to_have_attribute("data-state", "active", timeout=PATIENT)
