"""What happens a hundred times a day: answering, the counts of the tabs, finding, the pane, files, the palette."""

import re
from functools import partial

from playwright.sync_api import Route, expect

from tests.browser.numbers import numbers
from tests.browser.reading import said
from tests.inbox.media_peer import PDF
from tests.waiting import wait_for


def deliver(product, text, name="Budi", number=""):
    product.deliver(text, number=number or f"62823{next(numbers):07d}", name=name)


def counts(agent):
    """Mine, unassigned, all."""
    return [int(part) for part in re.findall(r"\d+", agent.tabs())]


def settled(agent):
    """The same once the page says what the server does: the last change may still be on its way to the tabs."""

    def told():
        there, shown = agent.ask("GET", "conversations/?limit=1")["counts"], counts(agent)
        return shown[1:] == [there["unassigned"], there["all"]] and shown

    return wait_for(told)


def is_so(agent, wanted):
    return counts(agent) == wanted


def test_a_reply_is_there_at_once_and_the_servers_row_takes_its_very_place(product, sign_in, word):
    ben = sign_in("ben")
    page, body = ben.page, ben.page.locator("textarea[name=body]")
    deliver(product, f"Hi {word}")
    ben.open(f"Hi {word}")
    held: list[Route] = []
    page.route(re.compile(r"/messages/$"), lambda route: held.append(route) if not held else route.continue_())
    ben.write(f"One {word}")
    bubble = ben.bubble(f"One {word}")
    expect(bubble).to_have_attribute("data-status", "queued")
    expect(body).to_have_value("")
    expect(body).to_be_focused()
    page.keyboard.type(f"Half of two {word}")  # free again, and nothing has answered yet
    wait_for(lambda: held)
    bubble.evaluate("element => { window.drawn = element; }")
    before = bubble.locator(".bubble").bounding_box()
    held[0].continue_()
    ben.wait_status(f"One {word}", "sent")
    expect(bubble).to_have_count(1)
    assert bubble.evaluate("element => element === window.drawn")
    after = bubble.locator(".bubble").bounding_box()
    assert {side: round(after[side] - before[side]) for side in after} == dict.fromkeys(after, 0)
    expect(body).to_have_value(f"Half of two {word}")


def test_the_three_tabs_are_right_after_every_event(product, sign_in, word, number):
    ben, bea = sign_in("ben"), sign_in("bea")
    deliver(product, f"Before {word}")
    ben.row(f"Before {word}").wait_for()
    bea.row(f"Before {word}").wait_for()
    product.wait_until_idle()
    start, hers_before = settled(ben), settled(bea)

    def by(mine, unassigned, everyones, hers=0):
        for agent, then, more in ((ben, start, mine), (bea, hers_before, hers)):
            wanted = [then[0] + more, then[1] + unassigned, then[2] + everyones]
            wait_for(partial(is_so, agent, wanted))

    deliver(product, f"Counted {word}", number=number)
    by(0, 1, 1)
    ben.open(f"Counted {word}")
    ben.page.keyboard.press("Escape")
    ben.page.keyboard.press("i")
    by(1, 0, 1)
    bea.open(f"Counted {word}")
    expect(bea.page.locator(".activity").last).to_contain_text(re.compile("Ben Okafor.*Taken"))
    bea.page.keyboard.press("a")
    bea.page.get_by_role("menuitemradio", name=re.compile(", me")).click()
    by(0, 0, 1, hers=1)
    conversation = f"conversations/{ben.row(f'Counted {word}').get_attribute('data-conversation-id')}"
    bea.ask("POST", f"{conversation}/status", {"status": "resolved"})
    by(0, 0, 0)
    deliver(product, f"Again {word}", number=number)
    by(0, 0, 1, hers=1)
    bea.ask("POST", f"{conversation}/snooze", {"until": None})
    by(0, 0, 0)
    deliver(product, f"Awake {word}", number=number)  # until they write, and they did
    by(0, 0, 1, hers=1)
    bea.ask("POST", f"{conversation}/spam", {"spam": True})
    by(0, 0, 0)
    bea.ask("POST", f"{conversation}/spam", {"spam": False})
    bea.ask("POST", f"{conversation}/assign", {"assignee": None})
    by(0, 1, 1)


def test_the_pane_has_who_it_is_their_attributes_and_earlier_threads(product, sign_in, word, number):
    ben = sign_in("ben")
    pane = ben.page.locator(".person")
    deliver(product, f"Here {word}", name=f"Person {word}", number=number)
    ben.open(f"Here {word}")
    conversation = ben.ask("GET", f"conversations/{ben.row(word).get_attribute('data-conversation-id')}/")
    contact = conversation["contact"]["id"]
    ben.ask("PATCH", f"contacts/{contact}/", {"email": f"{word}@example.org", "metadata": {"shoe size": 42}})
    other = ben.ask("POST", "conversations/", {"contact": contact, "channel": "demo-twilio", "via": "sms"})
    ben.ask("POST", f"conversations/{other['id']}/messages/", {"client_id": contact, "body": f"By text {word}"})
    ben.page.reload()
    ben.wait_live()
    expect(pane.locator("h2").first).to_have_text(f"Person {word}")
    for known in (number, f"{word}@example.org", "shoe size", "42"):
        expect(pane).to_contain_text(known)
    earlier = pane.get_by_role("link", name=re.compile(f"By text {word}"))
    if not earlier.is_visible():
        pane.get_by_text("Other conversations").click()
    ben.page.evaluate("window.samePage = true")
    earlier.click()
    expect(ben.bubble(f"By text {word}")).to_be_visible()
    expect(pane.get_by_role("link", name=re.compile(f"Here {word}"))).to_be_visible()
    assert ben.page.evaluate("window.samePage") is True


def test_somebody_is_found_by_name_and_by_e_mail(product, sign_in, word):
    ben = sign_in("ben")
    deliver(product, "Hello", name=f"Sought {word}")
    ben.row(f"Sought {word}").wait_for()
    person = ben.ask("GET", f"contacts/?search={word}")["results"][0]["id"]
    ben.ask("PATCH", f"contacts/{person}/", {"email": f"{word}@example.org"})
    for words in (f"sought {word}", f"{word}@example.org"):
        ben.page.keyboard.press("/")
        ben.page.keyboard.type(words)
        expect(ben.page.locator(".hit").filter(has_text=f"Sought {word}").first).to_be_visible()
        ben.page.keyboard.press("Escape")
        expect(ben.page.locator(".hit")).to_have_count(0)


def test_several_files_show_how_far_they_are_and_all_of_them_go_out(product, sign_in, word, number):
    ben = sign_in("ben")
    deliver(product, f"Files {word}", number=number)
    ben.open(f"Files {word}")
    network = ben.context.new_cdp_session(ben.page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1}
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": 300_000})
    names = [f"{which}-{word}.pdf" for which in ("first", "second")]
    files = [{"name": name, "mimeType": "application/pdf", "buffer": PDF + b"\n" * 900_000} for name in names]
    ben.page.set_input_files("input[name=files]", files)
    cards = ben.page.locator(".composer-files > li")
    expect(cards).to_have_count(2)
    far = "() => [...document.querySelectorAll('.composer-files .meter')].some(({ value }) => value > 0 && value < 100)"
    ben.page.wait_for_function(far)
    expect(ben.page.locator("form[name=composer] [type=submit]")).to_be_disabled()
    network.send("Network.emulateNetworkConditions", slow | {"uploadThroughput": -1})
    expect(ben.page.locator('.composer-files > [data-state="ready"]')).to_have_count(2)
    ben.write(f"Both {word}")
    for name in names:
        ben.wait_status(name, "sent")


def test_the_palette_does_what_the_keys_do_and_goes_everywhere(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    macro = ben.ask("POST", "macros/", {"name": f"Macro {word}", "steps": [{"do": "priority", "value": "low"}]})
    deliver(product, f"Hi {word}")
    ben.open(f"Hi {word}")

    def choose(words, title):
        page.keyboard.press("Control+k")
        expect(page.get_by_role("option").first).to_be_visible()
        page.keyboard.type(words)
        expect(page.locator("#dialog-palette [role=option]").first).to_contain_text(said(title))
        page.keyboard.press("Enter")

    choose("snooze", "Snooze until")
    expect(page.locator("#menu-snooze .menu-item").first).to_be_visible()
    page.keyboard.press("Escape")
    choose(f"macro {word}", f"Macro {word}")
    running = page.get_by_role("dialog", name=re.compile("Run"))
    running.get_by_role("button", name="Run").click()
    expect(running).to_be_hidden()  # while it is there it has the keys
    expect(page.locator(".activity").last).to_contain_text(re.compile("low", re.IGNORECASE))
    choose("assign to bea", "Assign to Bea")
    expect(page.locator("[data-field=assignee-name]")).to_contain_text("Bea")
    choose("priority: urgent", "Urgent")
    expect(ben.row(f"Hi {word}")).to_contain_text("Urgent")
    conversation = ben.row(f"Hi {word}").get_attribute("data-conversation-id")
    status = page.locator(".thread-title [data-field=status]")
    choose("pending", "Set to pending")
    expect(status).to_have_text("Pending")
    page.locator('[popovertarget="menu-thread"]').click()
    page.get_by_role("menuitem", name="Reopen").click()
    expect(status).to_have_text("Open")
    page.locator('[popovertarget="menu-thread"]').click()
    page.get_by_role("menuitem", name="Set to pending").click()
    expect(status).to_have_text("Pending")
    choose("resolve", "Resolve")
    wait_for(lambda: ben.ask("GET", f"conversations/{conversation}/")["status"] == "resolved")
    ben.ask("DELETE", f"macros/{macro['id']}/")
    choose("contacts", "Contacts")
    page.wait_for_url(re.compile("/contacts"))


def test_a_filter_by_label_and_a_channel_of_two_ways(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    label = ben.ask("POST", "labels/", {"name": f"label{word}"})
    for which in ("With", "Without"):
        deliver(product, f"Hi {word}", name=f"{which} {word}")
        ben.row(f"{which} {word}").wait_for()
    conversation = ben.row(f"With {word}").get_attribute("data-conversation-id")
    ben.ask("POST", f"conversations/{conversation}/labels", {"add": [f"label{word}"]})
    page.keyboard.press("f")
    dialog = page.get_by_role("dialog", name="Filter the list")
    dialog.get_by_label("Label").select_option(f"label{word}")
    dialog.get_by_role("button", name="Filter").press("Enter")
    expect(ben.row(f"Without {word}")).to_have_count(0)
    expect(ben.row(f"With {word}")).to_be_visible()
    ben.ask("DELETE", f"labels/{label['id']}/")

    # Written to first: the way is chosen, and the one that is open stands before all
    page.keyboard.press("c")
    dialog = page.get_by_role("dialog", name="Start a conversation")
    dialog.get_by_role("combobox", name="With whom").fill(f"Without {word}")
    expect(dialog.get_by_role("option").filter(has_text=f"Without {word}")).to_be_visible()
    page.keyboard.press("Enter")
    channel = dialog.locator("select[name=channel]")
    expect(channel.locator("option").first).to_contain_text(re.compile(r"· \+62823\d+ · conversation open"))
    channel.select_option("demo-twilio sms")
    dialog.get_by_role("button", name="Open").click()
    expect(page.locator(".composer-to")).to_contain_text("SMS")
    expect(page.locator("textarea[name=body]")).to_be_focused()
