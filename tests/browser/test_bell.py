"""What concerns somebody shows at the bell of whatever page is open, makes a sound, and leads to its place."""

import re

from playwright.sync_api import expect

from tests.browser.late import Late
from tests.browser.numbers import numbers


def count(agent):
    return agent.page.locator('[data-bell="count"]')


def counted(agent):
    """How many, once that is known."""
    expect(count(agent)).to_have_text(re.compile(r"\d"))
    return int(count(agent).text_content())


def give(agent, word, to):
    """The conversation with this word, to somebody, as their browser would."""
    return agent.page.evaluate(
        """async ([word, to]) => {
            const headers = {"Content-Type": "application/json",
                "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content};
            const base = "/api/v1/workspaces/demo/";
            const found = await (await fetch(`${base}conversations/?search=${word}`)).json();
            const id = found.results[0].id;
            const agents = JSON.parse(document.querySelector("#inbox-state").textContent).agents;
            const user = agents.find(({ name }) => name.startsWith(to)).id;
            const body = JSON.stringify({assignee: user});
            await fetch(`${base}conversations/${id}/assign`, {method: "POST", headers, body});
            return id;
        }""",
        [word, to],
    )


def test_the_bell_counts_leads_there_and_is_quiet_afterwards(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    number = f"628128{next(numbers):06d}"
    product.deliver(f"Hi {word}", number=number, name=f"Budi {word}")
    # What a browser's desktop would show, and somebody who looks at another window
    bea.page.add_init_script(
        """window.desktop = [];
        window.Notification = class {
            static permission = "granted";
            static requestPermission = async () => "granted";
            constructor(title, { tag }) { window.desktop.push(`${title} ${tag}`); }
            close() {}
        };
        document.hasFocus = () => false;"""
    )
    bea.page.goto(f"{product.url}/contacts")
    bea.page.locator("html[data-ready]").wait_for()
    bea.page.locator('.rail [data-live][data-state="live"]').wait_for()
    before = counted(bea)
    bea.page.get_by_role("button", name="Notices").click()
    desktop = bea.page.get_by_role("menuitemcheckbox", name="Desktop notices")
    desktop.click()
    expect(desktop).to_have_attribute("aria-checked", "true")
    bea.page.keyboard.press("Escape")
    bea.page.mouse.click(600, 20)
    expect(ben.page.locator("a.conversation").filter(has_text=word).first).to_be_visible()
    give(ben, word, "Ben")  # somebody else's affair
    conversation = give(ben, word, "Bea")
    expect(count(bea)).to_have_text(str(before + 1))
    expect(bea.page.locator("html[data-sounded]")).to_have_count(1)
    bea.page.wait_for_function("() => window.desktop.length")
    (shown,) = bea.page.evaluate("window.desktop")
    assert f"Budi {word}" in shown
    assert shown.endswith(f"conversation:{conversation}")
    bea.page.get_by_role("button", name="Notices").click()
    row = bea.page.get_by_role("menuitem", name=re.compile(f"gave you the conversation with .*{word}"))
    expect(row).to_be_visible()
    row.press("Enter")
    bea.page.wait_for_url(re.compile(f"/inbox/{conversation}"))
    expect(count(bea)).to_have_text(str(before))
    # Nothing calls who is at the thread itself; by the second message the first would have been heard
    bea.wait_live()
    for which in ("One", "Two"):
        product.deliver(f"{which} {word}", number=number)
        expect(bea.bubble(f"{which} {word}")).to_be_visible()
    assert bea.page.evaluate("window.desktop") == []
    expect(bea.page.locator("html[data-sounded]")).to_have_count(0)
    bea.page.goto(f"{product.url}/contacts")
    bea.page.locator('.rail [data-live][data-state="live"]').wait_for()
    product.deliver(f"Three {word}", number=number)
    bea.page.wait_for_function("() => window.desktop.length")
    expect(bea.page.locator("html[data-sounded]")).to_have_count(1)


def test_a_notice_that_comes_while_the_others_are_being_counted_counts_too(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=f"628128{next(numbers):06d}")
    ben.row(word).wait_for()
    counted(bea)
    late = Late(bea.page, r"/notices/\?limit=20$")
    bea.page.reload()
    bea.wait_live()
    before = late.get()["unread_count"]
    give(ben, word, "Bea")
    expect(count(bea)).to_have_text("1")
    late.give()
    expect(count(bea)).to_have_text(str(before + 1))
