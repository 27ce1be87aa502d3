"""A day of an exam: what tutors do reaches the student and comes back, and what goes wrong is told as what it was."""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.reading import said
from tests.browser.test_proctoring_pages import (
    EXAM,
    STILL,
    begin,
    card,
    enter,
    hand_in,
    in_database,
    may_beat,
    open_card,
    paste,
    sam,
    sue,
    tia,
)
from tests.browser.visiting import HURRY

__all__ = ["CALL", "in_database", "sam", "sue", "tia"]

HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (hidden ? "hidden" : "visible") });
    document.dispatchEvent(new Event("visibilitychange"));
}"""  # noqa: E501

# What the drawer asks for is answered, and handed on later
HOLD = """() => {
    const ask = window.fetch;
    window.held = [];
    window.fetch = async (...asked) => {
        const answer = await ask(...asked);
        if (/(chat|commands\\/)\\?limit/.test(asked[0])) await new Promise((go) => { window.held.push(go); });
        return answer;
    };
}"""

FITS = """(dialog) => {
    const { left, right } = dialog.getBoundingClientRect();
    return left >= 0 && right <= innerWidth && dialog.scrollWidth <= dialog.clientWidth;
}"""

CALL = """async ([path, body]) => {
    const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': document.querySelector('meta[name=csrf-token]').content };
    const answer = await fetch(path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) });
    return answer.json();
}"""  # noqa: E501


@pytest.fixture
def watching(tia, sam) -> Page:
    """Tia with Sam's card open: what comes, comes to it."""
    open_card(tia)
    return tia


@pytest.fixture
def other(sam, sign_in) -> Page:
    """Sam at a second browser, while the first is there."""
    page = enter(sign_in, "sam", EXAM, **STILL)
    page.locator('.exam[data-view="live"]').wait_for()
    return page


def order(tia: Page, act: str, *, body: str = "", reason: str = "", urgent: bool = False) -> None:
    """Out of the open student's drawer."""
    button = tia.locator(f".drawer [data-act={act}]")
    if not button.is_visible():
        tia.locator('.drawer [popovertarget="menu-student"]').click()
    button.click()
    form = tia.locator("form[name=act]")
    if body:
        form.locator("textarea").fill(body)
    if reason:
        form.locator("input[name=reason]").fill(reason)
    if urgent:
        form.locator("input[name=urgent]").check()
    form.locator("[type=submit]").click()
    expect(form).to_be_hidden()


def moment(tia: Page, text: str) -> Any:
    return tia.locator('[data-drawer="timeline"] > li').filter(has_text=text).first


def session_of(tia: Page, name: str = "Sam") -> str:
    return str(card(tia, name).locator(".student").get_attribute("data-session"))


def test_what_a_tutor_says_is_shown_to_the_student_and_its_way_to_the_tutor(tia, sam):
    open_card(tia)
    tia.locator("[data-act=announcement][data-all]").click()
    tia.locator("form[name=act] textarea").fill("Ten minutes left")
    tia.keyboard.press("Control+Enter")
    banner = sam.locator(".exam-notices .banner").filter(has_text="Ten minutes left")
    banner.get_by_role("button", name="Got it").click()
    expect(moment(tia, "Ten minutes left")).to_contain_text("seen")


def test_who_is_asked_for_attention_looks_up_and_the_tutor_knows(tia, sam):
    open_card(tia)
    order(tia, "attention", reason="Look at the camera")
    wanted = sam.locator("#dialog-attention")
    expect(wanted).to_contain_text("Look at the camera")
    expect(moment(tia, "Ask for attention")).to_contain_text("delivered")
    wanted.get_by_role("button").click()
    expect(moment(tia, "Ask for attention")).to_contain_text("seen")

    order(tia, "message", body="Stop writing now", urgent=True)
    expect(wanted).to_contain_text("Stop writing now")
    sam.keyboard.press("Escape")
    expect(moment(tia, "Stop writing now")).to_contain_text("seen")


def test_past_announcements_are_listed_and_counted_as_they_are_read(tia, sam):
    tia.locator('[popovertarget="menu-exam"]').click()
    tia.get_by_role("menuitem", name="Announcements").click()
    told = tia.get_by_role("dialog", name="Announcements")
    told.get_by_role("button", name="Announce").click()
    tia.locator("form[name=act] textarea").fill("اقرأ السؤال 12 مرة أخرى")
    tia.keyboard.press("Control+Enter")
    row = told.locator(".announcements > li").first
    expect(row).to_contain_text("السؤال 12")
    expect(row).to_contain_text(said("1 delivered, 0 seen"))
    sam.locator(".exam-notices .banner").get_by_role("button", name="Got it").click()
    expect(row).to_contain_text(said("0 delivered, 1 seen"))
    expect(row).to_contain_text("Tia")
    assert row.locator("[data-field=body]").evaluate("body => body.matches(':dir(rtl)')")
    tia.set_viewport_size({"width": 375, "height": 700})
    assert told.evaluate(FITS)
    tia.keyboard.press("Escape")
    expect(told).to_be_hidden()


def test_what_a_tutor_notes_is_told_as_far_as_it_is_the_students_and_an_end_with_its_reason(tia, sam):
    open_card(tia)
    order(tia, "note", body="Talked to the parents")
    expect(moment(tia, "Talked to the parents")).to_be_visible()
    order(tia, "irregularity", body="A book on the desk")
    expect(tia.locator(".review").filter(has_text="A book on the desk")).to_be_visible()
    expect(sam.locator('[data-part="log"]')).to_contain_text("Noted by a tutor")
    expect(sam.get_by_text("Talked to the parents")).to_have_count(0)

    order(tia, "terminate", reason="Book on the desk")
    expect(sam.get_by_role("heading", name="Ended by your tutor")).to_be_visible()
    expect(sam.locator('[data-part="stopped-reason"]')).to_contain_text("Book on the desk")
    expect(card(tia)).to_contain_text("Ended")


def test_writing_shows_on_either_side_while_it_lasts(tia, sam):
    open_card(tia)
    expect(sam.locator('[data-part="line"]')).to_have_text("Connected")
    tia.locator("form[name=chat] textarea").press_sequentially("Yes")
    expect(sam.locator('[data-part="typing"]')).to_contain_text("Tia")
    tia.keyboard.press("Enter")
    expect(sam.locator('[data-part="messages"]')).to_contain_text("Yes")
    expect(sam.locator('[data-part="typing"]')).to_have_text("")
    sam.locator("form[name=chat] textarea").press_sequentially("I")
    expect(tia.locator('[data-drawer="typing"]')).to_contain_text("is writing")
    sam.locator("form[name=chat] textarea").fill("I see")
    sam.keyboard.press("Enter")
    expect(tia.locator('[data-drawer="messages"]')).to_contain_text("I see")
    expect(tia.locator('[data-drawer="typing"]')).to_have_text("")


def test_a_raised_hand_and_what_is_noticed_call_for_a_person_by_tone_and_notice(tia, sam):
    tia.evaluate("""() => {
        window.told = [];
        class Told { static permission = "granted"; static requestPermission = async () => "granted";
            constructor(title, { body }) { window.told.push(`${title}: ${body}`); } close() {} }
        window.Notification = Told;
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (at) { window.told.push("tone"); return start.call(this, at); };
    }""")
    tia.locator("[data-act=sound]").click()
    expect(tia.locator("[data-act=sound]")).to_have_attribute("aria-pressed", "true")
    tia.locator('[popovertarget="menu-exam"]').click()
    tia.locator("[data-act=notices]").click()
    expect(tia.locator('[data-part="notices-word"]')).to_have_text("Desktop notices on")
    tia.keyboard.press("Escape")
    expect(card(tia)).to_contain_text("Active")
    tia.evaluate("window.told = []")
    tia.evaluate(HIDE, True)
    sam.get_by_role("button", name="Raise hand").click()
    sam.locator("#dialog-hand input[name=note]").fill("Question 3")
    sam.locator("#dialog-hand [type=submit]").click()
    tia.wait_for_function("() => ['tone', 'Question 3'].every((word) => window.told.some((one) => one.includes(word)))")
    tia.evaluate(HIDE, False)
    flagged = tia.locator('[data-list="flagged"] li').filter(has_text=said("Raised a hand: Question 3"))
    expect(flagged).to_be_visible()
    expect(tia.locator('[data-count="hand"]')).to_have_text("1")
    sam.get_by_role("button", name="Hand is up").click()
    expect(flagged).to_have_count(0)


def test_a_page_out_of_sight_and_one_that_is_slowed_are_no_accusation(tia, sam, product):
    expect(card(tia)).to_contain_text("Active")
    may_beat(product)
    sam.evaluate(HIDE, True)
    expect(card(tia)).to_contain_text(re.compile("Page hidden|Hidden, slowed"))
    expect(card(tia)).not_to_contain_text("Disconnected")
    open_card(tia)
    expect(tia.locator('[data-drawer="timeline"]')).not_to_contain_text("Connection lost")


def test_a_second_device_is_noticed_once_and_neither_is_thrown_out(tia, sam, other):
    flagged = tia.locator('[data-list="flagged"] li').filter(has_text="Sam")
    expect(flagged).to_contain_text("Second device on this attempt")
    expect(sam.locator('[data-part="log"]')).to_contain_text("Second device on this attempt")
    other.reload()
    other.locator('.exam[data-view="live"]').wait_for()
    expect(sam.locator('[data-part="log"] > li').filter(has_text="Second device")).to_have_count(1)
    expect(sam.locator('.exam[data-view="live"]')).to_have_count(1)


def test_the_second_device_is_told_in_words_and_ended_while_the_first_goes_on(watching, sam, other, product):
    tia = watching
    banner = tia.locator('[data-drawer="why"]')
    expect(banner).to_contain_text(said("Chrome on Linux opened it at"))
    banner.get_by_role("button", name="End the second one").click()
    expect(tia.locator('[data-act-part="whom"]')).to_contain_text(said("Chrome on Linux"))
    tia.keyboard.press("Enter")
    expect(other.get_by_role("heading", name="The exam goes on at your other device")).to_be_visible()
    expect(moment(tia, "End on a device")).to_contain_text("seen")
    may_beat(product)
    sam.locator("input[value=b]").check()
    expect(card(tia)).to_contain_text("1/40")


def test_a_device_stays_ended_until_it_is_let_in_again(tia, sam, other):
    flagged = tia.locator('[data-list="flagged"] li').filter(has_text="Sam")
    expect(flagged).to_contain_text("Second device on this attempt")
    session = f"/api/v1/workspaces/demo/exams/demo-exam/sessions/{session_of(tia)}/"
    second = tia.evaluate(CALL, [session, None])["devices"][-1]
    tia.evaluate(CALL, [f"{session}commands/", {"type": "end_device", "device": second["id"]}])
    expect(other.get_by_role("heading", name="The exam goes on at your other device")).to_be_visible()
    other.reload()
    expect(other.get_by_role("heading", name="The exam goes on at your other device")).to_be_visible()
    open_card(tia)
    tia.locator('[data-drawer="devices"]').get_by_role("button", name="Let it in again").click()
    expect(tia.locator('[data-drawer="devices"]')).not_to_contain_text("ended")
    other.reload()
    other.locator('.exam[data-view="live"]').wait_for()


def test_who_calls_while_paused_comes_first(tia, sam):
    open_card(tia)
    order(tia, "pause")
    expect(sam.locator('[data-part="paused"]')).to_be_visible()
    sam.get_by_role("button", name="Raise hand").click()
    sam.locator("#dialog-hand [type=submit]").click()
    flagged = tia.locator('[data-list="flagged"] li').filter(has_text=said("Raised a hand (paused)"))
    expect(flagged.locator(".student")).to_have_attribute("data-tone", "danger")
    tia.reload()
    expect(flagged).to_be_visible()


def test_what_comes_while_the_drawer_loads_stands_there_after_it(tia, sam):
    tia.evaluate(HOLD)
    card(tia).locator(".student").click()
    tia.wait_for_function("() => window.held.length === 2")
    sam.locator("form[name=chat] textarea").fill("While it loads")
    sam.keyboard.press("Enter")
    expect(tia.locator('[data-part="stream"]')).to_contain_text("While it loads")
    tia.evaluate("for (const go of window.held) go()")
    tia.locator(".drawer [data-act=message]").wait_for()
    expect(tia.locator('[data-drawer="timeline"]')).to_contain_text("Started")
    expect(tia.locator('[data-drawer="messages"]')).to_contain_text("While it loads")


def test_after_a_crash_everything_is_as_it_was(tia, sam, product):
    sam.locator("input[value=c]").check()
    sam.get_by_role("button", name="Next", exact=True).click()
    may_beat(product)
    sam.locator("input[value=a]").check()
    sam.locator("form[name=chat] textarea").fill("Before the crash")
    sam.keyboard.press("Enter")
    expect(tia.locator('[data-part="stream"]')).to_contain_text("Before the crash")
    session, context, address = session_of(tia), sam.context, sam.url
    sam.route(re.compile(r"/violations$"), lambda route: route.abort())
    paste(sam)
    expect(sam.locator('[data-part="queued"]')).to_be_visible()
    sam.close()  # nothing said good-bye
    again = context.new_page()
    again.goto(address)
    again.locator('.exam[data-view="live"]').wait_for()
    assert session_of(tia) == session
    expect(again.locator('[data-part="number"]')).to_contain_text(said("2 of 40"))
    expect(again.locator("input[value=a]")).to_be_checked()
    expect(again.locator("[data-question][data-done]")).to_have_count(2)
    expect(again.locator('[data-part="messages"]')).to_contain_text("Before the crash")
    expect(again.locator('[data-part="log"]')).to_contain_text("Pasted")
    expect(card(tia)).to_contain_text("2/40")


def test_lost_time_stands_in_the_ledger_and_is_given_back_with_one_press(tia, sam, product):
    open_card(tia)
    # What of the silence was an outage of ours, as the product's own start is, would not be Sam's
    in_database(product, "update proctoring_servicemark set back_at = null")
    in_database(
        product,
        "update proctoring_sessionpulse set seen_at = now() - interval '95 s', lost_at = now() - interval '95 s',"
        " last_heartbeat = now() - interval '95 s' where session_id = %s",
        session_of(tia),
    )
    sam.locator("input[value=b]").check()  # something to beat for
    expect(tia.locator('[data-drawer="timeline"]')).to_contain_text("Connection back")
    lost = tia.locator('[data-drawer="lost"]')
    tia.locator('[data-drawer="give-back"]').wait_for()
    expect(lost).to_contain_text(said("in one outage"))
    tia.locator('[data-drawer="give-back"]').click()
    expect(sam.locator(".exam-notices")).to_contain_text(said("You get 2 m"))
    expect(lost).to_contain_text("given back")
    expect(tia.locator('[data-drawer="left"]')).to_contain_text("of it extra")
    expect(tia.locator('[data-drawer="give-back"]')).to_be_hidden()


@dataclass
class Cut:
    """Sue, whose line is HTTP alone, and dead when it is said so."""

    page: Page
    is_dead: bool = False
    is_early: bool = False
    tried: int = 0

    def beat(self, route: Route) -> None:
        self.tried += 1
        if self.is_dead:
            route.abort()
        elif self.is_early:
            route.fulfill(status=429, headers={"Retry-After": "5"}, json={"code": "beat_too_early", "retry_after": 5})
        else:  # a server that asks for beats every second, so that nobody has to wait ten for the next
            answer = route.fetch()
            route.fulfill(response=answer, json={**answer.json(), "next_interval": 1})


@pytest.fixture
def sue_by_http(sign_in, product) -> Cut:
    hand_in(product, "sue")
    cut = Cut(enter(sign_in, "sue", EXAM, **STILL))
    cut.page.add_init_script(HURRY)
    cut.page.route(re.compile(r"/heartbeat$"), cut.beat)
    cut.page.route_web_socket(re.compile("/ws/live"), lambda socket: socket.close(code=1011))
    cut.page.reload()
    begin(cut.page)
    expect(cut.page.locator('[data-part="line"]')).to_have_text("Connected, without the live line")
    return cut


def test_the_student_hears_of_trouble_after_several_failures_alone(sue_by_http):
    page = sue_by_http.page
    sue_by_http.is_dead, before = True, sue_by_http.tried
    page.get_by_text("Your connection is gone.").wait_for()
    assert sue_by_http.tried - before >= 3
    expect(page.locator('[data-part="line"]')).to_have_text("No connection")
    sue_by_http.is_dead, sue_by_http.is_early = False, True  # whoever is told to come later has a line
    expect(page.get_by_text("The connection is back. Nothing was lost.")).to_be_visible()
    expect(page.get_by_text("Your connection is gone.")).to_have_count(0)
