"""The main job, as its people see it: a customer writes, two agents see it, one answers, and nothing breaks it."""

import re
from functools import partial

from playwright.sync_api import expect

from tests.browser.conftest import Agent
from tests.waiting import wait_for


def test_a_delivery_appears_in_both_windows_and_the_reply_climbs_before_bens_eyes(product, sign_in, word, number):
    ben, bea = sign_in("ben"), sign_in("bea")
    assert product.deliver(f"Halo {word}", number=number) == 200
    ben.row(word).wait_for()
    bea.row(word).wait_for()

    ben.open(word)
    ben.page.evaluate(
        """word => {
            window.climbed = [];
            new MutationObserver(() => {
                for (const bubble of document.querySelectorAll('.message'))
                    if (bubble.textContent.includes(word) && window.climbed.at(-1) !== bubble.dataset.status)
                        window.climbed.push(bubble.dataset.status);
            }).observe(document.body, {subtree: true, childList: true, attributes: true});
        }""",
        f"Sudah {word}",
    )
    ben.write(f"Sudah {word}")
    ben.wait_status(f"Sudah {word}", "read")
    climbed = ben.page.evaluate("window.climbed")
    order = ["queued", "sending", "sent", "delivered", "read"]
    assert climbed == [status for status in order if status in climbed]
    assert climbed[0] == "queued"  # there at once, before any answer
    assert {"sent", "delivered"} & set(climbed)  # two steps may share a frame
    expect(ben.bubble(f"Sudah {word}")).to_have_count(1)
    expect(bea.row(f"Sudah {word}")).to_be_visible()
    assert len(product.accepted(f"Sudah {word}")) == 1


def test_the_same_delivery_again_changes_nothing_on_screen(product, sign_in, word, number):
    """Whatever it says: markup stays words, and what turns the writing around turns nothing but itself."""
    ben = sign_in("ben")
    name, text = f"<b>Budi</b> \u202e{word}", f"Once {word} <img src=x onerror=\"document.title='harm'\"> \u202eback"
    for _ in range(2):
        assert product.deliver(text, number=number, name=name, key=f"wamid.{word}") == 200
    ben.open(f"Once {word}")
    expect(ben.row(f"Once {word}")).to_contain_text("<b>Budi</b>")
    expect(ben.bubble(f"Once {word}")).to_contain_text("<img src=x")
    expect(ben.bubble(f"Once {word}").locator("img")).to_have_count(0)
    expect(ben.page.locator("#thread-title bdi")).to_contain_text("<b>Budi</b>")
    expect(ben.page).not_to_have_title("harm")
    product.deliver(f"Then {word}", number=number)
    ben.bubble(f"Then {word}").wait_for()
    expect(ben.bubble(f"Once {word}")).to_have_count(1)


def show_the_same(one, another):
    return all(look(one) == look(another) for look in (Agent.thread, lambda who: who.rows()[:20], Agent.tabs))


def test_who_was_offline_sees_everything_without_a_reload(product, sign_in, word, number):
    """Once told event by event, once when the log no longer reaches back and all of it is loaded anew."""
    ben, bea, elsewhere = sign_in("ben"), sign_in("bea"), sign_in("bea")
    here = bea.page.locator('[data-part="here"] > .here-chip')
    other = f"62813{number[5:]}"
    product.deliver(f"Aside {word}", number=other, name=f"Aside {word}")
    bea.row(f"Aside {word}").wait_for()
    product.deliver(f"First {word}", number=number, name=f"Ann {word}", key=f"wamid.first.{word}")
    bea.open(f"First {word}")
    ben.open(f"First {word}")
    aside = ben.row(f"Aside {word}").get_attribute("data-conversation-id")
    connection = bea.page.locator(".rail [data-live]")
    bea.page.evaluate("window.notReloaded = true")
    for turn, reaches in (("one", True), ("two", False)):
        product.deliver(f"Gone {turn} {word}", number=number, key=f"wamid.gone.{turn}.{word}")
        bea.bubble(f"Gone {turn} {word}").wait_for()
        ben.bubble(f"Gone {turn} {word}").wait_for()
        expect(here).to_have_count(1)
        bea.context.set_offline(True)
        expect(connection).to_have_text("Offline")
        expect(connection).to_have_attribute("title", re.compile("No connection"))
        for count in range(3):
            product.deliver(f"More {turn} {count} {word}", number=number)
            ben.bubble(f"More {turn} {count} {word}").wait_for()
        product.deliver(f"New {word}", number=f"6281{4 + reaches}{number[5:]}", name=f"New {turn} {word}")
        ben.row(f"New {turn} {word}").wait_for()
        words = {"type": "text", "text": {"body": f"First {turn} {word}"}}
        product.says("edit", {"original_message_id": f"wamid.first.{word}", "message": words}, number=number)
        product.says("revoke", {"original_message_id": f"wamid.gone.{turn}.{word}"}, number=number)
        ben.bubble(f"First {turn} {word}").wait_for()
        expect(ben.bubble(f"Gone {turn} {word}")).to_have_count(0)
        status = "resolved" if reaches else "open"
        ben.ask("POST", f"conversations/{aside}/status", {"status": status})
        ben.ask("POST", f"conversations/{aside}/priority", {"priority": "high"})
        mine = ben.page.url.split("/inbox/")[1].partition("?")[0]
        me = ben.page.evaluate("JSON.parse(document.querySelector('#inbox-state').textContent).me.id")
        ben.ask("POST", f"conversations/{mine}/assign", {"assignee": me if reaches else None})
        ben.write(f"Reply {turn} {word}")
        ben.wait_status(f"Reply {turn} {word}", "read")
        version = elsewhere.ask("GET", f"conversations/{mine}/draft")["version"]
        elsewhere.ask("PUT", f"conversations/{mine}/draft", {"body": f"Half {turn} {word}", "version": version})
        ben.row(f"New {turn} {word}").click()
        expect(bea.bubble(f"Reply {turn} {word}")).to_have_count(0)
        expect(here).to_have_count(1)
        if not reaches:
            product.forget_events()

        bea.context.set_offline(False)
        bea.wait_status(f"Reply {turn} {word}", "read")
        bea.wait_live()
        bea.row(f"New {turn} {word}").wait_for()
        expect(bea.bubble(f"First {turn} {word}")).to_contain_text("edited")
        expect(bea.bubble(f"Gone {turn} {word}")).to_have_count(0)
        expect(bea.page.locator(f'[data-conversation-id="{aside}"]')).to_have_count(0 if reaches else 1)
        expect(bea.page.locator("[data-field=assignee-name]")).to_contain_text("Ben" if reaches else "Nobody")
        expect(bea.page.locator("textarea[name=body]")).to_have_value(f"Half {turn} {word}")
        expect(here).to_have_count(0)
        fresh = sign_in("bea", path=re.sub(r"^https?://[^/]+", "", bea.page.url))
        expect(fresh.bubble(f"Reply {turn} {word}")).to_have_count(1)
        wait_for(partial(show_the_same, bea, fresh))
        fresh.context.close()
        ben.page.locator(f'a[data-conversation-id="{mine}"]').click()
        expect(here).to_have_count(1)

    # A thread that was put away as it was drawn comes back as it is by then
    product.deliver(f"Last {word}", number=number, key=f"wamid.last.{word}")
    bea.bubble(f"Last {word}").wait_for()
    bea.bubble(f"First two {word}").evaluate("message => message.dataset.drawn = 'before'")
    bea.row(f"New two {word}").click()
    bea.bubble(f"New {word}").wait_for()
    expect(bea.bubble(f"First two {word}")).to_have_count(0)
    words = {"type": "text", "text": {"body": f"First anew {word}"}}
    product.says("edit", {"original_message_id": f"wamid.first.{word}", "message": words}, number=number)
    product.says("revoke", {"original_message_id": f"wamid.last.{word}"}, number=number)
    ben.write(f"While away {word}")
    ben.wait_status(f"While away {word}", "read")
    ben.bubble(f"First anew {word}").wait_for()
    bea.page.locator(f'a[data-conversation-id="{mine}"]').click()
    expect(bea.bubble(f"First anew {word}")).to_have_attribute("data-drawn", "before")
    expect(bea.bubble(f"Last {word}")).to_have_count(0)
    wait_for(lambda: bea.thread() == ben.thread())
    assert bea.page.evaluate("window.notReloaded") is True


def test_an_offline_agents_reply_leaves_once_when_the_line_is_back(product, sign_in, word, number):
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=number)
    ben.open(word)
    ben.context.set_offline(True)
    ben.write(f"Later {word}")
    expect(ben.bubble(f"Later {word}")).to_have_count(1)
    ben.context.set_offline(False)
    ben.wait_status(f"Later {word}", "read")
    assert len(product.accepted(f"Later {word}")) == 1


def test_a_killed_server_loses_nothing(product, sign_in, word, number):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=number)
    ben.open(word)
    bea.open(word)
    ben.page.evaluate(
        """() => {
            const word = document.querySelector('.rail [data-live]');
            window.said = [word.textContent];
            new MutationObserver(() => {
                if (window.said.at(-1) !== word.textContent) window.said.push(word.textContent);
            }).observe(word, {subtree: true, childList: true, characterData: true});
        }"""
    )
    product.kill("config.servers.start")
    ben.write(f"Through {word}")
    expect(ben.bubble(f"Through {word}")).to_have_count(1)
    ben.wait_status(f"Through {word}", "read")
    bea.wait_status(f"Through {word}", "read")
    expect(ben.bubble(f"Through {word}")).to_have_count(1)
    assert len(product.accepted(f"Through {word}")) == 1
    ben.wait_live()
    said = ben.page.evaluate("window.said")
    assert said[0] == said[-1] == "Live"
    assert {"Catching up", "Offline"} & set(said) == set(said) - {"Live"} != set()


def test_a_worker_killed_while_the_provider_answers_sends_once(product, sign_in, word, number, eventually):
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=number)
    ben.open(word)
    product.simulator("behaviour", {"latency_ms": 8000})
    try:
        ben.write(f"Slowly {word}")
        # Not by what the page says: what becomes of it is told before the answer is there
        eventually(lambda: product.accepted(f"Slowly {word}"))
        assert product._sql("select from job where type = 'inbox.deliver_message' and status = 'processing'") == 1
        product.kill("celery")
    finally:
        product.simulator("behaviour", {"latency_ms": 0})
    ben.wait_status(f"Slowly {word}", "read")
    assert len(product.accepted(f"Slowly {word}")) == 1


def test_a_call_that_breaks_off_after_acceptance_is_not_repeated(product, sign_in, word, number):
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=number)
    ben.open(word)
    product.simulator("behaviour", {"fail": "drop_after_accept", "next_n": 1})
    ben.write(f"Cut {word}")
    ben.wait_status(f"Cut {word}", "read")
    assert len(product.accepted(f"Cut {word}")) == 1


def test_a_refusal_shows_the_reason_and_retry_really_sends(product, sign_in, word, number):
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=number)
    ben.open(word)
    product.simulator("behaviour", {"fail": "code", "code": 131026, "next_n": 1})
    ben.write(f"Refused {word}")
    ben.wait_status(f"Refused {word}", "failed")
    failed = ben.bubble(f"Refused {word}")
    expect(failed).to_contain_text("131026")
    failed.get_by_role("button", name="Retry").click()
    ben.wait_status(f"Refused {word}", "read")
    assert len(product.accepted(f"Refused {word}")) == 1


def test_redis_killed_loses_nothing(product, sign_in, word, number):
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=number)
    ben.open(word)
    product.kill("valkey-server")
    assert product.deliver(f"Meanwhile {word}", number=number) == 200
    ben.bubble(f"Meanwhile {word}").wait_for()
    ben.write(f"Still {word}")
    ben.wait_status(f"Still {word}", "read")


def test_without_sockets_the_page_follows_by_asking(product, sign_in, browser, word, number):
    """The list, the open thread with edits and deletions, counts, statuses, drafts, and who is here."""
    ben, elsewhere = sign_in("ben"), sign_in("bea")
    for name in ("Gone", "First"):
        product.deliver(f"{name} {word}", number=number, key=f"wamid.{name}.{word}", name=f"Ann {word}")
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, storage_state=elsewhere.context.storage_state()
    )
    bea = Agent(context.new_page(), context, [])
    bea.page.route_web_socket(re.compile("/ws/live"), lambda socket: socket.close())
    bea.page.goto(f"{product.url}/inbox")
    connection = bea.page.locator(".rail [data-live]")
    for agent in (bea, ben):
        agent.open(f"First {word}")
    expect(connection).to_have_text("Catching up")
    expect(connection).to_have_attribute("title", re.compile("looking again every few seconds"))
    expect(ben.page.locator('[data-part="here"] > .here-chip')).to_have_attribute("aria-label", re.compile("Bea"))

    product.deliver(f"Aside {word}", number=f"62813{number[5:]}", name=f"Aside {word}")
    ben.row(f"Aside {word}").wait_for()
    aside, mine = (ben.row(name).get_attribute("data-conversation-id") for name in (f"Aside {word}", f"Ann {word}"))
    words = {"type": "text", "text": {"body": f"First anew {word}"}}
    product.says("edit", {"original_message_id": f"wamid.First.{word}", "message": words}, number=number)
    product.says("revoke", {"original_message_id": f"wamid.Gone.{word}"}, number=number)
    ben.ask("POST", f"conversations/{aside}/priority", {"priority": "high"})
    ben.ask("POST", f"conversations/{mine}/assign", {"assignee": "me"})
    elsewhere.ask("PUT", f"conversations/{aside}/draft", {"body": f"Half {word}", "version": 0})
    ben.write(f"Reply {word}")
    bea.wait_status(f"Reply {word}", "read")
    expect(bea.bubble(f"First anew {word}")).to_contain_text("edited")
    expect(bea.bubble(f"Gone {word}")).to_have_count(0)
    expect(bea.page.locator("[data-field=assignee-name]")).to_contain_text("Ben")
    expect(bea.page.locator('[data-part="here"] > .here-chip')).to_have_attribute("aria-label", re.compile("Ben"))
    expect(bea.row(f"Aside {word}")).to_contain_text(f"Half {word}")
    bea.page.mouse.move(300, 300)
    expect(ben.page.locator('[data-part="here"] > .here-chip')).to_have_attribute("data-state", "active")
    expect(ben.page.locator('[data-part="here"] > .here-chip')).to_have_attribute("data-state", "idle")
    bea.write(f"By asking {word}")
    bea.wait_status(f"By asking {word}", "read")
    fresh = sign_in("bea", path=f"/inbox/{mine}")
    expect(fresh.row(f"Aside {word}")).to_contain_text(f"Half {word}")
    wait_for(partial(show_the_same, bea, fresh))
    context.close()


def settled(agent):
    """What the tabs say, once that is what the server does."""
    counts, said = agent.ask("GET", "conversations/?limit=1")["counts"], re.findall(r"\d+", agent.tabs())
    numbers = [int(part) for part in said]
    return numbers if numbers == [counts[name] for name in ("mine", "unassigned", "all")] else None


def test_an_assignment_moves_the_counts_of_both(product, sign_in, word, number):
    ben, bea = sign_in("ben"), sign_in("bea")
    product.deliver(f"Hi {word}", number=number, name=f"Counted {word}")
    ben.open(word)
    bea.row(word).wait_for()
    before = wait_for(lambda: settled(ben))
    ben.page.get_by_role("button", name=re.compile("Nobody|Assign")).first.click()
    ben.page.get_by_role("menuitemradio", name=re.compile("Ben|me", re.IGNORECASE)).first.click()
    mine, unassigned = before[0] + 1, before[1] - 1
    expect(ben.page.locator(".tabs").first).to_contain_text(re.compile(rf"Mine\s*{mine}\s*Unassigned\s*{unassigned}"))
    expect(bea.page.locator(".tabs").first).to_contain_text(re.compile(rf"Unassigned\s*{unassigned}"))


def test_a_viewer_reads_and_cannot_write(product, sign_in, word, number):
    vic = sign_in("vic")
    product.deliver(f"Hi {word}", number=number)
    vic.row(word).click()
    vic.bubble(f"Hi {word}").wait_for()
    expect(vic.page.locator("textarea[name=body]")).to_have_count(0)


def test_on_a_phone_one_pane_at_a_time_with_a_way_back(product, sign_in, browser, word, number):
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=number)
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, storage_state=ben.context.storage_state(), has_touch=True
    )
    page = context.new_page()
    page.goto(f"{product.url}/inbox")
    row = page.locator("[data-conversation-id]").filter(has_text=word).first
    row.click()
    page.locator("textarea[name=body]").wait_for(state="visible")
    expect(row).not_to_be_visible()
    page.go_back()
    expect(row).to_be_visible()

    # Written from right to left nothing sticks out, and what stood on the left stands on the right
    def turned(width):
        page.set_viewport_size({"width": width, "height": 844})
        page.evaluate("document.documentElement.dir = 'rtl'")
        too_wide = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert page.evaluate(too_wide) is False, (page.url, width)

    def places(*selectors):
        boxes = [page.locator(selector).first.bounding_box() for selector in selectors]
        return [box["x"] for box in boxes if box]

    turned(390)
    row.click()
    page.locator("textarea[name=body]").wait_for(state="visible")
    turned(390)
    turned(1440)
    person, thread, rows, rail = places(".person", ".thread", ".list", ".rail")
    assert person < thread < rows < rail
    theirs, send = places('.message[data-direction="in"]', 'form[name=composer] [type="submit"]')
    assert send < theirs
    page.get_by_role("link", name="Everything about this person").click()
    expect(page.get_by_role("link", name="Open the conversation")).to_be_visible()
    turned(390)
    page.goto(f"{product.url}/settings/profile")
    turned(390)
    turned(1440)
    body, nav, rail = places(".settings > :not(nav)", ".settings > nav", ".rail")
    assert body < nav < rail
    context.close()


def test_a_wrong_password_says_so_in_words(product, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{product.url}/inbox")
    expect(page).to_have_url(re.compile("/login"))
    page.fill("input[name=email]", "ben@demo.example")
    page.fill("input[name=password]", "guess")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    context.close()
