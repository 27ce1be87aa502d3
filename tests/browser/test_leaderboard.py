"""A board in front of a class: a score shows at once, in its place, once, however one looks at it."""

import base64
import hashlib
import hmac
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import PASSWORD, Product
from tests.browser.reading import said
from tests.browser.seats import Seats

KEY = base64.b64decode("ZGVtby1zY29yZXMtc2VjcmV0LTMyLWJ5dGVzLWxvbmchIQ==")
STRAY = "http://localhost:9/"


def push(product: Product, code: str, nickname: str, score: float, **more: Any) -> None:
    """As the grading function does."""
    fields: dict[str, Any] = {
        "submission_id": f"{code}-{nickname}",
        "quiz_code": code,
        "exam_id": "",
        "nickname": nickname,
    }
    fields |= {"score": score, "max_score": 20, "submitted_at": "2026-01-05T10:00:00Z", **more}
    body, message, now = json.dumps(fields).encode(), f"msg_{time.monotonic_ns()}", int(time.time())
    digest = hmac.new(KEY, f"{message}.{now}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(now),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    request = urllib.request.Request(f"{product.url}/webhooks/scores", body, headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 200


@pytest.fixture(scope="module")
def keeper(browser: Browser, product: Product) -> Iterator[Callable[..., dict[str, Any]]]:
    """Ada, who looks after boards: `keeper("PATCH", "boards/X/", {...})`."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{product.url}/login?next=/settings/boards")
    page.fill("input[name=email]", "ada@demo.example")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r":\d+/settings/boards"))
    script = """async ([method, path, body]) => {
        const csrf = document.querySelector("meta[name=csrf-token]").content;
        const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf };
        const answer = await fetch(`/api/v1/workspaces/demo/${path}`, {
            method, headers, body: body && JSON.stringify(body),
        });
        return answer.json();
    }"""
    yield lambda method, path, body=None: page.evaluate(script, [method, path, body])
    context.close()


@pytest.fixture
def code(keeper) -> str:
    made: str = keeper("POST", "boards/", {"quiz_code": f"T{time.monotonic_ns()}"[-12:], "name": "Fractions"})[
        "quiz_code"
    ]
    return made


@pytest.fixture
def look(seats: Seats, product: Product) -> Iterator[Callable[..., Page]]:
    """`look("/leaderboard/X")`: somebody without an account, with a browser of their own."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def enter(path: str, *, live: bool = True, before: Callable[[Page], object] | None = None, **options: Any) -> Page:
        page = seats.take(viewport={"width": 1280, "height": 800}, **options)
        contexts.append(page.context)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if before:
            before(page)
        page.goto(path if path.startswith("http") else f"{product.url}{path}")
        if live:
            page.locator('[data-live][data-state="live"]').wait_for(state="attached")
        return page

    yield enter
    for context in contexts:
        seats.give_back(context)
    assert errors == []


def names(page: Page) -> Any:
    return page.locator('[data-part="ranks"] [data-field="nickname"]')


def test_an_empty_board_fills_by_itself_and_rows_glide_to_their_places(look, product, code):
    page = look(f"/leaderboard/{code}")
    expect(page.get_by_text("No scores yet")).to_be_visible()
    push(product, code, "Quick Otter", 12)
    push(product, code, "Calm Heron", 15)
    expect(names(page)).to_have_text(["Calm Heron", "Quick Otter"])
    expect(page.get_by_text("No scores yet")).to_be_hidden()
    expect(page.locator('[data-part="players"]')).to_have_text(said("2 players"))
    page.evaluate("""() => {
        window.glided = [];
        const real = Element.prototype.animate;
        Element.prototype.animate = function (frames, how) {
            window.glided.push([this.textContent, frames[0].transform ?? "fade"]);
            return real.call(this, frames, how);
        };
        window.since = performance.now();
    }""")
    page.wait_for_function("() => performance.now() - window.since > 600")  # closer together they jump
    push(product, code, "Quick Otter", 19, correction_id=f"{code}-again")
    expect(names(page)).to_have_text(["Quick Otter", "Calm Heron"])
    page.wait_for_function("() => window.glided.filter(([, how]) => how.startsWith('translateY')).length === 2")
    expect(page.locator("#announcer")).to_contain_text(said("Quick Otter leads with 19 of 20"))
    expect(page.locator(".board-page[data-new-leader]")).to_have_count(1)
    expect(page.locator('[data-part="ranks"] > li').first.locator('[data-field="moved"]')).to_have_text(said("up 1"))


def test_rows_out_of_sight_do_not_glide(look, product, code):
    for number in range(30):
        push(product, code, f"Player {number}", 12)
    page = look(f"/leaderboard/{code}?top=50")
    expect(names(page)).to_have_count(30)
    page.evaluate("""() => {
        window.glided = [];
        window.since = performance.now();
        Element.prototype.animate = function () { window.glided.push(this.getBoundingClientRect().top); };
    }""")
    page.wait_for_function("() => performance.now() - window.since > 600")  # closer together they jump
    push(product, code, "Quick Otter", 19)
    expect(names(page).first).to_have_text("Quick Otter")
    page.wait_for_function("() => window.glided.length > 5")
    tops, height = page.evaluate("[window.glided, innerHeight]")
    assert len(tops) < 25
    assert max(tops) < height + 200


def test_a_score_is_shown_by_itself_and_equals_share_a_rank(look, product, code):
    page = look(f"/leaderboard/{code}")
    push(product, code, "Ana", 10, submitted_at="2026-01-05T10:00:02Z")
    expect(names(page)).to_have_text(["Ana"])
    push(product, code, "Ben", 10, submitted_at="2026-01-05T10:00:01Z")
    expect(names(page)).to_have_text(["Ben", "Ana"])
    push(product, code, "Cleo", 3)
    push(product, code, "Cleo", 3)
    expect(names(page)).to_have_text(["Ben", "Ana", "Cleo"])
    expect(page.locator('[data-part="ranks"] [data-field="place"]')).to_have_text(["1", "1", "3"])


def test_no_confetti_and_no_gliding_for_who_wants_rest(look, product, code):
    page = look(f"/leaderboard/{code}", reduced_motion="reduce")
    push(product, code, "Ana", 5)
    expect(names(page)).to_have_text(["Ana"])
    push(product, code, "Ben", 6)
    expect(page.locator("#announcer")).to_contain_text(said("Ben leads"))
    expect(page.locator(".board-page[data-new-leader]")).to_have_count(0)
    assert page.evaluate("document.getAnimations().length") == 0


def test_one_finds_oneself_with_neighbours_and_moves_with_the_board(look, product, code):
    for number in range(8):
        push(product, code, f"Player {number}", 15 - number)
    page = look(f"/leaderboard/{code}?top=3")
    expect(names(page)).to_have_text(["Player 0", "Player 1", "Player 2"])
    page.get_by_role("button", name="Find me").click()
    page.get_by_label("Your nickname in the quiz").fill("player 6")
    page.get_by_role("button", name="That is me").click()
    near = page.locator('[data-part="near"] [data-field="nickname"]')
    expect(near).to_have_text(["Player 4", "Player 5", "Player 6", "Player 7"])
    own = page.locator('[data-part="own"]')
    expect(own).to_have_text(said("Player 6: place 7 of 8, 1 point behind Player 5"))
    push(product, code, "Somebody", 20)
    expect(own).to_have_text(said("Player 6: place 8 of 9, 1 point behind Player 5"))
    page.reload()
    expect(page.get_by_role("button", name="Player 6", exact=False)).to_be_visible()
    expect(own).to_contain_text(said("place 8 of 9"))


def test_an_answer_that_is_older_than_a_score_takes_it_from_nobody(look, product, code):
    for number in range(5):
        push(product, code, f"Player {number}", 15 - number)
    page = look(f"/leaderboard/{code}?top=3")
    held: list[Any] = []
    page.route(re.compile(r"/api/v1/leaderboards/.*me="), lambda route: held.append((route, route.fetch())))
    page.get_by_role("button", name="Find me").click()
    page.get_by_label("Your nickname in the quiz").fill("player 4")
    page.get_by_role("button", name="That is me").click()
    own = page.locator('[data-part="own"]')
    expect(own).to_contain_text(said("place 5 of 5"))  # from the rows that are there
    push(product, code, "Somebody", 20)
    expect(own).to_contain_text(said("place 6 of 6"))
    for route, answer in held:
        with page.expect_response(re.compile("me=")):
            route.fulfill(response=answer)
    assert held
    page.wait_for_timeout(100)
    expect(own).to_contain_text(said("place 6 of 6"))
    expect(names(page)).to_have_text(["Somebody", "Player 0", "Player 1"])


def test_without_a_socket_it_asks_every_few_seconds(look, product, code):
    page = look(
        f"/leaderboard/{code}",
        live=False,
        before=lambda page: page.route_web_socket(re.compile("/ws/live"), lambda socket: socket.close(code=1011)),
    )
    push(product, code, "Ana", 5)
    expect(names(page)).to_have_text(["Ana"])
    push(product, code, "Ben", 6)
    expect(names(page)).to_have_text(["Ben", "Ana"])


def test_a_late_page_is_right_at_once_and_so_is_one_that_was_away(look, product, code):
    early = look(f"/leaderboard/{code}")
    push(product, code, "Ana", 5)
    expect(names(early)).to_have_text(["Ana"])
    early.context.set_offline(True)
    push(product, code, "Ben", 6)
    push(product, code, "Cleo", 4)
    expect(names(look(f"/leaderboard/{code}"))).to_have_count(3)
    late = look(f"/leaderboard/{code}", live=False, java_script_enabled=False)
    expect(names(late)).to_have_text(["Ben", "Ana", "Cleo"])
    early.context.set_offline(False)
    expect(names(early)).to_have_text(["Ben", "Ana", "Cleo"])
    expect(early.locator('[data-part="players"]')).to_have_text(said("3 players"))


def test_a_private_board_asks_for_its_code_and_keeps_it(look, product, code, keeper):
    push(product, code, "Ana", 5)
    keeper("PATCH", f"boards/{code}/", {"join_code": "OTTER7"})
    page = look(f"/leaderboard/{code}", live=False)
    expect(page.get_by_role("heading", name="This board is private")).to_be_visible()
    page.get_by_label("Code").fill("wrong")
    page.get_by_role("button", name="Show the board").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Code").fill(" otter7 ")
    page.get_by_role("button", name="Show the board").click()
    expect(names(page)).to_have_text(["Ana"])
    page.locator('[data-live][data-state="live"]').wait_for(state="attached")
    push(product, code, "Ben", 6)
    expect(names(page)).to_have_text(["Ben", "Ana"])
    page.reload()
    expect(names(page)).to_have_text(["Ben", "Ana"])
    keeper("PATCH", f"boards/{code}/", {"join_code": "HERON8"})
    page.reload()
    expect(page.get_by_role("heading", name="This board is private")).to_be_visible()


def test_closing_and_hiding_show_at_once(look, product, code, keeper):
    push(product, code, "Ana", 5)
    page = look(f"/leaderboard/{code}")
    expect(names(page)).to_have_text(["Ana"])
    keeper("PATCH", f"boards/{code}/", {"is_open": False})
    expect(page.get_by_text("Final", exact=True)).to_be_visible()
    expect(page.locator('[data-part="hint"]')).to_contain_text("nothing changes any more")
    keeper("PATCH", f"boards/{code}/", {"is_hidden": True})
    expect(page.locator('.board-page[data-state="gone"]')).to_be_attached()
    expect(names(page)).to_have_count(0)
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_text("This board is not shown any more")).to_be_visible()
    keeper("PATCH", f"boards/{code}/", {"is_hidden": False})
    expect(names(page)).to_have_text(["Ana"])
    keeper("PATCH", f"boards/{code}/", {"is_hidden": True})
    expect(names(page)).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="There is no such board")).to_be_visible()


def test_one_that_was_closed_with_nobody_on_it_promises_nothing(look, product, code, keeper):
    page = look(f"/leaderboard/{code}")
    expect(page.get_by_text("The first one shows here by itself.")).to_be_visible()
    keeper("PATCH", f"boards/{code}/", {"is_open": False})
    expect(page.get_by_role("heading", name="Nobody has a score here")).to_be_visible()
    expect(page.get_by_text("The first one shows here by itself.")).to_be_hidden()
    drawn = look(f"/leaderboard/{code}", live=False, java_script_enabled=False)
    expect(drawn.get_by_role("heading", name="Nobody has a score here")).to_be_visible()


def test_a_tutor_renames_and_takes_off_and_every_page_follows(look, product, code, keeper):
    push(product, code, "Ana", 5)
    push(product, code, "Ben", 4)
    page = look(f"/leaderboard/{code}")
    expect(names(page)).to_have_text(["Ana", "Ben"])
    first, second = keeper("GET", f"boards/{code}/entries/")["results"]
    keeper("PATCH", f"boards/{code}/entries/{first['id']}/", {"nickname": "Brave Fox"})
    expect(names(page)).to_have_text(["Brave Fox", "Ben"])
    keeper("PATCH", f"boards/{code}/entries/{second['id']}/", {"is_hidden": True})
    expect(names(page)).to_have_text(["Brave Fox"])
    expect(page.locator('[data-part="players"]')).to_have_text(said("1 player"))


def test_it_stands_in_pages_of_other_hosts_as_high_as_it_is(look, product, code):
    push(product, code, "Ana", 5)
    html = f"""<!doctype html><script type="module" src="{product.url}/leaderboard.js"></script>
        <switchboard-leaderboard code="{code}" top="5" me="Ana"></switchboard-leaderboard>"""
    page = look(
        STRAY,
        live=False,
        permissions=["local-network-access"],  # a page of the world may not call this machine
        before=lambda page: page.route(STRAY + "**", lambda route: route.fulfill(body=html, content_type="text/html")),
    )
    frame = page.frame_locator("iframe")
    expect(frame.locator('[data-part="ranks"] [data-field="nickname"]')).to_have_text(["Ana"])
    expect(frame.get_by_role("button")).to_have_count(0)
    push(product, code, "Ben", 6)
    expect(frame.locator('[data-part="ranks"] [data-field="nickname"]')).to_have_text(["Ben", "Ana"])
    page.wait_for_function("() => document.querySelector('iframe').style.blockSize !== '30rem'")


@pytest.mark.parametrize("width", [360, 1920])
def test_nothing_runs_over_the_edge_and_any_script_stands_well(look, product, code, width):
    for number, name in enumerate(("شجاع النمر", "Zoë 🦊", "非常に長い名前" * 8, "W" * 60, "דוב קטן")):
        push(product, code, name, number + 1.125)
    push(product, code, "all there is", 999_999_999.999, max_score=999_999_999.999)
    for query in ("", f"?me={'W' * 60}"):
        page = look(f"/leaderboard/{code}{query}", locale="ar")
        page.set_viewport_size({"width": width, "height": 800})
        expect(names(page)).to_have_count(6)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    you = page.locator('[data-part="ranks"] [data-field="you"]:visible')
    expect(you).to_have_count(1)
    box, row = you.bounding_box(), page.locator('[data-part="ranks"] [data-me]').bounding_box()
    assert box
    assert row
    assert row["x"] <= box["x"]
    assert box["x"] + box["width"] <= row["x"] + row["width"]
