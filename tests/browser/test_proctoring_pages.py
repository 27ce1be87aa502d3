"""A student and their tutor, each at a browser: what one does the other sees, and nothing is lost or said twice."""

import re
from datetime import datetime, timedelta
from functools import cache

import httpx
import psycopg
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PASSWORD, Product
from tests.browser.late import Late
from tests.browser.visiting import HURRY
from tests.waiting import wait_for

EXAM = "/exam/demo-exam"
GRID = "/proctor/demo-exam"


# Nobody waits for a dialog to come to rest before they press what is in it; those who asked for no motion don't either
STILL = {"reduced_motion": "reduce"}


# Seconds by which the page's clock is wrong once a beat has told of an answer: the least of some looks, since what
# is asked may be long under way
CLOCK_OFF = """async (id) => {
    const at = Date.parse, rest = () => new Promise((done) => { setTimeout(done, 100); });
    let least = Infinity;
    for (let looks = 12; looks && least >= 5; await rest()) {
        const session = await fetch(`/api/v1/sessions/${id}`).then((answer) => answer.json());
        if (!session.answered_count) continue;
        const [minutes, seconds] = document.querySelector('[data-part="left"]').textContent.split(':');
        const left = (at(session.ends_at) - at(session.server_time)) / 1000;
        least = Math.min(least, Math.abs(left - minutes * 60 - seconds));
        looks -= 1;
    }
    return least;
}"""


# The page asks for its next beat as soon as it has something to tell; when the server takes one is its own say
EAGER = """() => {
    const read = Response.prototype.json;
    Response.prototype.json = async function () {
        const said = await read.call(this);
        if (said?.least_interval) said.least_interval = 0;
        return said;
    };
}"""


# What waits on this device ends with half a character, as a page that cuts texts short may report it, and one more
BREAK_ONE = """
for (const key of Object.keys(localStorage).filter((name) => /^exam\\.[0-9a-f-]{36}$/.test(name))) {
    const kept = JSON.parse(localStorage[key]), occurred_at = new Date().toISOString();
    for (const [type, detail] of [["copy", { words: "\\ud83d" }], ["cut", {}]])
        kept.items.push({ client_id: crypto.randomUUID(), seq: null, type, occurred_at, detail });
    localStorage[key] = JSON.stringify(kept);
}"""


@pytest.fixture
def tia(sign_in) -> Page:
    return enter(sign_in, "tia", GRID, **STILL)


@pytest.fixture
def sam(sign_in, product) -> Page:
    return sit(sign_in, product)


@pytest.fixture
def sue(sign_in, product) -> Page:
    return sit(sign_in, product, "sue")


def in_database(product: Product, statement: str, *values: object) -> None:
    lines = (product.copy.var_dir / "postgres" / "postmaster.pid").read_text().splitlines()
    with psycopg.connect(host=lines[4], user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(statement.encode(), values)


def may_beat(product: Product) -> None:
    """As if the last beats were long enough ago: what they bring is looked at here, and their pace elsewhere."""
    in_database(product, "update proctoring_sessionpulse set last_heartbeat = last_heartbeat - interval '6 s'")


def sit(sign_in, product: Product, name: str = "sam") -> Page:
    """The student, past the consent of an attempt of their own."""
    hand_in(product, name)
    page = enter(sign_in, name, EXAM, **STILL)
    begin(page)
    return page


def begin(page: Page) -> None:
    page.evaluate(EAGER)
    page.check("input[name=agreed]")
    page.get_by_role("button", name="Start the exam").click()
    page.locator('.exam[data-view="live"]').wait_for()


def hand_in(product: Product, name: str = "sam") -> None:
    """What is open, by an earlier test or this one; where nothing is, consent is asked for."""
    with httpx.Client(base_url=product.url, headers=bearer(product.url, name), trust_env=False, timeout=20) as student:
        going = student.post(f"/api/v1{EXAM.replace('exam', 'exams', 1)}/sessions", json={})
        if going.is_success:
            student.post(f"/api/v1/sessions/{going.json()['id']}/end", json={}).raise_for_status()
        else:
            assert going.json()["code"] == "consent_required", going.text


@cache
def bearer(url: str, name: str) -> dict[str, str]:
    """Once for each: what a password costs would be paid in every test."""
    given = {"email": f"{name}@demo.example", "password": PASSWORD}
    token = httpx.post(f"{url}/auth/v1/token?grant_type=password", json=given, trust_env=False, timeout=20)
    return {"Authorization": f"Bearer {token.raise_for_status().json()['access_token']}"}


def enter(sign_in, name: str, path: str, **options: object) -> Page:
    page: Page = sign_in(name, path=path, wait=path.startswith("/proctor"), **options).page
    return page


def card(page: Page, name: str = "Sam"):
    return page.locator(".students > li").filter(has_text=name)


def paste(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: new DataTransfer()}))")


def open_card(page: Page, name: str = "Sam") -> None:
    card(page, name).locator(".student").click()
    expect(page.locator("#drawer-title")).to_contain_text(name)
    page.locator(".drawer [data-act=message]").wait_for()


def test_a_beat_and_progress_show_at_the_tutors(tia, sam, product):
    expect(card(tia)).to_contain_text("Active")
    may_beat(product)
    sam.locator("input[value=b]").check()
    sam.get_by_role("button", name="Next", exact=True).click()
    expect(card(tia)).to_contain_text(re.compile(r"[1-9]\d*/40"))
    expect(card(tia).locator(".student-time")).to_contain_text(re.compile(r"^\d+ s$"))


def test_what_is_noticed_floats_up_and_a_word_settles_it(tia, sam):
    paste(sam)
    flagged = tia.locator('[data-list="flagged"] li').filter(has_text="Sam")
    expect(flagged).to_contain_text("Pasted")
    expect(tia.locator('[data-part="stream"]')).to_contain_text("High: Pasted")
    expect(sam.locator('[data-part="log"]')).to_contain_text("Pasted")
    sam.get_by_role("button", name="Explain this").first.click()
    sam.get_by_placeholder("What happened, in your words").fill("The page asked me to")
    entry = sam.locator('[data-part="log"] > li').filter(has=sam.locator(".explain"))
    word, form = (
        entry.locator(part).evaluate("part => part.getBoundingClientRect().toJSON()") for part in ("b", "form")
    )
    assert form["x"] == word["x"]  # below it, and not beside it
    assert form["width"] > word["width"]
    sam.locator(".explain").get_by_role("button", name="Send").click()
    open_card(tia)
    review = tia.locator(".review").filter(has_text="The page asked me to")
    review.get_by_role("button", name="Forgive").click()
    expect(review.get_by_role("button", name="Forgive")).to_have_attribute("aria-pressed", "true")
    expect(sam.locator('[data-part="log"]')).to_contain_text("Forgiven")


def test_a_message_is_acknowledged_by_the_student(tia, sam):
    open_card(tia)
    tia.locator(".drawer [data-act=message]").click()
    tia.locator("form[name=act] textarea").fill("Question 12 has a typo")
    tia.keyboard.press("Control+Enter")
    notice = sam.locator(".exam-notices .banner").filter(has_text="Question 12 has a typo")
    expect(notice).to_be_visible()
    moment = tia.locator('[data-drawer="timeline"] > li').filter(has_text="Question 12 has a typo").first
    expect(moment).to_contain_text("delivered")
    notice.get_by_role("button", name="Got it").click()
    expect(moment).to_contain_text("seen")
    expect(notice).to_have_count(0)


def test_what_was_told_while_a_student_was_fetched_anew_stands(tia, sam):
    """What came of an order, and what they wrote, is newer than an answer that was under way."""
    open_card(tia)
    tia.locator(".drawer [data-act=message]").click()
    tia.locator("form[name=act] textarea").fill("Question 13 has two")
    tia.keyboard.press("Control+Enter")
    moment = tia.locator('[data-drawer="timeline"] > li').filter(has_text="Question 13 has two").first
    expect(moment).to_contain_text("delivered")
    session = card(tia).locator(".student").get_attribute("data-session")
    commands, chat = Late(tia, rf"/{session}/commands/\?"), Late(tia, rf"/{session}/chat\?")
    card(tia).locator(".student").click()
    commands.get()
    chat.get()
    sam.locator(".exam-notices .banner").get_by_role("button", name="Got it").click()
    sam.locator("form[name=chat] textarea").fill("Which two?")
    sam.keyboard.press("Enter")
    expect(moment).to_contain_text("seen")
    expect(tia.locator('[data-drawer="messages"]')).to_contain_text("Which two?")
    commands.give()
    chat.give()
    expect(moment).to_contain_text("seen")
    expect(tia.locator('[data-drawer="messages"]')).to_contain_text("Which two?")


def test_a_pause_stops_the_paper_and_a_resume_lets_it_go_on(tia, sam):
    open_card(tia)
    tia.locator(".drawer [data-act=pause]").click()
    tia.locator("form[name=act] input[name=reason]").fill("Fire drill")
    tia.keyboard.press("Enter")
    cover = sam.locator('[data-part="paused"]')
    expect(cover).to_be_visible()
    expect(cover).to_contain_text("Fire drill")
    expect(sam.locator("input[value=a]")).to_be_disabled()
    expect(card(tia)).to_contain_text("Paused")
    sam.reload()
    expect(cover).to_contain_text("Fire drill")  # whoever comes back is told as well
    tia.locator(".drawer [data-act=resume]").click()
    tia.keyboard.press("Enter")
    expect(cover).to_be_hidden()
    expect(card(tia)).to_contain_text("Active")


def test_a_withdrawn_consent_stops_the_watching_until_it_is_given_again(tia, sam):
    expect(card(tia)).to_contain_text("Active")
    sam.get_by_role("button", name="Withdraw my consent").click()
    sam.locator("#dialog-withdraw").get_by_role("button", name="Withdraw my consent").click()
    expect(sam.locator('[data-part="private"]')).to_contain_text("You withdrew your consent at")
    expect(card(tia).get_by_role("img", name="Consent withdrawn")).to_be_visible()
    expect(tia.locator('[data-part="stream"] li').first).to_contain_text("Withdrew consent")
    open_card(tia)
    expect(tia.locator('[data-drawer="consent"]')).to_contain_text("withdrawn at")
    paste(sam)
    sam.reload()
    sam.locator('.exam[data-view="live"]').wait_for()
    expect(sam.locator('[data-part="private"]')).to_be_visible()
    sam.get_by_role("button", name="Agree again").click()
    sam.locator("form[name=agree] input[name=agreed]").check()
    sam.locator("form[name=agree]").get_by_role("button", name="Agree again").click()
    expect(sam.locator('[data-part="private"]')).to_be_hidden()
    expect(tia.locator('[data-drawer="consent"]')).to_have_text(re.compile("^Agreed to [^,]+$"))
    sam.evaluate("document.dispatchEvent(new MouseEvent('contextmenu'))")
    expect(sam.locator('[data-part="log"]')).to_contain_text("Opened the context menu")
    expect(sam.locator('[data-part="log"]')).not_to_contain_text("Pasted")
    expect(sam.locator('[data-part="log"]')).not_to_contain_text("Reloaded the page")


def test_the_clock_of_one_who_is_not_watched_is_right(sam, product):
    with sam.expect_response(re.compile(r"/consent$")) as withdrawn:
        sam.get_by_role("button", name="Withdraw my consent").click()
        sam.locator("#dialog-withdraw").get_by_role("button", name="Withdraw my consent").click()
    may_beat(product)
    sam.locator("input[value=b]").check()
    assert sam.evaluate(CLOCK_OFF, withdrawn.value.json()["id"]) < 5


def test_they_write_to_each_other(tia, sam):
    sam.locator("form[name=chat] textarea").fill("My screen went black")
    sam.keyboard.press("Enter")
    expect(tia.locator('[data-part="stream"]')).to_contain_text("My screen went black")
    open_card(tia)
    expect(tia.locator('[data-drawer="messages"]')).to_contain_text("My screen went black")
    tia.locator("form[name=chat] textarea").fill("I see it, go on")
    tia.keyboard.press("Enter")
    expect(sam.locator('[data-part="messages"]')).to_contain_text("I see it, go on")
    mine = sam.locator('[data-part="messages"] > li[data-direction="out"]').last
    expect(mine).to_contain_text("Read")
    theirs = tia.locator('[data-drawer="messages"] > li').filter(has_text="I see it, go on")
    expect(theirs).to_contain_text("Read")


def test_what_was_noticed_without_a_line_is_told_once_after_a_reload(tia, sue):
    expect(card(tia, "Sue")).to_be_visible()
    dead = re.compile(r"/api/v1/sessions/.*/violations$")
    sue.route(dead, lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    sue.evaluate("document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: new DataTransfer()}))")
    sue.evaluate("document.dispatchEvent(new MouseEvent('contextmenu'))")
    expect(sue.locator('[data-part="queued"]')).to_contain_text("Entries: 2")
    sue.unroute(dead)
    sue.add_init_script(HURRY)
    # Arrives, and its answer is lost: the client has to ask again
    lost: list[object] = []

    def lose(route):
        if route.request.method != "POST" or lost:
            return route.fallback()
        lost.append(route.fetch())
        return route.abort()

    sue.route(dead, lose)
    sue.add_init_script(BREAK_ONE)
    sue.reload()
    sue.locator('.exam[data-view="live"]').wait_for()
    expect(sue.locator('[data-part="queued"]')).to_be_hidden()
    assert lost
    open_card(tia, "Sue")
    told = tia.locator('[data-drawer="timeline"] > li')
    expect(told.filter(has_text="Opened the context menu")).to_have_count(1)
    expect(told.filter(has_text="Pasted")).to_have_count(1)
    expect(told.filter(has_text="Cut")).to_have_count(1)
    expect(told.filter(has_text="Reloaded the page")).to_have_count(1)


def test_a_reload_goes_on_though_the_server_stumbles(sue):
    asked: list[Route] = []

    def stumble(route: Route) -> None:
        asked.append(route)
        if len(asked) > 2:
            return route.fallback()
        return route.fulfill(status=503, json={"code": "unavailable"})

    sue.route("**/api/v1/exams/demo-exam/sessions", stumble)
    sue.reload()
    words = sue.get_by_text("trying again by itself")
    expect(sue.locator(".exam > .going")).to_be_visible()
    expect(words).to_be_visible()
    sue.locator('.exam[data-view="live"]').wait_for()
    expect(words).to_be_hidden()
    assert len(asked) == 3


def test_what_one_tab_keeps_outlives_it_in_the_other(tia, sue, product):
    expect(card(tia, "Sue")).to_be_visible()
    dead = re.compile(r"/api/v1/sessions/.*/violations$")
    context = sue.context
    context.route(dead, lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    other = context.new_page()
    other.goto(f"{product.url}{EXAM}")
    other.locator('.exam[data-view="live"]').wait_for()
    other.evaluate("document.dispatchEvent(new MouseEvent('contextmenu'))")
    expect(other.locator('[data-part="queued"]')).to_contain_text("Entries: 1")
    paste(sue)
    expect(sue.locator('[data-part="queued"]')).to_contain_text("Entries: 2")
    other.close()  # as a crash would, before anything of it has arrived
    context.unroute(dead)
    sue.add_init_script(HURRY)
    sue.reload()
    sue.locator('.exam[data-view="live"]').wait_for()
    expect(sue.locator('[data-part="queued"]')).to_be_hidden()
    open_card(tia, "Sue")
    told = tia.locator('[data-drawer="timeline"] > li')
    expect(told.filter(has_text="Opened the context menu")).to_have_count(1)
    expect(told.filter(has_text="Pasted")).to_have_count(1)


def test_a_consent_that_is_withdrawn_in_one_tab_is_so_in_the_other(sue):
    kept = """Object.keys(localStorage).find((name) => /^exam\\.[0-9a-f-]{36}$/.test(name))"""
    sue.route(re.compile(r"/api/v1/sessions/.*"), lambda route: route.abort())
    paste(sue)
    expect(sue.locator('[data-part="queued"]')).to_contain_text("Entries: 1")
    sue.evaluate(f"localStorage[{kept}] = JSON.stringify({{...JSON.parse(localStorage[{kept}]), withdrawn: true}})")
    paste(sue)
    assert sue.evaluate(f"JSON.parse(localStorage[{kept}]).withdrawn") is True


def test_several_are_chosen_and_told_by_keys(tia, sam):
    expect(card(tia)).to_contain_text("Active")
    tia.get_by_role("button", name="Choose several").click()
    card(tia).locator(".student").click()
    expect(tia.locator('[data-part="chosen"]')).to_have_text("1 chosen")
    tia.locator('[data-part="bulk"] [data-act="extra_time"]').click()
    tia.keyboard.press("Enter")
    expect(sam.locator(".exam-notices")).to_contain_text(re.compile("You get .*5 m.* more"))


def test_the_filter_finds_and_the_list_counts(sam, tia):
    sam.get_by_role("button", name="Raise hand").click()
    sam.locator("#dialog-hand").get_by_role("button", name="Raise hand").click()
    expect(tia.locator("#flagged-title")).to_be_visible()
    tia.locator("input[name=search]").fill("sam")
    expect(tia.locator(".students > li:not([hidden])")).to_have_count(1)
    tia.locator("input[name=search]").fill("nobody of this name")
    expect(tia.get_by_text("Nobody fits the filter")).to_be_visible()
    expect(tia.locator("#rest-title")).to_be_hidden()
    expect(tia.locator("#flagged-title")).to_be_hidden()
    sam.get_by_role("button", name="Hand is up").click()
    tia.get_by_role("button", name="Show everyone").click()
    tia.goto(tia.url.split("/proctor")[0] + "/proctor")
    expect(tia.locator('[data-exam="demo-exam"] [data-count="active"]')).to_have_text(re.compile("[1-9]"))
    assert sam.locator(".exam").count()


def test_strangers_find_nothing_there(sign_in, product):
    for name, paths in {"ben": (GRID, EXAM), "vic": (GRID, EXAM, "/proctor"), "cleo": (GRID, EXAM)}.items():
        page = sign_in(name).page
        for path in paths:
            answer = page.goto(f"{product.url}{path}")
            assert answer.status == 404, (name, path)
    tia = enter(sign_in, "tia", GRID)
    assert tia.goto(f"{product.url}{EXAM}").status == 404


def test_a_tutor_lands_on_the_exams(browser, product):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{product.url}{GRID}")
    page.wait_for_url("**/login?next=*")
    page.goto(f"{product.url}/login")
    page.fill("input[name=email]", "tia@demo.example")
    page.fill("input[name=password]", "demo-password")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{product.url}/proctor")
    expect(page.get_by_role("link", name="Exams")).to_be_visible()
    expect(page.get_by_role("link", name="Inbox")).to_have_count(0)
    context.close()


def test_on_a_phone_nothing_runs_over_the_edge(sam, tia):
    sam.set_viewport_size({"width": 375, "height": 800})
    tia.set_viewport_size({"width": 375, "height": 800})
    for page in (sam, tia):
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert tia.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.proctor-main'))") <= 0


def test_handing_in_ends_it_for_both(tia, sam):
    sam.get_by_role("button", name="Hand in").first.click()
    sam.locator("#dialog-hand-in").get_by_role("button", name="Hand in").click()
    expect(sam.get_by_role("heading", name="Handed in")).to_be_visible()
    expect(card(tia)).to_contain_text("Submitted")


def test_a_line_that_is_no_longer_kept_accuses_nobody(tia, sam, product):
    session = card(tia).get_attribute("data-key")
    kept = f"select 1 from proctoring_sessionpulse where session_id = '{session}' and cardinality(trail_at) > 0"
    wait_for(lambda: product._sql(kept))  # the first beat: written after it is taken, it would outlive what follows
    hand_in(product)
    expect(card(tia)).to_contain_text("Submitted")
    earlier = "update proctoring_examsession set started_at = started_at - interval '10 minutes' where id = %s"
    in_database(product, earlier, session)
    in_database(
        product, "update proctoring_sessionpulse set trail_at = '{}', trail_rtt = '{}' where session_id = %s", session
    )
    tia.reload()
    open_card(tia)
    expect(tia.locator('[data-drawer="rtt"]')).to_contain_text("no longer kept")
    expect(tia.locator('[data-drawer="beats"] .missed')).to_have_count(0)


def test_the_page_that_stands_open_says_that_the_exam_is_over(sign_in, product):
    """Another attempt is offered until then."""
    hand_in(product)
    sam = enter(sign_in, "sam", EXAM)
    sam.route(f"**{EXAM}", over_in_a_moment)
    sam.reload()
    expect(sam.get_by_role("heading", name="The exam is over")).to_be_visible()
    expect(sam.get_by_role("button", name="Start the exam")).to_be_hidden()


def over_in_a_moment(route: Route) -> None:
    """The page of an exam that ends a moment after it was asked for."""
    answer = route.fetch()
    body = answer.text()
    now = datetime.fromisoformat(re.findall(r'"now": "([^"]+)"', body)[0])
    assert 'data-view="consent"' in body
    assert '"begins_until": null' in body
    end = (now + timedelta(seconds=0.5)).isoformat()
    route.fulfill(response=answer, body=body.replace('"begins_until": null', f'"begins_until": "{end}"'))
