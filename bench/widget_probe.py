"""Somebody's page with the widget on it, in Chromium: from the arrival of its script until the launcher can be pressed.
Reads one JSON line, prints one. A first visit has a browser without any cache; another page of the site follows it."""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from playwright.sync_api import Page, sync_playwright

PAGE = """<!doctype html><html lang="en"><title>Shop</title><h1>Courses</h1>
<script src="http://127.0.0.1:{port}/widget.js" data-channel="{channel}" async></script></html>"""
# When somebody began to listen for presses of the launcher.
WATCH = """
const listen = EventTarget.prototype.addEventListener;
EventTarget.prototype.addEventListener = function (type, ...rest) {
  listen.call(this, type, ...rest);
  if (type === "click" && this.id === "launcher") window.pressableAt = performance.timeOrigin + performance.now();
};
"""
ARRIVED = """
() => performance.timeOrigin
  + performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/widget.js")).responseEnd
"""
SETTLE_MS = 60_000


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    site = ThreadingHTTPServer(("127.0.0.1", 0), _site(PAGE.format(**spec).encode()))
    Thread(target=site.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{site.server_address[1]}/"
    took: dict[str, list[float]] = {"cold": [], "warm": []}
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=spec["chromium"], args=options)
        for _ in range(spec["times"] + 1):
            context = browser.new_context()
            context.add_init_script(WATCH)
            page = context.new_page()
            took["cold"].append(_visit(page, address))
            took["warm"].append(_visit(page, address + "courses"))
            context.close()
        browser.close()
    site.shutdown()
    # The very first has the server and the browser warm up.
    sys.stdout.write(json.dumps({name: times[1:] for name, times in took.items()}) + "\n")


def _visit(page: Page, address: str) -> float:
    page.goto(address)
    launcher = page.locator("#launcher")
    launcher.click(timeout=SETTLE_MS)
    page.frame_locator("iframe").locator("html[data-ready] #chat").wait_for(timeout=SETTLE_MS)
    arrived = page.evaluate(ARRIVED)
    pressable: float = page.evaluate("() => window.pressableAt")
    return pressable - float(arrived)


def _site(body: bytes) -> type[BaseHTTPRequestHandler]:
    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Site


if __name__ == "__main__":
    main()
