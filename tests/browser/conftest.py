"""The whole product as `make run` starts it, in a process tree of its own, and people with browsers in front."""

import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from config.env import RUN_FILE, shell_file
from tests.browser.numbers import numbers
from tests.browser.seats import Seats
from tests.browser.visiting import shop, visit  # noqa: F401  # fixtures
from tests.run.copies import RunningCopy, free_port
from tests.waiting import wait_for
from webhooks.kapso.signature import kapso_signature

CHROMIUM = (
    shutil.which("chromium-headless-shell")
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
    or shutil.which("google-chrome")
)
PASSWORD = "demo-password"
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "kapso-received-text.json"

PROMISES = {"test_two_agents.py", "test_widget.py", "test_live_client.py"}
# As Playwright words it, of a step and of an `expect`
WAITED_IN_VAIN = ["^TimeoutError: ", "^AssertionError: (Locator|Page) expected "]
LAST = 15  # of what a page said and asked
FOCUS = "() => document.activeElement?.outerHTML.slice(0, 120)"
LADDER = ("sent", "delivered", "read")
# Busy machines are slow, and what is there sooner is not waited for
SECONDS = 60
expect.set_options(timeout=SECONDS * 1000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Three browsers and three products on two cores: where a page was waited for in vain a test is tried once more,
    and counted. No other assertion is, nor anything about what must happen once, in order or after a kill."""
    for item in items:
        if not item.path.is_relative_to(Path(__file__).parent):
            continue
        if item.path.name not in PROMISES:
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=WAITED_IN_VAIN))
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="no Chromium found"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """What every page showed and said stands below the traceback, also of a test that is tried again."""
    report = yield
    told = hasattr(report.longrepr, "reprtraceback")  # not one that only says a sentence
    if call.when == "call" and report.failed and told and "browser" in getattr(item, "funcargs", {}):
        for entry in report.longrepr.reprtraceback.reprentries:  # the page as a tree of roles fills screens
            entry.lines = list(takewhile(lambda line: "Aria snapshot:" not in line, entry.lines))
        for page in [page for context in item.funcargs["browser"].contexts for page in context.pages]:
            report.longrepr.addsection(f"page {page.url}", _how_it_stands(page, item.name))
    return report


def _how_it_stands(page: Page, name: str) -> str:
    """What it would tell somebody who looked, in lines; of a page that does not answer any more that alone."""
    try:
        with tempfile.NamedTemporaryFile(prefix=f"{name[:60].replace('/', '-')}-", suffix=".png", delete=False) as file:
            page.screenshot(path=file.name, timeout=5_000)  # first: nothing else below has a limit
        lines = [f"screenshot: {file.name}", f"focus: {page.evaluate(FOCUS)}"]
        lines += [f"toast: {text}" for text in page.locator(".toast").all_inner_texts()]
        lines += [f"console: {message.type} {message.text}" for message in page.console_messages()[-LAST:]]
        lines += [f"error: {error}" for error in page.page_errors()]
        lines += [f"asked: {one.method} {one.url} {_answer(one)}" for one in page.requests()[-LAST:]]
    except PlaywrightError as problem:
        lines = [f"does not answer: {problem}"]
    return "\n".join(lines)


def _answer(request: Request) -> object:
    return request.existing_response.status if request.existing_response else request.failure or "no answer"


@dataclass
class Product:
    copy: RunningCopy
    simulator_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.copy.port}"

    def deliver(self, text: str, *, number: str = "6281234567890", name: str = "Budi", key: str = "") -> int:
        """A customer's message, signed as the provider signs it; the status it was answered with."""
        payload = json.loads(EXAMPLE.read_text())
        message = payload["message"]
        message |= {"id": key or f"wamid.{time.monotonic_ns()}", "from": number, "timestamp": str(int(time.time()))}
        message["text"]["body"] = text
        for part in (message, payload["conversation"]):
            for field in ("from_user_id", "username", "business_scoped_user_id"):
                part.pop(field, None)
        payload["conversation"]["phone_number"] = f"+{number}"
        payload["conversation"]["kapso"]["contact_name"] = name
        return self._send(payload)

    def says(self, kind: str, content: Any, *, number: str, at: int | None = None) -> str:
        """Anything else that a customer may send: an edit, a reaction, a place. The id it went under."""
        key = f"wamid.{time.monotonic_ns()}"
        message = {
            "id": key,
            "timestamp": str(at or int(time.time())),
            "type": kind,
            "from": number,
            kind: content,
            "kapso": {"direction": "inbound", "status": "received", "origin": "cloud_api"},
        }
        conversation = {"phone_number": f"+{number}", "kapso": {"contact_name": "Budi"}}
        assert (
            self._send({"message": message, "conversation": conversation, "phone_number_id": "100000000000001"}) == 200
        )
        return key

    def _send(self, payload: Any) -> int:
        body = json.dumps(payload).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Event": "whatsapp.message.received",
            "X-Webhook-Signature": kapso_signature("demo-kapso-secret", body),
        }
        request = urllib.request.Request(f"{self.url}/webhooks/kapso/demo-kapso", body, headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)

    def forget_events(self) -> None:
        """As after a day: the numbers stand, what was told under them is gone."""
        self._sql("delete from live_event")

    def wait_until_idle(self) -> None:
        """Until no job runs or is about to."""
        wait_for(
            lambda: (
                not self._sql(
                    "select from job where status = 'processing'"
                    " or status = 'pending' and next_attempt < now() + interval '20 s' limit 1"
                )
            )
        )

    def _sql(self, statement: str) -> int:
        """Against the product's own database; of how many rows."""
        with psycopg.connect(shell_file(self.copy.var_dir / RUN_FILE)["DATABASE_URL"], autocommit=True) as connection:
            return connection.execute(statement).rowcount

    def simulator(self, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.simulator_port}/_control/{path}", data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def accepted(self, body: str) -> list[Any]:
        """What the provider took with this text."""
        log = self.simulator("log")
        return [entry for entry in log["accepted"] if entry["body"] == body]

    def kill(self, words: str) -> None:
        """kill -9 for every process of this copy whose command line has these words."""
        for process in self.copy.alive():
            pid, _, command = process.partition(" ")
            if words in command.replace("\\x00", " "):
                os.kill(int(pid), signal.SIGKILL)


@pytest.fixture(scope="package")
def product() -> Iterator[Product]:
    """One for all that a test process runs here: everybody brings people, words and numbers of their own."""
    folder = Path(tempfile.mkdtemp(prefix="sbweb"))
    shutil.copytree(_started_once(), folder, dirs_exist_ok=True)
    simulator_port = free_port()
    copy = _start(folder, simulator_port)
    try:
        yield Product(copy.wait_until_up(seconds=180), simulator_port)
    finally:
        _end(copy)
        shutil.rmtree(folder, ignore_errors=True)


def _started_once() -> Path:
    """A data folder with its tables and the demo in it: the first test process of a run makes it for all."""
    folder = Path(os.environ["SB_TEST_SOCKETS"]).parent / "product"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = folder.with_suffix(".making")
            copy = _start(making, free_port())
            try:
                copy.wait_until_up(seconds=240)
            finally:
                _end(copy)
            making.rename(folder)
    return folder


def _start(folder: Path, simulator_port: int) -> RunningCopy:
    return RunningCopy(
        folder,
        "config.run",
        SIMULATOR_PORT=str(simulator_port),
        SIMULATOR_CUSTOMERS="no",
        SIMULATOR_STATUS_DELAYS="0.1,0.3,0.6",
        SIMULATOR_RETRY_DELAYS="0.5,1,2",
        ASGI_SERVER=os.environ.get("ASGI_SERVER", "daphne"),
    )


def _end(copy: RunningCopy) -> None:
    copy.signal(signal.SIGTERM)
    copy.process.wait(30)
    copy.clean_up()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """No longer than here: while it is open a loop runs in this thread, and Django refuses to work beside one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()


@dataclass
class Agent:
    """Somebody at their inbox."""

    page: Page
    context: BrowserContext
    errors: list[str]

    def row(self, text: str) -> Any:
        return self.page.locator("[data-conversation-id]").filter(has_text=text).first

    def bubble(self, text: str) -> Any:
        return self.page.locator(".message").filter(has_text=text)

    def open(self, text: str) -> None:
        self.row(text).click()
        self.bubble(text).first.wait_for()
        self.page.locator("textarea[name=body]").wait_for()

    def write(self, text: str) -> None:
        self.page.locator("textarea[name=body]").fill(text)
        self.page.keyboard.press("Control+Enter")

    def wait_status(self, text: str, status: str, seconds: float = SECONDS) -> None:
        """That far or further: a quick provider may be past it before anybody looks."""
        enough = LADDER[LADDER.index(status) :] if status in LADDER else (status,)
        any_of = ", ".join(f'.message[data-status="{one}"]' for one in enough)
        self.page.locator(any_of).filter(has_text=text).first.wait_for(timeout=seconds * 1000)

    def rows(self) -> list[str]:
        """What the list says, row by row, but for how long ago that was."""
        return self.page.evaluate(
            """() => [...document.querySelectorAll('[data-conversation-id]')].map(row => {
                const copy = row.cloneNode(true);
                copy.querySelectorAll('time, [hidden]').forEach(part => part.remove());
                return row.dataset.conversationId + ' ' + copy.textContent.replace(/\\s+/g, ' ').trim();
            })"""
        )

    def thread(self) -> list[str]:
        return self.page.evaluate(
            """() => [...document.querySelectorAll('[data-message-id]')].map(message => message.dataset.messageId + ' '
                + message.dataset.status + ' ' + message.querySelector('[data-field=body]').textContent)"""
        )

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """REST as the page itself asks it, below the workspace."""
        return self.page.evaluate(
            """async ([method, path, body]) => {
                const headers = {"Content-Type": "application/json",
                    "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content};
                const address = `/api/v1/workspaces/demo/${path}`;
                const answer = await fetch(address, {method, headers, body: body && JSON.stringify(body)});
                return answer.status === 204 ? null : await answer.json();
            }""",
            [method, path, body],
        )

    def tabs(self) -> str:
        return " ".join(self.page.locator(".tabs").first.inner_text().split())

    def wait_live(self) -> None:
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.live')].some(word => word.textContent.trim() === 'Live')"
        )


@pytest.fixture
def word() -> str:
    return f"w{next(numbers)}x"


@pytest.fixture
def number() -> str:
    return f"628120{next(numbers):06d}"


SignIn = Callable[..., Agent]


@pytest.fixture(scope="package")
def seats(browser: Browser, product: Product) -> Seats:
    return Seats(browser, product.url)


@pytest.fixture(scope="package")
def cookies() -> dict[str, list[Any]]:
    """By name, those of who has signed in before: a form once for each, not once for each test."""
    return {}


@pytest.fixture
def sign_in(seats: Seats, product: Product, cookies: dict[str, list[Any]]) -> Iterator[SignIn]:
    """`sign_in("ben")`: a browser of their own at the inbox; `path` for elsewhere, where there may be no live line."""
    agents: list[Agent] = []

    def enter(name: str, *, path: str = "/inbox", wait: bool = True, **options: Any) -> Agent:
        page = seats.take(viewport={"width": 1440, "height": 900}, **options)
        context = page.context
        context.add_cookies(cookies.get(name, []))
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{product.url}{path}")
        if "/login" in page.url:
            page.fill("input[name=email]", f"{name}@demo.example")
            page.fill("input[name=password]", PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url(lambda url: "/login" not in url)
            cookies[name] = context.cookies()
        agents.append(Agent(page, context, errors))
        if wait:
            agents[-1].wait_live()
        return agents[-1]

    yield enter
    failures = [error for agent in agents for error in agent.errors]
    for agent in agents:
        seats.give_back(agent.context)
    assert failures == []


@pytest.fixture
def eventually() -> Callable[..., Any]:
    return wait_for
