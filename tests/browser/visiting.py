"""Somebody on a page of another origin, with the chat's button on it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from tests.browser.seats import Seats

PAGE = """<!doctype html><html lang="en"><title>Shop</title>
<style>* {{ color: red !important; font-size: 40px }}</style>
<h1>Courses</h1><script src="{url}/widget.js" data-channel="{channel}" async></script></html>"""
# Whatever a timer of the page waits for takes a tenth of it
HURRY = "const real = setTimeout; globalThis.setTimeout = (run, ms, ...more) => real(run, (ms ?? 0) / 10, ...more);"


@pytest.fixture(scope="module")
def shop(product: Any) -> Iterator[str]:
    """A page of somebody else's: another port is another origin."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = PAGE.format(url=product.url, channel=self.path[1:] or "demo-widget").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@dataclass
class Visitor:
    page: Page
    context: BrowserContext
    errors: list[str]

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe")

    @property
    def launcher(self) -> Locator:
        return self.page.locator("#launcher")

    def open(self) -> None:
        self.launcher.click()
        expect(self.frame.locator("#body")).to_be_focused()

    def write(self, text: str) -> None:
        self.frame.locator("#body").fill(text)
        self.frame.locator("#body").press("Enter")

    def bubble(self, text: str, status: str = "") -> Any:
        own = f'[data-status="{status}"]' if status else ""
        return self.frame.locator(f".message{own}").filter(has_text=text)

    def wait(self, text: str, status: str = "") -> None:
        expect(self.bubble(text, status)).to_have_count(1)


@pytest.fixture
def visit(seats: Seats, shop: str) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def come(path: str = "", *, hurry: bool = False, **options: Any) -> Visitor:
        page = seats.take(viewport={"width": 1100, "height": 800}, **options)
        if hurry:
            page.add_init_script(HURRY)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path or shop)
        visitors.append(Visitor(page, page.context, errors))
        return visitors[-1]

    yield come
    failures = [error for visitor in visitors for error in visitor.errors]
    for visitor in visitors:
        seats.give_back(visitor.context)
    assert failures == []


def connect(sign_in: Any, product: Any, slug: str) -> Page:
    """A web chat of one's own, and its owner at its settings."""
    ada = sign_in("ada", path="/settings/channels", wait=False).page
    form = ada.locator("form", has=ada.get_by_role("heading", name="Connect a channel"))
    form.get_by_label("Kind").select_option("widget")
    form.get_by_label("Name", exact=True).fill(slug)
    form.get_by_label("Name in addresses").fill(slug)
    form.get_by_role("button", name="Connect").click()
    expect(ada.locator(f'[data-channel="{slug}"]')).to_be_visible()
    ada.goto(f"{product.url}/settings/web-chat?channel={slug}")
    return ada
