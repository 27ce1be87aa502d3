"""Every page, in light and dark, has nothing that axe knows to keep people out."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Frame, Page, expect

from tests.browser.test_sending import conversation

PASSWORD = "demo-password"
AXE = Axe()
RUN = """async ([part, options]) => (await axe.run(part ?? document, options)).violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${JSON.stringify(nodes.slice(0, 3).map(({ target }) => target))}`)"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SETTINGS = (
    *("general", "members", "teams", "labels", "views", "channels", "boards", "saved-replies", "macros"),
    *("api-keys", "features", "audit", "profile", "notifications"),
)


def first_link(page: Page, selector: str) -> None:
    page.goto(page.locator(selector).first.evaluate("link => link.href"))


def open_thread(page: Page) -> None:
    page.locator("a[data-conversation-id]").first.click()
    expect(page.locator('.thread[data-state="open"]')).to_be_visible()


def keys(*pressed: str, until: str):
    def press(page: Page) -> None:
        for one in pressed:
            page.keyboard.press(one)
        page.locator(until).first.wait_for()

    return press


def choose_many(page: Page) -> None:
    page.locator("a[data-conversation-id]").first.focus()
    page.keyboard.press("x")
    page.get_by_role("toolbar", name="For the selected").wait_for()


def open_more(page: Page) -> None:
    open_thread(page)
    page.get_by_role("button", name="More", exact=True).last.click()
    page.locator("#menu-thread:popover-open").wait_for()


def open_forward(page: Page) -> None:
    open_thread(page)
    page.locator(".message[data-direction=in]").last.hover()
    page.get_by_role("button", name="Forward", exact=True).click()
    page.locator("#dialog-forward[open]").wait_for()


def open_templates(page: Page) -> None:
    shut = conversation(page, "demo-kapso", open_window=False)
    page.goto(f"{page.url.partition('/inbox')[0]}/inbox/{shut}")
    page.get_by_role("button", name="exam_results").click()


def open_announcements(page: Page) -> None:
    reached = {"queued": 1, "delivered": 2, "seen": 37, "expired": 0}
    told = {"batch": "b", "body": "انتبهوا: Question 12", "is_urgent": True, "by": {"id": "t", "name": "Tia"}}
    told |= {"created_at": "2026-01-05T09:00:00Z", "students": 40, "reached": reached}
    page.route("**/announcements/*", lambda route: route.fulfill(json={"results": [told], "next": None}))
    page.locator('[popovertarget="menu-exam"]').click()
    page.get_by_role("menuitem", name="Announcements").click()
    expect(page.locator(".announcements > li")).to_be_visible()


def build_view(page: Page) -> None:
    page.keyboard.press("v")
    page.get_by_role("menuitem", name=re.compile("New view")).click()
    page.get_by_role("dialog", name="New view").get_by_role("button", name="Group").click()


def nothing(page: Page) -> None:
    """As it stands."""


# Who looks, where they begin, and how they come to what is looked at.
PLACES = {
    "inbox": ("ben", "/inbox", nothing),
    "inbox-thread": ("ben", "/inbox", open_thread),
    "inbox-as-viewer": ("vic", "/inbox", open_thread),
    "inbox-filter": ("ben", "/inbox", keys("f", until="#dialog-filter[open]")),
    "inbox-view": ("ben", "/inbox", build_view),
    "inbox-many": ("ben", "/inbox", choose_many),
    "inbox-more": ("ben", "/inbox", open_more),
    "inbox-forward": ("ben", "/inbox", open_forward),
    "inbox-begin": ("ben", "/inbox", keys("c", until="#dialog-begin[open]")),
    "inbox-templates": ("ben", "/inbox", open_templates),
    "inbox-spam": ("ben", "/inbox?status=spam", nothing),
    "palette": ("ben", "/inbox", keys("Control+k", until="#dialog-palette [role=option]")),
    "shortcuts": ("ben", "/inbox", keys("?", until="#dialog-shortcuts[open]")),
    "account": ("ben", "/inbox", lambda page: page.locator('[popovertarget="menu-account"]').click()),
    "contacts": ("ben", "/contacts", nothing),
    "contacts-board": ("ben", "/contacts?layout=board", nothing),
    "contacts-import": ("ben", "/contacts/import", nothing),
    "contact": ("ben", "/contacts", lambda page: first_link(page, "[data-rows] a[href^='/contacts/']")),
    "reports": ("ben", "/reports", nothing),
    "outbox": ("ada", "/outbox", nothing),
    "exams": ("tia", "/proctor", nothing),
    "exam-grid": ("tia", "/proctor/demo-exam", nothing),
    "exam-announcements": ("tia", "/proctor/demo-exam", open_announcements),
    "exam-paper": ("sam", "/exam/demo-exam", nothing),
    **{f"settings-{name}": ("ada", f"/settings/{name}", nothing) for name in SETTINGS},
}


def violations(page: Page | Frame, only: dict[str, object], part: str | None = None) -> list[str]:
    if not page.evaluate("'axe' in window"):  # half a megabyte: once for a page, however often it is looked at
        page.evaluate(AXE.axe_script)
    return page.evaluate(RUN, [part, {"runOnly": only, "resultTypes": ["violations"]}])


def look(page: Page, inside: Frame | None = None, part: str | None = None) -> None:
    """At the page, a frame of it, or a part by its selector. All rules once; in the dark only the colours differ."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert violations(inside or page, {"type": "tag", "values": TAGS}, part) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    assert violations(inside or page, {"type": "rule", "values": ["color-contrast"]}, part) == []


@pytest.fixture(scope="module")
def page_of(product, browser):
    """One browser a person, signed in once; each place is gone to anew."""
    pages = {}

    def page(name):
        if name not in pages:
            pages[name] = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
            pages[name].goto(f"{product.url}/login")
            pages[name].fill("input[name=email]", f"{name}@demo.example")
            pages[name].fill("input[name=password]", PASSWORD)
            pages[name].keyboard.press("Enter")
            pages[name].wait_for_url(lambda url: "/login" not in url)
        return pages[name]

    yield page
    for one in pages.values():
        one.close()


@pytest.mark.parametrize("place", PLACES)
def test_nothing_keeps_people_out(place, page_of, product):
    name, path, come = PLACES[place]
    page = page_of(name)
    page.goto(product.url + path)
    expect(page.locator("html[data-ready]")).to_be_attached()
    come(page)
    expect(page.locator("html[data-ready]")).to_be_attached()
    look(page)


def test_nobody_is_kept_out_of_signing_in(product, browser):
    page = browser.new_page(reduced_motion="reduce")
    page.goto(f"{product.url}/login")
    look(page)
    page.close()
