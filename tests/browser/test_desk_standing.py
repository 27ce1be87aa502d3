"""What an agent does with a conversation by keys: snooze, label, prioritise, mark unread, claim."""

import re

from playwright.sync_api import Route, expect

from tests.browser.late import Late
from tests.browser.numbers import numbers

# Nothing is asked for over the live line until the page may.
HOLD = """(() => {
    const send = WebSocket.prototype.send, held = [];
    WebSocket.prototype.send = function (frame) { held.push([this, frame]); };
    window.letGo = () => {
        WebSocket.prototype.send = send;
        for (const [socket, frame] of held) socket.send(frame);
    };
})()"""


def deliver(product, word):
    product.deliver(f"Hi {word}", number=f"62813{next(numbers):07d}")


def test_snooze_labels_and_priority_by_keys_are_seen_by_colleagues(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    deliver(product, word)
    bea.row(word).wait_for()
    ben.open(word)
    page = ben.page
    page.keyboard.press("p")
    page.locator("#menu-priority .menu-item:focus").wait_for()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(bea.row(word)).to_contain_text("Urgent")

    page.keyboard.press("l")
    page.locator("#menu-labels .menu-item:focus").wait_for()
    name = page.locator("#menu-labels [data-act=label]").first.get_attribute("data-value")
    page.keyboard.press("Enter")
    expect(bea.row(word)).to_contain_text(name)
    page.keyboard.press("Escape")

    page.keyboard.press("s")
    page.locator("#menu-snooze .menu-item:focus").wait_for()
    page.keyboard.press("Enter")
    expect(page.locator(".thread-title")).to_contain_text("Snoozed until")
    expect(bea.page.locator("[data-conversation-id]").filter(has_text=word)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(bea.row(word)).to_be_visible()


def test_marked_unread_it_stays_so_after_a_reload(product, sign_in, word):
    ben = sign_in("ben")
    deliver(product, word)
    ben.open(word)
    expect(ben.row(word).locator(".count")).to_be_hidden()
    ben.page.keyboard.press("u")
    expect(ben.row(word).locator(".count:visible")).to_have_text(re.compile("1"))
    ben.page.reload()
    expect(ben.row(word).locator(".count:visible")).to_have_text(re.compile("1"))


def test_marked_unread_it_stays_so_when_what_was_asked_before_is_answered_last(product, sign_in, word):
    ben = sign_in("ben")
    deliver(product, word)
    ben.row(word).wait_for()
    who = Late(ben.page, f"/conversations/{ben.row(word).get_attribute('data-conversation-id')}/$")
    with ben.page.expect_response(re.compile(r"/read$")):
        ben.open(word)
    assert who.get()["unread_count"] == 0
    with ben.page.expect_response(re.compile(r"/unread$")):
        ben.page.keyboard.press("u")
    expect(ben.row(word).locator(".count")).to_have_text(re.compile("1"))
    who.give()
    expect(ben.row(word).locator(".count")).to_have_text(re.compile("1"))


def test_what_was_read_elsewhere_before_the_line_stood_is_not_unread_here(product, sign_in, word):
    ben, elsewhere = sign_in("ben"), sign_in("ben")
    deliver(product, word)
    elsewhere.row(word).wait_for()
    ben.page.add_init_script(HOLD)
    ben.page.reload()
    expect(ben.row(word).locator(".count")).to_have_text(re.compile("1"))
    with elsewhere.page.expect_response(re.compile(r"/read$")):
        elsewhere.open(word)
    ben.page.evaluate("window.letGo()")
    expect(ben.row(word).locator(".count")).to_be_hidden()


def test_what_is_resolved_comes_back_to_its_assignee_unless_they_are_away(product, sign_in, word, number):
    ben = sign_in("ben")
    page = ben.page
    product.deliver(f"Hi {word}", number=number)
    ben.open(word)
    assignee = page.locator("[data-field=assignee-name]")

    def resolved_and_written_again(text):
        page.locator('[data-act="resolve"]').click()
        expect(page.locator(".thread-title")).to_contain_text("Resolved")
        product.deliver(f"{text} {word}", number=number)
        expect(page.locator(".thread-title")).to_contain_text("Open")

    def choose(availability):
        page.locator('[popovertarget="menu-account"]').click()
        page.locator(f'#menu-account [data-availability="{availability}"]').click()
        expect(page.locator("#toasts .toast").last).to_be_visible()

    page.locator('[popovertarget="menu-assign"]').click()
    page.locator('#menu-assign [data-act="assign"]').first.click()
    expect(assignee).to_contain_text("Ben")
    resolved_and_written_again("Again")
    expect(ben.row(f"Again {word}")).to_be_visible()
    expect(assignee).to_contain_text("Ben")
    try:
        choose("away")
        expect(page.locator('[popovertarget="menu-account"] .avatar')).to_have_attribute("data-presence", "away")
        resolved_and_written_again("Meanwhile")
        expect(assignee).to_have_text("Nobody")
    finally:
        choose("online")


def test_of_two_who_claim_one_wins_and_the_other_is_told_who(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    deliver(product, word)
    ben.open(word)
    bea.open(word)
    bea.page.evaluate(  # hers leaves first and arrives second
        """() => { const real = window.fetch;
            window.fetch = async (...given) => {
                if (String(given[0]).endsWith('/claim')) await new Promise(go => { window.goOn = go; });
                return real(...given);
            }; }"""
    )
    bea.page.keyboard.press("Control+k")
    expect(bea.page.get_by_role("option").first).to_be_visible()  # typed sooner, it goes nowhere
    bea.page.keyboard.type("assign to me")
    expect(bea.page.get_by_role("option").first).to_contain_text("Assign to me")
    bea.page.keyboard.press("Enter")
    bea.page.wait_for_function("() => window.goOn")
    ben.page.evaluate(
        """async id => { const token = document.querySelector('meta[name="csrf-token"]').content;
            await fetch(`/api/v1/workspaces/demo/conversations/${id}/claim`, {method: 'POST', body: '{}',
                headers: {'X-CSRFToken': token, 'Content-Type': 'application/json'}}); }""",
        ben.row(word).get_attribute("data-conversation-id"),
    )
    bea.page.evaluate("() => window.goOn()")
    expect(bea.page.locator(".toast")).to_contain_text(re.compile("Ben.*took it first"))
    expect(bea.page.locator("[data-field=assignee-name]")).to_contain_text("Ben")


def test_a_line_is_said_in_the_words_of_the_page(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea", wait=False)
    # Another language's word, there before any script of the page is
    bea.page.add_init_script(
        """document.addEventListener("readystatechange", () => {
            for (const words of document.querySelectorAll("template[data-words]"))
                for (const word of words.content.querySelectorAll('[data-word="Assigned to {name}"]'))
                    word.textContent = "Asignado a {name}";
        }, { once: true })"""
    )
    bea.page.reload()
    bea.wait_live()
    deliver(product, word)
    ben.open(word)
    bea.open(word)
    ben.page.keyboard.press("i")
    expect(ben.page.locator(".activity").last).to_contain_text("Taken")
    expect(bea.page.locator(".activity").last).to_contain_text("Taken")
    names = bea.page.locator(".activity").last.locator("[data-field=sender]").inner_text()
    me = next(one["id"] for one in ben.ask("GET", "agents/")["results"] if one["name"] == names)
    conversation = ben.row(word).get_attribute("data-conversation-id")
    bea.ask("POST", f"conversations/{conversation}/assign", {"assignee": None})
    bea.ask("POST", f"conversations/{conversation}/assign", {"assignee": me})
    expect(bea.page.locator(".activity").last).to_contain_text(f"Asignado a {names}")
    expect(ben.page.locator(".activity").last).to_contain_text(f"Assigned to {names}")


def test_a_rule_sorts_what_a_customer_writes_while_agents_look_on(product, sign_in, word):
    ada, ben = sign_in("ada", path="/settings/rules", wait=False), sign_in("ben")
    page = ada.page
    macro = ada.ask("POST", "macros/", {"name": f"Hurry {word}", "steps": [{"do": "priority", "value": "urgent"}]})
    page.reload()
    form = page.locator("form", has=page.get_by_role("heading", name="New rule"))
    form.get_by_label("Name").fill(f"Rule {word}")
    form.get_by_label("When").select_option(label="The customer writes")
    form.get_by_label("If the message says one of").fill(f"broken, {word}")
    form.get_by_label("Run the macro").select_option(label=f"Hurry {word}")
    form.get_by_role("button", name="Create").click()
    row = page.locator("[data-rule]", has_text=f"Rule {word}")
    expect(row).to_contain_text(f"The customer writes → Hurry {word}")
    try:
        deliver(product, word)
        expect(ben.row(word)).to_contain_text("Urgent")
        ben.open(word)
        line = ben.page.locator(".activity").filter(has_text="Priority: urgent")
        expect(line).to_contain_text(f"Rule {word}")
        page.reload()
        expect(row).to_contain_text("ran once")
    finally:
        ada.ask("DELETE", f"macros/{macro['id']}/")


def test_of_two_things_done_in_a_row_the_second_stands_however_long_the_first_takes(product, sign_in, word):
    ben = sign_in("ben")
    deliver(product, word)
    ben.open(word)
    page = ben.page
    held: list[Route] = []
    status = page.locator(".thread-title [data-field=status]")

    def hold(route):
        if held:
            route.continue_()
        held.append(route)

    def choose(entry, said):
        page.locator('[popovertarget="menu-thread"]').click()
        page.get_by_role("menuitem", name=entry).click()
        expect(status).to_have_text(said)

    page.route("**/status", hold)
    choose("Set to pending", "Pending")
    choose("Reopen", "Open")
    page.evaluate("() => new Promise((done) => setTimeout(done, 200))")
    held[0].continue_()
    expect(page.locator(".activity")).to_have_count(2)
    expect(status).to_have_text("Open")
    conversation = ben.row(word).get_attribute("data-conversation-id")
    assert ben.ask("GET", f"conversations/{conversation}/")["status"] == "open"
