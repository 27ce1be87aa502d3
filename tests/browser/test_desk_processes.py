"""Two agents on different web processes of one product: what is said of who is here, and how each of it ends."""

import re
import signal
from typing import Any

import pytest
from playwright.sync_api import expect

from config.env import RUN_FILE, shell_file
from tests.browser.conftest import PASSWORD, Agent
from tests.browser.numbers import numbers
from tests.live.web import free_port, web

SILENCE = 15  # s after the last word until nobody is writing any more
STILL = 10  # s without a hand on the page until one is idle
MINUTE = 60  # s that a process which died keeps its people


@pytest.fixture
def other(product, tmp_path):
    """One more web process on the product's database and Redis, at an address of its own."""
    port = free_port()
    # Of the tests' own environment nothing may decide for it.
    own = {
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SUPABASE_URL": "",
        "REDIS_PREFIX": "",
        "SWITCHBOARD_TESTING": "",
    }
    environment: dict[str, Any] = shell_file(product.copy.var_dir / RUN_FILE) | own
    with web("uvicorn", tmp_path / "other.log", port=port, application="config.asgi:application", **environment) as it:
        yield it


@pytest.fixture
def bea(browser, other):
    """Signed in at the other process, her clock in our hands."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.clock.install()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"http://127.0.0.1:{other.port}/inbox")
    page.fill("input[name=email]", "bea@demo.example")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    agent = Agent(page, context, errors)
    agent.wait_live()
    yield agent
    context.close()
    assert errors == []


def chip(agent):
    return agent.page.locator('[data-part="here"] > .here-chip')


def test_writing_ends_after_fifteen_seconds_idling_shows_and_who_is_cut_off_is_gone(product, sign_in, bea, other, word):
    ben = sign_in("ben")
    ben.page.clock.install()
    ben.page.reload()
    ben.wait_live()
    product.deliver(f"Hi {word}", number=f"62822{next(numbers):07d}")
    ben.open(word)
    bea.open(word)
    expect(chip(ben)).to_have_attribute("aria-label", re.compile("Bea.* is viewing"))
    expect(chip(bea)).to_have_attribute("aria-label", re.compile("Ben.* is"))

    # A word of hers, and then none: nothing says that it was the last
    writing = ben.page.locator(".typing").filter(has_text="Bea")
    bea.page.locator("textarea[name=body]").press_sequentially("But")
    expect(writing).to_be_visible()
    expect(chip(ben)).to_have_attribute("data-state", "drafting")
    ben.page.clock.run_for((SILENCE - 1) * 1000)
    expect(writing).to_be_visible()
    ben.page.clock.run_for(1000)
    expect(writing).to_have_count(0)
    bea.page.locator("textarea[name=body]").fill("")
    expect(chip(ben)).to_have_attribute("data-state", "active")

    # Her hands rest
    bea.page.clock.run_for(STILL * 1000)
    expect(chip(ben)).to_have_attribute("data-state", "idle")
    bea.page.mouse.move(300, 300)
    expect(chip(ben)).to_have_attribute("data-state", "active")

    # Her process dies, and she does not reach another: she has been there for a minute at most
    bea.context.set_offline(True)
    other.process.send_signal(signal.SIGKILL)
    other.process.wait()
    here = f"presence.conversation.{ben.row(word).get_attribute('data-conversation-id')}"
    hers = f"from live_presence where name like 'Bea%' and topic = '{here}'"
    assert product._sql(f"select {hers} and expires_at <= clock_timestamp() + interval '{MINUTE} s'") == 1
    expect(chip(ben)).to_have_count(1)
    product._sql(f"update live_presence set expires_at = expires_at - interval '{MINUTE} s' where name like 'Bea%'")
    expect(chip(ben)).to_have_count(0)
