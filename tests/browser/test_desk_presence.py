"""Who else has the same conversation open, who of them is writing a reply, and who has gone quiet."""

import re

from playwright.sync_api import expect

from tests.browser.numbers import numbers


def chips(agent):
    return agent.page.locator('[data-part="here"] > .here-chip')


def test_two_agents_see_each_other_draft_and_leave(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=f"628126{next(numbers):06d}")
    ben.open(word)
    expect(chips(ben)).to_have_count(0)
    bea.open(word)
    expect(chips(ben)).to_have_attribute("aria-label", re.compile("Bea.* is viewing"))
    expect(chips(bea)).to_have_attribute("aria-label", re.compile("Ben.* is"))

    bea.page.locator("textarea[name=body]").fill("I will take this")
    expect(chips(ben)).to_have_attribute("aria-label", re.compile("drafting"))
    bea.page.locator("textarea[name=body]").fill("")
    expect(chips(ben)).not_to_have_attribute("aria-label", re.compile("drafting"))

    # She goes in the middle of a word, and nobody says that it was the last one
    ben.page.clock.install()
    writing = ben.page.locator(".typing").filter(has_text="Bea")
    bea.page.locator("textarea[name=body]").press_sequentially("But")
    expect(writing).to_be_visible()
    bea.context.set_offline(True)
    bea.page.goto("about:blank")
    ben.page.clock.fast_forward(16_000)
    expect(writing).to_have_count(0)
    expect(chips(ben)).to_have_count(0)


def test_a_draft_that_was_sent_from_another_device_is_over_here_too(product, sign_in, word):
    ben, elsewhere, bea = sign_in("ben"), sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=f"628126{next(numbers):06d}")
    for agent in (ben, elsewhere, bea):
        agent.open(word)
    here, there = (agent.page.locator("textarea[name=body]") for agent in (ben, elsewhere))
    here.fill(f"I will take this {word}")
    expect(there).to_have_value(f"I will take this {word}")
    expect(chips(bea)).to_have_attribute("aria-label", re.compile("drafting"))
    there.focus()
    elsewhere.page.keyboard.press("Control+Enter")
    expect(here).to_have_value("")
    expect(chips(bea)).not_to_have_attribute("aria-label", re.compile("drafting"))
    ben.page.reload()
    ben.wait_live()
    assert here.input_value() == ""
    here_is = ben.row(word).get_attribute("data-conversation-id")
    assert here_is not in (ben.page.evaluate("sessionStorage.getItem('inbox.drafts')") or "")
