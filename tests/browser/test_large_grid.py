"""An exam of hundreds before a tutor: cards near the screen stand in the page, and nothing of the others is lost."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_exam_day import CALL, in_database
from tests.browser.test_proctoring_pages import card, enter

PUPILS = 400
MOST = 250  # cards in the page, whatever the exam's size
CARDS = ".students > li"
# Seen an hour from now: nobody falls silent while a tutor looks
SIT = """
with sat as (
    insert into proctoring_examsession
        (id, workspace_id, exam_id, enrolment_id, attempt, student, student_name, "group", status, updated_at)
    select gen_random_uuid(), n.workspace_id, n.exam_id, n.id, 1, n.external_id, n.name, n."group", 'active', now()
    from proctoring_enrolment n join proctoring_exam e on e.id = n.exam_id where e.slug = %s
    returning id, workspace_id
)
insert into proctoring_sessionpulse (session_id, workspace_id, seen_at)
select id, workspace_id, now() + interval '1 hour' from sat
"""
LEAVE = """
with gone as (
    update proctoring_examsession set status = 'submitted', ended_at = now()
    where exam_id = (select id from proctoring_exam where slug = %s) returning id
)
update proctoring_sessionpulse set is_live = false where session_id in (select id from gone)
"""
IN_ORDER = """() => [...document.querySelectorAll(".students")].every((list) => {
    const at = [...list.children].map((card) => card.getBoundingClientRect());
    const way = getComputedStyle(list).direction === "rtl" ? -1 : 1;
    return at.every((one, n) => !n || one.top > at[n - 1].top || (one.top === at[n - 1].top && (one.left - at[n - 1].left) * way > 0));
})"""  # noqa: E501
SCROLL = """([share, name]) => {
    const main = document.querySelector(".proctor-main"), screen = main.getBoundingClientRect();
    main.scrollTop = share * (main.scrollHeight - main.clientHeight);
    const card = [...document.querySelectorAll(".students > li")].find(({ textContent }) => textContent.includes(name));
    const at = card?.getBoundingClientRect();
    return Boolean(at) && at.top >= screen.top && at.bottom <= screen.bottom;
}"""
# So far down, until these two are one below the other: another width is measured a moment after it is there.
ROWS = """([share, ...names]) => {
    const main = document.querySelector(".proctor-main");
    main.scrollTop = share * (main.scrollHeight - main.clientHeight);
    const cards = [...document.querySelectorAll(".students > li")];
    const found = names.map((name) => cards.find(({ textContent }) => textContent.includes(name)));
    const [first, second] = found.map((card) => card?.getBoundingClientRect());
    return Boolean(first && second) && first.left === second.left && first.bottom <= second.top;
}"""
WATCH_CARDS = """() => {
    window.put = 0;
    const count = (records) => { for (const { addedNodes } of records) window.put += addedNodes.length; };
    for (const list of document.querySelectorAll(".students")) new MutationObserver(count).observe(list, { childList: true });
}"""  # noqa: E501


@dataclass
class Hall:
    slug: str

    @property
    def path(self) -> str:
        return f"/proctor/{self.slug}"


@pytest.fixture(scope="module")
def hall(product, browser) -> Iterator[Hall]:
    slug = f"hall-{time.monotonic_ns()}"
    context = browser.new_context()
    ada = context.new_page()
    ada.goto(f"{product.url}/login?next=/settings/exams")
    ada.fill("input[name=email]", "ada@demo.example")
    ada.fill("input[name=password]", "demo-password")
    ada.keyboard.press("Enter")
    ada.wait_for_url(re.compile(r":\d+/settings/exams"))
    members = ada.evaluate(CALL, ["/api/v1/workspaces/demo/members/?role=tutor", None])["results"]
    tia = next(member["id"] for member in members if member["email"] == "tia@demo.example")
    pupils = [{"external_id": f"p{n}", "name": f"Pupil {n:03}", "group": "8a"} for n in range(1, PUPILS + 1)]
    exam = {"slug": slug, "title": "Hall", "tutors": [tia], "students": pupils, "question_count": 40}
    assert ada.evaluate(CALL, ["/api/v1/workspaces/demo/exams/", exam])["slug"] == slug
    context.close()
    in_database(product, SIT, slug)
    yield Hall(slug)
    in_database(product, LEAVE, slug)


@pytest.fixture
def tia(sign_in, hall: Hall) -> Page:
    page = enter(sign_in, "tia", hall.path)
    expect(page.locator('[data-count="all"]')).to_have_text(str(PUPILS))
    expect(page.locator('[aria-setsize="400"]').first).to_be_attached()
    return page


def scroll(page: Page, share: float, name: str) -> None:
    """So far down, until this one is in sight."""
    page.wait_for_function(SCROLL, arg=[share, name])


def drawn(page: Page) -> int:
    return page.locator(CARDS).count()


def test_the_page_holds_the_cards_near_the_screen_wherever_that_is(tia: Page):
    assert drawn(tia) < MOST
    for share, name in ((0.5, "Pupil 200"), (1, "Pupil 400"), (0, "Pupil 001")):
        scroll(tia, share, name)
        assert drawn(tia) < MOST
        assert tia.evaluate(IN_ORDER)
    place = card(tia, "Pupil 001")
    assert [place.get_attribute(f"aria-{word}") for word in ("posinset", "setsize")] == ["1", "400"]


def test_keys_come_to_every_card(tia: Page):
    card(tia, "Pupil 001").locator(".student").focus()
    tia.keyboard.press("End")
    expect(card(tia, "Pupil 400").locator(".student")).to_be_focused()
    expect(card(tia, "Pupil 400")).to_be_in_viewport()
    tia.keyboard.press("k")
    expect(card(tia, "Pupil 399").locator(".student")).to_be_focused()
    # What has the focus keeps it, and keeps its card, wherever the screen is
    scroll(tia, 0.3, "Pupil 120")
    expect(card(tia, "Pupil 399").locator(".student")).to_be_focused()
    expect(tia.locator('[data-list="rest"] [tabindex="0"]')).to_have_count(1)
    tia.keyboard.press("Home")
    expect(card(tia, "Pupil 001").locator(".student")).to_be_focused()
    expect(card(tia, "Pupil 001")).to_be_in_viewport()
    tia.keyboard.press("ArrowRight")
    expect(card(tia, "Pupil 002").locator(".student")).to_be_focused()
    tia.keyboard.press("ArrowDown")
    under, above = (card(tia, name).bounding_box() for name in (focused(tia), "Pupil 002"))
    assert under["x"] == above["x"]
    assert under["y"] > above["y"]


def focused(page: Page) -> str:
    return page.locator(f"{CARDS}:focus-within [data-field=name]").inner_text()


def test_who_is_chosen_stays_chosen_out_of_sight(tia: Page):
    tia.get_by_role("button", name="Choose several").click()
    chosen, box = tia.locator('[data-part="chosen"]'), card(tia, "Pupil 003").locator("[data-pick]")
    for name in ("Pupil 003", "Pupil 004"):
        card(tia, name).locator(".student").click()
    scroll(tia, 1, "Pupil 400")
    expect(box).to_have_count(0)
    expect(chosen).to_have_text("2 chosen")
    scroll(tia, 0, "Pupil 003")
    expect(box).to_be_checked()
    tia.get_by_role("button", name="All that are shown").click()
    expect(chosen).to_have_text(f"{PUPILS} chosen")
    scroll(tia, 1, "Pupil 400")
    expect(card(tia, "Pupil 400").locator("[data-pick]")).to_be_checked()
    tia.get_by_role("button", name="Choose several").click()
    tia.get_by_role("button", name="Choose several").click()
    expect(chosen).to_have_text("0 chosen")
    expect(box).not_to_be_checked()


def test_one_that_floats_up_takes_no_other_along(tia: Page, hall: Hall):
    rows = tia.evaluate(CALL, [f"/api/v1/workspaces/demo/exams/{hall.slug}/sessions/?search=Pupil 200", None])
    session = rows["results"][0]["id"]
    seen = {"severity": "high", "category": "other", "comment": "A book on the desk"}
    tia.evaluate(WATCH_CARDS)
    noted = tia.evaluate(CALL, [f"/api/v1/workspaces/demo/exams/{hall.slug}/sessions/{session}/violations/", seen])
    flagged = tia.locator('[data-list="flagged"] > li')
    expect(flagged).to_have_count(1)
    expect(flagged).to_contain_text("Pupil 200")
    expect(tia.locator('[data-list="rest"] > li').first).to_have_attribute("aria-setsize", str(PUPILS - 1))
    assert tia.evaluate("window.put") <= 4
    assert tia.evaluate(IN_ORDER)
    # Not under a pointer: there it is filled and keeps its place
    flagged.hover()
    path = f"/api/v1/workspaces/demo/exams/{hall.slug}/violations/{noted['id']}/"
    tia.evaluate("""async ([path, body]) => {
        const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': document.querySelector('meta[name=csrf-token]').content };
        await fetch(path, { method: 'PATCH', headers, body: JSON.stringify(body) });
    }""", [path, {"review": "dismissed", "reason": ""}])  # fmt: skip  # noqa: E501
    expect(tia.locator('[data-part="held"]')).to_contain_text("1")
    expect(flagged).to_have_count(1)
    tia.mouse.move(2, 2)
    expect(flagged).to_have_count(0)
    expect(card(tia, "Pupil 200")).to_have_count(0)
    scroll(tia, 0.5, "Pupil 200")


def test_search_and_table_and_phone_show_the_same_people(tia: Page):
    scroll(tia, 1, "Pupil 400")
    tia.locator("input[name=search]").fill("pupil 38")
    expect(tia.locator(CARDS)).to_have_count(10)
    expect(card(tia, "Pupil 389")).to_be_in_viewport()
    tia.locator("input[name=search]").fill("")
    tia.get_by_role("button", name="Table").click()
    for width in (1440, 390):
        tia.set_viewport_size({"width": width, "height": 900})
        tia.wait_for_function(ROWS, arg=[0.5, "Pupil 200", "Pupil 201"])
        assert drawn(tia) < MOST
        assert tia.evaluate(IN_ORDER)


def test_the_cards_run_as_the_script_does(tia: Page):
    left = card(tia, "Pupil 001").bounding_box()["x"]
    tia.evaluate("document.documentElement.dir = 'rtl'")
    tia.set_viewport_size({"width": 1300, "height": 900})
    tia.wait_for_function(
        "(left) => document.querySelector('.students > li').getBoundingClientRect().x > left", arg=left
    )
    assert tia.evaluate(IN_ORDER)
    card(tia, "Pupil 001").locator(".student").focus()
    tia.keyboard.press("ArrowLeft")
    assert focused(tia) == "Pupil 002"
