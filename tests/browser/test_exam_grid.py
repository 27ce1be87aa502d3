"""The grid as a whole: found, sorted, acted on together; several exams at once; and what is taken home."""

import csv
import io
import re
import time
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD
from tests.browser.reading import said
from tests.browser.test_exam_day import CALL
from tests.browser.test_proctoring_pages import STILL, card, enter, may_beat, open_card, paste, sam, sue, tia
from tests.waiting import wait_for

__all__ = ["sam", "sue", "tia"]

HEIGHTS = "(targets) => targets.map((target) => target.getBoundingClientRect().height)"
BY_NAME = """() => {
    const names = [...document.querySelectorAll('[data-list="rest"] li:not([hidden]) [data-field="name"]')];
    const order = new Intl.Collator();
    return names.every((one, place) => !place || order.compare(names[place - 1].textContent, one.textContent) <= 0);
}"""


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
    ada.locator("input[name=title]").first.fill("Chemistry, with a name that is longer than a phone is wide")
    ada.locator("input[name=slug]").fill(slug)
    ada.get_by_role("button", name="Create").click()
    ada.wait_for_url(re.compile(slug))
    ada.locator("summary").filter(has_text="Rules").click()
    ada.get_by_label("How “Copied” weighs").select_option("critical")
    ada.get_by_role("button", name="Save the rules").click()
    expect(ada.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    tutor = ada.locator("select[name=user] option").filter(has_text="tia@demo.example").get_attribute("value")
    ada.locator("select[name=user]").select_option(tutor)
    ada.get_by_role("button", name="Add a tutor").click()
    expect(ada.locator("[data-tutor]").filter(has_text="tia@demo.example")).to_have_count(1)
    ada.locator("textarea[name=students]").fill("sue@demo.example, Sue, 8c, 5\nsam@demo.example, Sam, 8d")
    ada.get_by_role("button", name="Enrol", exact=True).click()
    expect(ada.locator("[data-enrolment]").filter(has_text="8c")).to_contain_text("5 min more")
    context.close()
    return slug


@pytest.fixture
def tia_at_the_list(sign_in, chemistry) -> Page:
    return enter(sign_in, "tia", "/proctor", **STILL)


@pytest.fixture
def tia_at_both(sign_in, chemistry) -> Page:
    return enter(sign_in, "tia", f"/proctor?exam=demo-exam&exam={chemistry}", **STILL)


def test_the_list_of_exams_tells_what_happens_in_each(sam, chemistry, tia_at_the_list):
    tia, slug = tia_at_the_list, chemistry
    first, second = (tia.locator(f'[data-exam="{name}"]') for name in ("demo-exam", slug))
    expect(first.locator('[data-count="active"]')).to_have_text(re.compile("[1-9]"))
    expect(second.locator('[data-count="active"]')).to_have_text("0")
    tia.locator('[data-live][data-state="live"]').first.wait_for(state="attached")
    sam.evaluate("document.dispatchEvent(new ClipboardEvent('copy', {clipboardData: new DataTransfer()}))")
    expect(first.locator('[data-part="latest"]')).to_contain_text("Copied")
    expect(second.locator('[data-part="latest"]')).to_have_text("")

    for line in (first, second):
        line.locator("input[name=exam]").check()
    tia.get_by_role("button", name="Watch the chosen together").click()
    tia.wait_for_url(re.compile(rf"exam={slug}&exam=demo-exam"))


def test_several_exams_in_one_grid_each_student_under_theirs(sam, chemistry, tia_at_both):
    tia, slug = tia_at_both, chemistry
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
    # One call for each exam, and the page shows the first
    path = f"/api/v1/sessions/{started['id']}/commands"
    waiting = wait_for(lambda: sam.evaluate(CALL, [path, None])["results"])
    assert [command["body"] for command in waiting] == ["Both papers end at noon"]
    assert min(tia.locator(".exams-now a, .stream-name").evaluate_all(HEIGHTS)) >= 24
    for width in (375, 820):
        tia.set_viewport_size({"width": width, "height": 700})
        assert tia.locator(".proctor-main").evaluate("main => main.scrollWidth - main.clientWidth") <= 0
        assert (
            tia.locator(".searchbox").evaluate("box => box.clientWidth") >= 150
        )  # beside the long name, and not below it
