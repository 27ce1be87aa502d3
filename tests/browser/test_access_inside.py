"""All that opens over the inbox, looked at by axe while it is open: none that the page has is left out but one."""

from playwright.sync_api import expect

from tests.browser.numbers import numbers
from tests.browser.test_access import build_view, look

MORE = '.thread-head [popovertarget="menu-thread"]'
# By its id, the keys or the button that open it
MENUS = {
    "menu-assign": "a",
    "menu-snooze": "s",
    "menu-labels": "l",
    "menu-priority": "p",
    "menu-macros": "m",
    "menu-views": "v",
    "menu-thread": MORE,
    "menu-account": '[popovertarget="menu-account"]',
    "menu-notices": '[popovertarget="menu-notices"]',
    "menu-status": '[popovertarget="menu-status"]',
    "menu-order": '[popovertarget="menu-order"]',
    "menu-composer": '[popovertarget="menu-composer"]',
}
THERE = "() => [...document.querySelectorAll('main [popover], .rail [popover], dialog')].map(({ id }) => id)"


def deliver(product, name, number, *texts):
    for text in texts:
        product.deliver(text, number=number, name=name)


class Opened:
    """What has been opened on this page."""

    def __init__(self, page):
        self.page, self.ids = page, set()

    def __call__(self, name):
        """It is open by now; closed again after the look."""
        self.page.locator(f"#{name}:popover-open, #{name}[open]").wait_for()
        look(self.page, part=f"#{name}")
        self.ids.add(name)
        self.page.keyboard.press("Escape")
        expect(self.page.locator(f"#{name}:popover-open, #{name}[open]")).to_have_count(0)


def test_nor_do_the_panes_of_a_phone_which_stand_alone(product, sign_in, word, number):
    ben = sign_in("ben")
    page = ben.page
    deliver(product, f"Narrow {word}", number, f"Hi {word}")
    ben.row(word).wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    look(page)
    ben.open(f"Hi {word}")
    look(page)
    # By keys, as where everything is twice as large: the focus is in the pane that is there
    shows = page.get_by_role("button", name="Show the person")
    shows.press("Enter")
    expect(page.locator(".thread")).to_be_hidden()
    expect(page.get_by_role("button", name="Conversation", exact=True)).to_be_focused()
    expect(page.locator("textarea[name=note]")).to_be_visible()
    look(page)
    page.keyboard.press("Escape")
    expect(shows).to_be_focused()
    page.keyboard.press("v")
    page.locator("#menu-views:popover-open").wait_for()
    page.keyboard.press("Escape")

    # As wide as a tablet nothing is cut off that there is room for
    page.set_viewport_size({"width": 820, "height": 1180})
    ben.open(f"Hi {word}")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator("#menu-snooze .menu-item").first).to_be_visible()
    whole = "parts => parts.every(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)"
    assert page.locator("#menu-snooze .menu-item > .truncate, .thread-title > h2").evaluate_all(whole)
    page.keyboard.press("Escape")
    expect(page.locator("#menu-snooze .menu-item").first).to_be_hidden()

    # As much as is seen of a page at 200 %: what a dialog does stands below all that it asks, and before none of it
    page.set_viewport_size({"width": 720, "height": 450})
    page.keyboard.press("f")
    does = page.locator("#dialog-filter .dialog-foot")
    expect(does.get_by_role("button", name="Filter")).to_be_in_viewport(ratio=1)
    last = page.locator("#dialog-filter select[name=priority]")
    last.focus()
    expect(last).to_be_in_viewport(ratio=1)
    asked, foot = last.bounding_box(), does.bounding_box()
    assert asked["y"] + asked["height"] <= foot["y"]


def test_nothing_that_opens_over_the_inbox_keeps_people_out(product, sign_in, word):
    ben, bea = sign_in("ben"), sign_in("bea")
    page, press = ben.page, ben.page.keyboard.press
    first, second = (f"62825{next(numbers):07d}" for _ in range(2))
    # Two conversations of one person on one channel: each was somebody's own, and they are one now
    for number, name in ((first, f"Kept {word}"), (second, f"Other {word}")):
        deliver(product, name, number, f"Hi {name}")
        ben.open(f"Hi {name}")
        page.get_by_role("button", name="Resolve").click()
        expect(page.locator('.thread-head > [data-act="reopen"]')).to_be_visible()
    found = ben.ask("GET", f"conversations/?search={word}")["results"]
    kept, other = (next(row for row in found if row["contact"]["name"].startswith(name)) for name in ("Kept", "Other"))
    ben.ask("POST", f"contacts/{kept['contact']['id']}/merge", {"from": other["contact"]["id"]})
    deliver(product, f"Kept {word}", first, *(f"Part {part} {word}" + "\nand more" * 12 for part in range(6)))
    steps = [{"do": "reply", "value": "Hi {{contact.email}}"}, {"do": "priority", "value": "high"}]
    macro = ben.ask("POST", "macros/", {"name": f"Macro {word}", "steps": steps})
    me = next(one["id"] for one in ben.ask("GET", "agents/")["results"] if one["name"].startswith("Ben"))
    note = {"client_id": macro["id"], "direction": "note", "body": f"See {word}", "mentions": [me]}
    bea.ask("POST", f"conversations/{kept['id']}/messages/", note)
    ben.open(f"Part 5 {word}")
    look_at = Opened(page)

    for name, way in MENUS.items():
        press("Escape")
        press(way) if len(way) == 1 else page.locator(way).click()
        look_at(name)

    for entry in ("Who takes part", "Save as a file"):
        page.locator(MORE).click()
        page.locator("#menu-thread").get_by_text(entry, exact=True).click()
        look_at("menu-further")
    page.locator(MORE).click()
    page.locator("#menu-thread").get_by_text("Merge with another", exact=True).click()
    look_at("dialog-merge")
    press("s")
    page.get_by_role("menuitem", name="Another time").click()
    look_at("dialog-snooze")
    press("m")
    page.get_by_role("menuitem", name=f"Macro {word}").click()
    expect(page.locator("#dialog-macro .banner")).to_be_visible()
    look_at("dialog-macro")
    for key, name in (("f", "dialog-filter"), ("?", "dialog-shortcuts"), ("Control+k", "dialog-palette")):
        press(key)
        look_at(name)
    build_view(page)
    look_at("dialog-view")
    press("c")
    page.get_by_role("combobox", name="With whom").fill(f"Kept {word}")
    expect(page.locator("#begin-list [role=option]")).to_be_visible()
    look_at("dialog-begin")
    ben.bubble(f"Part 5 {word}").hover()
    page.get_by_role("button", name="Forward", exact=True).click()
    page.locator("#dialog-forward").get_by_role("combobox").fill(word)
    expect(page.locator("#forward-list [role=option]").first).to_be_visible()
    look_at("dialog-forward")
    ben.row(f"Kept {word}").focus()
    press("x")
    page.get_by_role("toolbar", name="For the selected").get_by_role("button", name="Assign").click()
    look_at("menu-bulk")
    press("Escape")

    body = page.locator("textarea[name=body]")
    press("r")
    for at in ("menu-planned", "dialog-planned"):
        body.fill("Later")
        page.get_by_role("button", name="Send later").click()
        if at == "dialog-planned":
            page.locator("#menu-planned").get_by_role("menuitem", name="Another time").click()
        look_at(at)
    body.fill("")

    # Offered while one writes, and what is found
    page.locator("textarea[name=note]").fill("@be")
    look(page, part=".person")
    page.locator("textarea[name=note]").fill("")
    for key, sign in (("r", "/"), ("n", "@be")):
        press("Escape")
        press(key)
        body.fill("")
        page.keyboard.type(sign)
        expect(page.locator("form[name=composer] .suggestions [role=option]").first).to_be_visible()
        look(page, part="form[name=composer]")
        body.fill("")
        press("Escape")
    press("/")
    page.keyboard.type(word)
    page.locator(".hit mark").first.wait_for()
    look(page, part=".list")
    press("Escape")

    # The guard of a reply is looked at where one is held, in test_desk_bad_input.py
    assert set(page.evaluate(THERE)) - look_at.ids == {"dialog-guard"}
    ben.ask("DELETE", f"macros/{macro['id']}/")
