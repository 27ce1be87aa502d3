"""What concerns somebody shows at the bell of whatever page is open, makes a sound, and leads to its place."""

import re

from playwright.sync_api import expect

from tests.browser.numbers import numbers


def count(agent):
    return agent.page.locator('[data-bell="count"]')


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
    product.deliver(f"Hi {word}", number=f"628128{next(numbers):06d}", name=f"Budi {word}")
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
    before = int(count(bea).text_content() or 0)
    bea.page.get_by_role("button", name="Notices").click()
    desktop = bea.page.get_by_role("menuitemcheckbox", name="Desktop notices")
    desktop.click()
    expect(desktop).to_have_attribute("aria-checked", "true")
    bea.page.keyboard.press("Escape")
    bea.page.mouse.click(600, 20)
    expect(ben.page.locator("a.conversation").filter(has_text=word).first).to_be_visible()
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
