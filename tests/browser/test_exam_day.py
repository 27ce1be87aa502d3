"""A day of an exam: what tutors do reaches the student and comes back, and what goes wrong is told as what it was."""

import csv
import io
import re
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.browser.reading import said
from tests.browser.test_proctoring_pages import (
    EXAM,
    card,
    enter,
    in_database,
    may_beat,
    open_card,
    paste,
    sam,
    sue,
    tia,
)

__all__ = ["CALL", "in_database", "sam", "sue", "tia"]

# Whatever a timer of the page waits for takes a tenth of it
HURRY = "const real = setTimeout; globalThis.setTimeout = (run, ms, ...more) => real(run, (ms ?? 0) / 10, ...more);"
BY_NAME = """() => {
    const names = [...document.querySelectorAll('[data-list="rest"] li:not([hidden]) [data-field="name"]')];
    const order = new Intl.Collator();
    return names.every((one, place) => !place || order.compare(names[place - 1].textContent, one.textContent) <= 0);
}"""
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

CALL = """async ([path, body]) => {
    const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': document.querySelector('meta[name=csrf-token]').content };
    const answer = await fetch(path, { method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body) });
    return answer.json();
}"""  # noqa: E501


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


def test_a_second_device_is_noticed_once_and_neither_is_thrown_out(tia, sam, sign_in):
    other = enter(sign_in, "sam", EXAM)
    other.locator('.exam[data-view="live"]').wait_for()
    flagged = tia.locator('[data-list="flagged"] li').filter(has_text="Sam")
    expect(flagged).to_contain_text("Second device on this attempt")
    expect(sam.locator('[data-part="log"]')).to_contain_text("Second device on this attempt")
    other.reload()
    other.locator('.exam[data-view="live"]').wait_for()
    expect(sam.locator('[data-part="log"] > li').filter(has_text="Second device")).to_have_count(1)
    expect(sam.locator('.exam[data-view="live"]')).to_have_count(1)


def test_the_second_device_is_told_in_words_and_ended_while_the_first_goes_on(tia, sam, sign_in, product):
    open_card(tia)
    other = enter(sign_in, "sam", EXAM)
    other.locator('.exam[data-view="live"]').wait_for()
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
    other.reload()
    expect(other.get_by_role("heading", name="The exam goes on at your other device")).to_be_visible()
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
    expect(lost).to_contain_text(said("in 1 outages"))
    tia.locator('[data-drawer="give-back"]').click()
    expect(sam.locator(".exam-notices")).to_contain_text(said("You get 2 m"))
    expect(lost).to_contain_text("given back")
    expect(tia.locator('[data-drawer="left"]')).to_contain_text("of it extra")
    expect(tia.locator('[data-drawer="give-back"]')).to_be_hidden()


def test_the_student_hears_of_trouble_after_several_failures_alone(sign_in):
    page = enter(sign_in, "sue", EXAM)
    page.add_init_script(HURRY)
    dead: list[bool] = [False]
    tried: list[float] = []

    def beat(route: Any) -> None:
        tried.append(time.monotonic())
        if dead[0]:
            route.abort()
        else:
            route.fallback()

    page.route(re.compile(r"/heartbeat$"), beat)
    page.route_web_socket(re.compile("/ws/live"), lambda socket: socket.close(code=1011))
    page.reload()
    page.locator('.exam:is([data-view="live"], [data-view="consent"])').wait_for()
    if page.locator('.exam[data-view="consent"]').count():
        page.check("input[name=agreed]")
        page.get_by_role("button", name="Start the exam").click()
    page.locator('.exam[data-view="live"]').wait_for()
    expect(page.locator('[data-part="line"]')).to_have_text("Connected, without the live line")
    dead[0], before = True, len(tried)
    page.get_by_text("Your connection is gone.").wait_for()
    assert len(tried) - before >= 3
    expect(page.locator('[data-part="line"]')).to_have_text("No connection")
    dead[0] = False
    expect(page.get_by_text("The connection is back. Nothing was lost.")).to_be_visible()
    expect(page.get_by_text("Your connection is gone.")).to_have_count(0)


def test_the_grid_is_searched_sorted_and_narrowed(tia, sam, sue, product):
    expect(card(tia, "Sue")).to_contain_text("Active")
    may_beat(product)
    sue.locator("input[value=b]").check()
    paste(sam)
    names = tia.locator('.students > li:not([hidden]) [data-field="name"]')
    expect(card(tia, "Sue")).to_contain_text("1/40")
    tia.get_by_role("button", name="Table").click()
    expect(tia.locator('[data-part="main"]')).to_have_attribute("data-view", "table")
    tia.keyboard.press("v")
    expect(tia.locator('[data-part="main"]')).to_have_attribute("data-view", "cards")
    tia.locator("select[name=order]").select_option("name")
    tia.wait_for_function(BY_NAME)
    tia.locator('[data-filter="attention"]').click()
    expect(names.filter(has_text="Sam")).to_have_count(1)
    expect(names.filter(has_text="Sue")).to_have_count(0)
    tia.locator('[data-filter="active"]').click()
    expect(names.filter(has_text="Sue")).to_have_count(1)
    expect(names.filter(has_text="Siti")).to_have_count(0)  # handed in this morning
    tia.locator("select[name=group]").select_option("8b")
    expect(names).to_have_count(0)
    tia.get_by_role("button", name="Show everyone").click()
    tia.locator("input[name=search]").fill("s")
    tia.locator("input[name=search]").fill("su")
    expect(names).to_have_count(1)


def test_many_are_acted_on_as_a_whole(tia, sam, sue):
    names = tia.locator('.students > li:not([hidden]) [data-field="name"]')
    expect(card(tia)).to_contain_text("Active")
    expect(card(tia, "Sue")).to_contain_text("Active")
    tia.locator('[data-filter="active"]').click()
    tia.get_by_role("button", name="Choose several").click()
    tia.get_by_role("button", name="All that are shown").click()
    tia.locator('[data-part="bulk"] [data-act="pause"]').click()
    tia.locator("form[name=act] input[name=reason]").fill("Fire drill")
    tia.keyboard.press("Enter")
    for page in (sam, sue):
        expect(page.locator('[data-part="paused"]')).to_contain_text("Fire drill")
    row = tia.locator('[data-part="stream"] li').filter(has_text=said("2 students")).first
    expect(row).to_contain_text(said("2 seen"))
    tia.locator('[data-filter="paused"]').click()
    expect(names).to_have_count(2)
    tia.get_by_role("button", name="All that are shown").click()
    tia.locator('[data-part="bulk"] [data-act="resume"]').click()
    tia.keyboard.press("Enter")
    for page in (sam, sue):
        expect(page.locator('[data-part="paused"]')).to_be_hidden()


def test_the_reports_are_taken_home(tia, sam, tmp_path: Path):
    paste(sam)
    expect(card(tia)).to_contain_text("Pasted")  # others have pasted before
    for name, begin in (
        ("Report as CSV", "\ufeffsession,student"),
        ("Every verdict as CSV", "\ufeffsession,"),
        ("Report as PDF", "%PDF-"),
    ):
        tia.locator('[popovertarget="menu-exam"]').click()
        with tia.expect_download() as taken:
            tia.locator("#menu-exam").get_by_role("menuitem", name=name).click()
        path = tmp_path / taken.value.suggested_filename
        taken.value.save_as(path)
        assert path.read_bytes().decode("utf-8", "replace").startswith(begin)
        if name == "Report as CSV":
            lines = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
            assert any(line["student_name"].startswith("Sam") and int(line["high"]) for line in lines)
        if tia.locator("#menu-exam:popover-open").count():
            tia.keyboard.press("Escape")


def test_one_students_report_is_taken_home(tia, sam):
    open_card(tia)
    tia.locator('.drawer [popovertarget="menu-student"]').click()
    with tia.expect_download() as taken:
        tia.locator('.drawer [data-drawer="pdf"]').click()
    assert Path(taken.value.path()).read_bytes().startswith(b"%PDF-")


@pytest.fixture
def chemistry(product, browser) -> str:
    """A second exam of Tia's, as Ada sets it up."""
    slug = f"second-{time.monotonic_ns()}"
    context = browser.new_context()
    ada = context.new_page()
    ada.goto(f"{product.url}/login?next=/settings/exams")
    ada.fill("input[name=email]", "ada@demo.example")
    ada.fill("input[name=password]", PASSWORD)
    ada.keyboard.press("Enter")
    ada.wait_for_url(re.compile(r":\d+/settings/exams"))
    ada.locator("summary").filter(has_text="New exam").click()
    ada.locator("input[name=title]").first.fill("Chemistry")
    ada.locator("input[name=slug]").fill(slug)
    ada.get_by_role("button", name="Create").click()
    ada.wait_for_url(re.compile(slug))
    ada.locator("summary").filter(has_text="Rules").click()
    ada.get_by_label("How “Copied” weighs").select_option("critical")
    ada.get_by_role("button", name="Save the rules").click()
    expect(ada.get_by_role("status")).to_contain_text("Saved")
    tutor = ada.locator("select[name=user] option").filter(has_text="tia@demo.example").get_attribute("value")
    ada.locator("select[name=user]").select_option(tutor)
    ada.get_by_role("button", name="Add a tutor").click()
    expect(ada.locator("[data-tutor]").filter(has_text="tia@demo.example")).to_have_count(1)
    ada.locator("textarea[name=students]").fill("sue@demo.example, Sue, 8c, 5\nsam@demo.example, Sam, 8d")
    ada.get_by_role("button", name="Enrol", exact=True).click()
    expect(ada.locator("[data-enrolment]").filter(has_text="8c")).to_contain_text("5 min more")
    context.close()
    return slug


def test_several_exams_at_once_each_with_its_numbers(tia, sam, product, chemistry):
    slug = chemistry
    tia.goto(f"{product.url}/proctor")
    first, second = (tia.locator(f'[data-exam="{name}"]') for name in ("demo-exam", slug))
    expect(first.locator('[data-count="active"]')).to_have_text(re.compile("[1-9]"))
    expect(second.locator('[data-count="active"]')).to_have_text("0")
    tia.locator('[data-live][data-state="live"]').first.wait_for(state="attached")
    sam.evaluate("document.dispatchEvent(new ClipboardEvent('copy', {clipboardData: new DataTransfer()}))")
    expect(first.locator('[data-part="latest"]')).to_contain_text("Copied")
    expect(second.locator('[data-part="latest"]')).to_have_text("")

    # Both in one grid, and each student under their exam
    for line in (first, second):
        line.locator("input[name=exam]").check()
    tia.get_by_role("button", name="Watch the chosen together").click()
    expect(card(tia).filter(has_text="Biology midterm")).to_contain_text("Active")
    started = sam.evaluate(CALL, [f"/api/v1/exams/{slug}/sessions", {}])
    there = card(tia).filter(has_text="Chemistry")
    expect(there).to_be_visible()
    copied = {"client_id": str(uuid4()), "type": "copy", "occurred_at": started["server_time"]}
    sam.evaluate(CALL, [f"/api/v1/sessions/{started['id']}/violations", {"violations": [copied]}])
    expect(there).to_contain_text("Copied")
    tia.locator("[data-act=announcement]").click()
    tia.locator("form[name=act] textarea").fill("Both papers end at noon")
    tia.keyboard.press("Control+Enter")
    expect(sam.locator(".exam-notices")).to_contain_text("Both papers end at noon")
    waiting = sam.evaluate(CALL, [f"/api/v1/sessions/{started['id']}/commands", None])["results"]
    assert [command["body"] for command in waiting] == ["Both papers end at noon"]
