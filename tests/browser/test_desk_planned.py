"""Replies that go out later, and what stays unread until it is answered."""

import re

from playwright.sync_api import expect

from tests.browser.numbers import numbers


def planned(agent):
    return agent.page.locator(".planned")


def box(agent):
    return agent.page.locator("textarea[name=body]")


def in_an_hour(agent, text):
    box(agent).fill(text)
    agent.page.get_by_role("button", name="Send later").click()
    agent.page.get_by_role("menuitem", name=re.compile("In an hour")).click()
    expect(planned(agent)).to_contain_text(text)
    expect(box(agent)).to_have_value("")


def mark(agent, conversation, state):
    """What its row of the list says."""
    return agent.page.locator(f'[data-conversation-id="{conversation}"] [data-field="{state}"]')


def test_a_reply_goes_out_at_its_time_unless_it_is_taken_back_or_the_customer_wrote(product, sign_in, word, number):
    ben, bea = sign_in("ben"), sign_in("bea")
    other = f"62816{next(numbers):07d}"
    product.deliver(f"Hi {word}", number=number)
    product.deliver(f"Ho {word}", number=other)
    ben.open(f"Hi {word}")
    bea.open(f"Hi {word}")
    here, there = (ben.row(f"{hi} {word}").get_attribute("data-conversation-id") for hi in ("Hi", "Ho"))
    in_an_hour(ben, f"Later {word}")
    for agent in (ben, bea):
        expect(mark(agent, here, "waiting")).to_be_visible()
        expect(mark(agent, there, "waiting")).to_be_hidden()
    # Beside how long they wait there is room for what is urgent
    ben.ask("POST", f"conversations/{here}/priority", {"priority": "urgent"})
    expect(mark(bea, here, "priority")).to_be_visible()
    meta = bea.page.locator(f'[data-conversation-id="{here}"] .conversation-meta')
    assert meta.evaluate("row => row.scrollWidth <= row.clientWidth")
    expect(planned(bea)).to_contain_text(re.compile(rf"Goes out.*Ben.*Later {word}"))
    planned(ben).get_by_role("button", name="Take back").click()
    expect(box(ben)).to_have_value(f"Later {word}")
    for agent in (ben, bea):
        expect(planned(agent)).to_have_count(0)
        expect(mark(agent, here, "waiting")).to_be_hidden()

    in_an_hour(ben, f"Later {word}")
    bea.page.reload()
    expect(planned(bea)).to_contain_text(f"Later {word}")
    expect(mark(bea, here, "waiting")).to_be_visible()
    ben.open(f"Ho {word}")
    expect(planned(ben)).to_have_count(0)
    in_an_hour(ben, f"Anon {word}")
    product.deliver(f"But {word}", number=other)
    ben.bubble(f"But {word}").wait_for()
    due = "update inbox_plannedmessage set send_at = now() - interval '1 s'"
    assert product._sql(f"{due} where state = 'waiting' and body like '%{word}'") == 2
    bea.wait_status(f"Later {word}", "read")
    expect(planned(bea)).to_have_count(0)
    expect(mark(bea, here, "waiting")).to_be_hidden()
    assert len(product.accepted(f"Later {word}")) == 1

    expect(planned(ben)).to_contain_text(re.compile("Not sent:.*the customer wrote meanwhile."))
    expect(mark(bea, there, "held")).to_be_visible()
    assert product.accepted(f"Anon {word}") == []
    planned(ben).get_by_role("button", name="Send now").click()
    ben.wait_status(f"Anon {word}", "read")
    expect(planned(ben)).to_have_count(0)
    expect(mark(bea, there, "held")).to_be_hidden()
    assert len(product.accepted(f"Anon {word}")) == 1


def test_what_is_opened_stays_unread_until_it_is_answered_for_who_wants_that(product, sign_in, word, number):
    ben = sign_in("ben")
    ben.page.evaluate("localStorage.removeItem('read-when-answered')")
    product.deliver(f"Hi {word}", number=number)
    ben.row(word).wait_for()
    product.deliver(f"Aside {word}", number=f"62817{next(numbers):07d}")
    ben.open(f"Aside {word}")
    ben.page.get_by_role("button", name="Writing settings").click()
    ben.page.get_by_role("menuitemcheckbox", name=re.compile("stays unread until")).click()
    expect(ben.page.locator('[data-act="read-when-answered"]')).to_have_attribute("aria-checked", "true")

    ben.open(f"Hi {word}")
    mine = ben.page.url.split("/inbox/")[1].partition("?")[0]
    ben.row(f"Aside {word}").click()
    badge = ben.page.locator(f'[data-conversation-id="{mine}"] [data-field="count"]')
    expect(badge).to_be_visible()
    assert ben.ask("GET", f"conversations/{mine}/")["unread_count"] == 1
    ben.row(f"Hi {word}").click()
    ben.bubble(f"Hi {word}").wait_for()
    ben.write(f"Answer {word}")
    ben.wait_status(f"Answer {word}", "read")
    ben.row(f"Aside {word}").click()
    expect(badge).to_be_hidden()
    assert ben.ask("GET", f"conversations/{mine}/")["unread_count"] == 0
