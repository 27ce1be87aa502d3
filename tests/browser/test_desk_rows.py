"""What an agent relies on all day: the place one reads at, what is unread, drafts, snoozing, mentions, handing on."""

import os
import re
import subprocess
import sys

from playwright.sync_api import expect

from config.env import RUN_FILE, shell_file
from tests.browser.numbers import numbers
from tests.browser.reading import read_above
from tests.browser.test_bell import counted
from tests.run.copies import ROOT
from tests.waiting import wait_for

LOOK = "import django; django.setup(); from inbox.services.leaving import look_for_gone; look_for_gone()"


def deliver(product, *words):
    for word in words:
        product.deliver(f"Hi {word}", number=f"62818{next(numbers):07d}")


def test_who_reads_above_stays_there_and_is_told_how_many_came(product, sign_in, word, number):
    ben = sign_in("ben")
    page = ben.page
    for count in range(6):
        product.deliver(f"Part {count} {word}" + "\nand more" * 12, number=number)
    ben.open(f"Part 5 {word}")
    read_above(page)
    read = ben.bubble(f"Part 4 {word}")
    before = read.bounding_box()["y"]
    for count in range(2):
        product.deliver(f"Came {count} {word}", number=number)
    jump = page.locator('[data-part="jump"]')
    expect(jump).to_contain_text("2 new")
    assert abs(read.bounding_box()["y"] - before) <= 1
    jump.locator("button").click()
    expect(jump).to_be_hidden()
    expect(ben.bubble(f"Came 1 {word}")).to_be_in_viewport()
    expect(page.locator(".new-line")).to_contain_text("8 new")  # from where reading stopped before it was opened


def test_the_unread_filter_shows_what_this_agent_has_not_read(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    deliver(product, f"{word}a", f"{word}b")
    ben.open(f"{word}a")
    expect(ben.row(f"{word}a").locator(".count")).to_be_hidden()
    for agent, seen in ((ben, 0), (bea, 1)):  # what Ben has read Bea has not
        agent.page.locator('.chip[data-filter="unread"]').click()
        expect(agent.row(f"{word}b")).to_be_visible()
        if agent is ben:
            agent.page.keyboard.press("Escape")
            agent.open(f"{word}b")  # stays while it is being read
            expect(agent.row(f"{word}b")).to_be_visible()
        expect(agent.page.locator("a[data-conversation-id]").filter(has_text=f"{word}a")).to_have_count(seen)


def test_a_draft_outlives_a_reload_and_another_thread_and_is_gone_once_sent(product, sign_in, word):
    ben = sign_in("ben")
    body = ben.page.locator("textarea[name=body]")
    deliver(product, f"{word}a", f"{word}b")
    ben.open(f"{word}a")
    with ben.page.expect_response(re.compile(r"/draft$")):
        body.fill(f"Half of {word}a")
    ben.open(f"{word}b")
    expect(body).to_have_value("")
    expect(ben.row(f"{word}a")).to_contain_text(f"Half of {word}a")
    ben.page.evaluate("sessionStorage.clear()")  # what the server has is enough
    ben.page.goto(f"{product.url}/inbox")
    ben.open(f"{word}a")
    expect(body).to_have_value(f"Half of {word}a")
    body.press("Control+Enter")
    ben.wait_status(f"Half of {word}a", "sent")
    ben.page.reload()
    expect(ben.bubble(f"Half of {word}a")).to_be_visible()
    expect(body).to_have_value("")


def test_what_is_snoozed_comes_back_by_itself(product, sign_in, word):
    ben = sign_in("ben")
    deliver(product, word)
    ben.row(word).wait_for()
    snoozed = ben.row(word).get_attribute("data-conversation-id")
    ben.ask("POST", f"conversations/{snoozed}/snooze", {"preset": "tomorrow"})
    row = ben.page.locator(f'[data-conversation-id="{snoozed}"]')
    expect(row).to_have_count(0)
    product._sql(f"update inbox_conversation set snoozed_until = now() where id = '{snoozed}'")
    expect(row).to_be_visible()


def test_who_is_named_in_a_note_hears_of_it_and_who_looks_on_is_not_disturbed(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    deliver(product, word)
    ben.open(word)
    bea.open(word)
    count = bea.page.locator('[data-bell="count"]')
    before = counted(bea)
    bea.page.evaluate("document.documentElement.removeAttribute('data-sounded')")

    def note(words):
        ben.page.keyboard.press("Escape")
        ben.page.keyboard.press("n")
        ben.page.keyboard.type("@be")
        ben.page.get_by_role("option", name=re.compile("Bea")).wait_for()
        ben.page.keyboard.press("Enter")
        ben.page.keyboard.type(words)
        ben.page.keyboard.press("Control+Enter")

    note(f"look {word}")
    expect(bea.bubble(f"look {word}")).to_be_visible()
    product.wait_until_idle()
    assert product.accepted(f"look {word}") == []
    expect(bea.page.locator("html[data-sounded]")).to_have_count(0)
    bea.page.goto(f"{product.url}/contacts")  # not at it any more
    bea.page.locator('.rail [data-live][data-state="live"]').wait_for()
    quiet = counted(bea)
    assert quiet in (before, before + 1)
    note(f"again {word}")
    expect(count).to_have_text(str(quiet + 1))
    expect(bea.page.locator("html[data-sounded]")).to_have_count(1)


def test_what_was_shared_out_goes_on_when_its_agent_leaves_or_hands_it_back(product, sign_in, word):
    ada, ben, bea = sign_in("ada"), sign_in("ben"), sign_in("bea")
    agents = ada.page.evaluate("JSON.parse(document.querySelector('#inbox-state').textContent).agents")
    names = {one["id"]: one["name"] for one in agents}
    here = {
        who: agent for who in names for first, agent in (("Ben", ben), ("Bea", bea)) if names[who].startswith(first)
    }
    team = ada.ask("POST", "teams/", {"name": f"Line {word}", "assigns_itself": True, "members": list(here)})["id"]
    deliver(product, word)
    ada.open(word)
    conversation = ada.row(word).get_attribute("data-conversation-id")
    path = f"conversations/{conversation}/"
    holder = lambda: (ada.ask("GET", path)["assignee"] or {}).get("id")  # noqa: E731
    ada.ask("POST", f"{path}team", {"team": team})
    wait_for(lambda: holder() in here)
    first = holder()
    other = next(one for one in here if one != first)
    try:
        # Closed for good: two looks, a while apart, have missed them
        here[first].context.close()
        ask = lambda: [one["id"] for one in ada.ask("GET", "presence/")["results"]]  # noqa: E731
        wait_for(lambda: first not in ask())
        environment = os.environ | shell_file(product.copy.var_dir / RUN_FILE)
        subprocess.run([sys.executable, "-c", LOOK], env=environment, cwd=ROOT, check=True)
        product._sql("update job set next_attempt = now() where key like 'gone:%' and status = 'pending'")
        wait_for(lambda: holder() == other)
        expect(ada.page.locator("[data-field=assignee-name]")).to_contain_text(names[other])
        # Who had it and why it is somebody else's, for whoever comes to it
        expect(ada.page.locator(".activity").filter(has_text=f"{names[first]} has left")).to_have_count(1)
        expect(ada.page.locator(".activity").last).to_contain_text(f"Assigned to {names[other]}")
    finally:
        ada.ask("DELETE", f"teams/{team}/")


def test_it_sleeps_until_any_time_that_an_agent_names(product, sign_in, word):
    ben = sign_in("ben", timezone_id="Asia/Jakarta")
    page = ben.page
    deliver(product, word)
    ben.open(word)
    page.keyboard.press("s")
    page.get_by_role("menuitem", name="Another time").click()
    dialog = page.get_by_role("dialog", name="Snooze until")
    wanted = page.evaluate("new Date(Date.now() + 40 * 86400e3).toISOString().slice(0, 10)") + "T09:30"
    dialog.get_by_label("Day and time").fill(wanted)
    dialog.get_by_role("button", name="Snooze").click()
    expect(page.locator(".thread-title")).to_contain_text(re.compile(r"Snoozed until .*9:30"))
    expect(page.locator(".activity").last).to_contain_text(re.compile(r"Snoozed until .*9:30"))  # by their own clock
    expect(ben.page.locator("a[data-conversation-id]").filter(has_text=word)).to_have_count(0)
