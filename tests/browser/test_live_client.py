"""live.js alone in a browser, against a server end that each test plays by hand."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

LIVE = Path(__file__).parents[2] / "config/live/static/live/live.js"
HOME = "http://line.test/"
BLANK = '<!doctype html><meta charset="utf-8"><p id="state"></p><ol id="events"></ol><ol id="told"></ol>'
# What happened is put on the page, so that tests wait for it as people would.
START = """async ({ after, renewed }) => {
    const { Live } = await import("/live.js");
    const put = (place, word) => {
        const line = document.createElement("li");
        line.textContent = word;
        document.getElementById(place).append(line);
    };
    const live = new Live({
        renew: async () => (put("told", "renew"), renewed),
        signIn: () => put("told", "sign in"),
    });
    const say = () => { document.getElementById("state").textContent = live.state + (live.polling ? " polling" : ""); };
    live.addEventListener("state", say);
    window.snapshot = 0;
    window.topic = live.subscribe("room", {
        after,
        event: (frame) => put("events", frame.data),
        reload: async () => (put("told", "reload"), window.snapshot),
        refused: () => put("told", "refused"),
    });
    window.live = live;
    live.start();
    say();
}"""


class Line:
    """The server's end of every socket the page opens."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.heard: list[dict[str, Any]] = []
        self.open = True
        self._socket: WebSocketRoute | None = None
        page.route_web_socket(re.compile("/ws/live"), self._arrived)

    def _arrived(self, socket: WebSocketRoute) -> None:
        if not self.open:
            socket.close(code=1011)
            return
        self._socket = socket
        socket.on_message(lambda text: self.heard.append(json.loads(text)))

    def say(self, **frame: Any) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps({"topic": "room", **frame}))

    def event(self, seq: int) -> None:
        self.say(op="event", seq=seq, type="message.created", data=f"e{seq}")

    def close(self, code: int) -> None:
        assert self._socket is not None
        self._socket.close(code=code)

    def asked(self) -> list[int | None]:
        return [frame["after"] for frame in self.heard if frame["op"] == "subscribe"]

    def wait_asked(self, *after: int | None, seconds: float = 10) -> None:
        for _ in range(int(seconds * 20)):
            if self.asked() == list(after):
                return
            self.page.wait_for_timeout(50)
        assert self.asked() == list(after)

    def wait_told(self, *words: str) -> None:
        expect(self.page.locator("#told li")).to_have_text(list(words))

    def wait_events(self, *words: str) -> None:
        expect(self.page.locator("#events li")).to_have_text(list(words))

    def wait_state(self, word: str) -> None:
        expect(self.page.locator("#state")).to_have_text(word)


Open = Callable[..., Line]


@pytest.fixture
def line(browser: Browser) -> Iterator[Open]:
    page = browser.new_page()
    page.route(HOME + "**", lambda route: route.fulfill(body=BLANK, content_type="text/html"))
    page.route(HOME + "live.js", lambda route: route.fulfill(path=LIVE, content_type="text/javascript"))

    def start(*, after: int | None = 4, renewed: object = 1, is_open: bool = True) -> Line:
        end = Line(page)
        end.open = is_open
        page.goto(HOME)
        page.evaluate(START, {"after": after, "renewed": renewed})
        if is_open:
            end.wait_asked(after)
        return end

    yield start
    page.close()


def test_it_goes_on_from_its_number_and_applies_nothing_twice(line):
    end = line()
    end.event(5)
    end.say(op="subscribed", seq=5)
    end.event(5)
    end.event(6)
    end.wait_events("e5", "e6")
    end.wait_state("live")


def test_several_events_in_one_frame_are_taken_one_by_one(line):
    end = line()
    end.say(op="subscribed", seq=4)
    events = [{"op": "event", "topic": "room", "seq": seq, "data": f"e{seq}"} for seq in (4, 5, 6)]
    end.say(op="events", events=events)
    end.event(7)
    end.wait_events("e5", "e6", "e7")
    assert "gather" not in end.heard[0]


def test_a_hole_is_asked_for_again_once(line):
    end = line()
    end.say(op="subscribed", seq=4)
    end.event(6)
    end.event(7)
    end.wait_asked(4, 4)
    for seq in (5, 6, 7):
        end.event(seq)
    end.say(op="subscribed", seq=7)
    end.wait_events("e5", "e6", "e7")
    end.wait_state("live")
    assert end.asked() == [4, 4]


def test_a_head_shows_what_was_lost_in_silence(line):
    end = line()
    end.say(op="subscribed", seq=4)
    end.say(op="heads", topics={"room": 5})
    end.wait_asked(4, 4)


def test_a_reset_loads_the_snapshot_and_goes_on_from_it(line):
    end = line()
    end.page.evaluate("window.snapshot = 40")
    end.say(op="reset", seq=4, head=39)
    end.wait_told("reload")
    end.wait_asked(4, 40)
    end.event(41)
    end.wait_events("e41")


def test_a_broken_line_is_taken_up_where_it_was(line):
    end = line()
    end.say(op="subscribed", seq=4)
    end.event(5)
    end.wait_events("e5")
    end.page.evaluate("window.snapshot = 5")  # three short lives in a row: it may ask over HTTP too
    for code in (1012, 4408, 4429):
        before = end.asked()
        end.close(code)
        end.wait_asked(*before, 5)
    end.say(op="subscribed", seq=5)
    end.wait_state("live")


def test_an_expired_sign_in_is_renewed(line):
    end = line()
    end.close(4401)
    end.wait_told("renew")
    end.wait_asked(4, 4)


def test_a_sign_in_that_is_over_leads_to_the_sign_in_page(line):
    end = line(renewed=False)
    end.close(4401)
    end.wait_told("renew", "sign in")


def test_not_found_is_believed_only_from_somebody(line):
    end = line()
    end.say(op="error", code="not_found", message="There is no such topic.")
    end.wait_asked(4, 4)
    end.wait_told("renew")
    end.say(op="error", code="not_found", message="There is no such topic.")
    end.wait_told("renew", "refused")


def test_what_is_said_about_a_signal_touches_no_topic(line):
    end = line()
    end.say(op="subscribed", seq=4)
    end.wait_state("live")
    end.say(op="error", code="too_many", message="Too many.")
    end.event(5)
    end.wait_events("e5")
    assert end.asked() == [4]


def test_no_signal_goes_up_before_the_topic_is_followed(line):
    end = line()
    end.page.evaluate("window.topic.signal('typing', {typing: true})")
    end.say(op="subscribed", seq=4)
    end.wait_state("live")
    end.page.evaluate("window.topic.signal('typing', {typing: false})")
    end.page.evaluate("window.live.renewed()")
    for _ in range(100):
        if end.heard[-1]["op"] == "token":
            break
        end.page.wait_for_timeout(50)
    assert [frame["data"] for frame in end.heard if frame["op"] == "signal"] == [{"typing": False}]


def test_where_sockets_are_blocked_it_asks_instead_and_comes_back(line):
    end = line(is_open=False)
    end.page.evaluate("window.snapshot = 9")
    end.wait_state("catching-up polling")
    expect(end.page.locator("#told li").first).to_have_text("reload")
    end.open = True
    end.page.evaluate("window.live.retryNow()")
    end.wait_asked(9)
    end.say(op="subscribed", seq=9)
    end.wait_state("live")
