"""Two agents look at one conversation in two browser contexts, among others whose sockets follow it too; a customer's
messages come in by webhook. When does each text stand in each page? Reads one JSON line, prints one."""

import hashlib
import hmac
import http.client
import json
import os
import random
import sys
import time
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

SETTLE_MS = 15_000
WATCH = """
() => {
  window.seen = {};
  const look = (node) => {
    for (const [, number] of (node.textContent || "").matchAll(/bench-mark-(\\d+)-/g))
      window.seen[number] ??= performance.timeOrigin + performance.now();
  };
  new MutationObserver((records) => {
    for (const record of records) {
      record.addedNodes.forEach(look);
      if (record.type === "characterData") look(record.target);
    }
  }).observe(document.querySelector('[data-part="messages"]'), { childList: true, subtree: true, characterData: true });
}
"""

FOLLOW = """
([count, conversation]) => Promise.all(Array.from({ length: count }, () => new Promise((ready, failed) => {
  const socket = new WebSocket(`ws://${location.host}/ws/live`, ["live.v1"]);
  const topics = new Set(["inbox.demo", `conversation.${conversation}`]);
  (window.colleagues ??= []).push(socket);
  socket.onopen = () => topics.forEach((topic) => socket.send(JSON.stringify({ op: "subscribe", topic })));
  socket.onmessage = ({ data }) => {
    const { op, topic } = JSON.parse(data);
    if (op === "subscribed" && topics.delete(topic) && !topics.size) ready();
  };
  socket.onerror = failed;
  setInterval(() => socket.send('{"op":"ping"}'), 10_000);
})))
"""


class Customer:
    """Writes as Kapso would deliver it."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.run = f"{time.time_ns():x}"
        self.phone = f"62812{random.randrange(10**7, 10**8)}"
        self.door = http.client.HTTPConnection("127.0.0.1", spec["port"], timeout=10)

    def write(self, text: str) -> tuple[float, float]:
        """When the delivery set out, and when it was acknowledged."""
        body = json.dumps(self._message(text)).encode()
        key = hashlib.sha256(body).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Event": "whatsapp.message.received",
            "X-Webhook-Payload-Version": "v2",
            "X-Idempotency-Key": key,
            "X-Webhook-Signature": hmac.digest(self.spec["secret"].encode(), body, hashlib.sha256).hex(),
        }
        began = time.time()
        self.door.request("POST", self.spec["path"], body, headers)
        answer = self.door.getresponse()
        answer.read()
        if answer.status != 200:
            raise SystemExit(f"the webhook answered {answer.status}")
        return began, time.time()

    def _message(self, text: str) -> dict[str, Any]:
        example = self.spec["example"]
        message, conversation = example["message"], example["conversation"]
        return {
            **example,
            "message": {
                **message,
                "id": f"wamid.{self.run}.{text}",
                "timestamp": str(int(time.time())),
                "from": self.phone,
                "from_user_id": f"ID.{self.run}",
                "text": {"body": text},
                "kapso": {**message["kapso"], "content": text},
            },
            "conversation": {**conversation, "phone_number": f"+{self.phone}"},
        }


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    customer = Customer(spec)
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=spec["chromium"], args=options)
        pages = {name: _signed_in(browser, spec, name) for name in spec["people"]}
        customer.write("bench-hello-")
        for page in pages.values():
            page.locator("[data-conversation-id]", has_text="bench-hello-").first.click(timeout=SETTLE_MS)
            page.locator('[data-part="messages"]', has_text="bench-hello-").wait_for(timeout=SETTLE_MS)
            page.evaluate(WATCH)
        colleagues = _signed_in(browser, spec, spec["people"][0])
        conversation = next(iter(pages.values())).url.split("/inbox/")[1].partition("?")[0]
        colleagues.evaluate(FOLLOW, [spec["agents"] - len(pages) - 1, conversation])
        customer.door.close()  # it has rested longer than a server keeps it; the next request opens another
        offsets = {name: _offset(page) for name, page in pages.items()}
        sent = _send(customer, spec)
        seen = {name: _seen(page, spec["messages"]) for name, page in pages.items()}
        browser.close()
    sys.stdout.write(json.dumps({"run": customer.run, "sent": sent, "seen": seen, "offsets": offsets}) + "\n")


def _signed_in(browser: Browser, spec: dict[str, Any], person: str) -> Page:
    page = browser.new_context(base_url=f"http://127.0.0.1:{spec['port']}").new_page()
    page.goto("/login")
    page.fill("input[name=email]", person)
    page.fill("input[name=password]", spec["password"])
    page.click("main button[type=submit]")
    page.goto("/inbox?assignee=all&status=open")
    page.locator('[data-live][data-state="live"]').first.wait_for(state="attached", timeout=SETTLE_MS)
    return page


def _offset(page: Page) -> float:
    """The page's clock less ours, in ms: from the quickest of some round trips."""
    best = (float("inf"), 0.0)
    for _ in range(20):
        before = time.time() * 1000
        there = page.evaluate("performance.timeOrigin + performance.now()")
        after = time.time() * 1000
        best = min(best, (after - before, there - (before + after) / 2))
    return best[1]


def _send(customer: Customer, spec: dict[str, Any]) -> list[tuple[float, float]]:
    """At uneven distances, so that no timer of ours is met in step."""
    pause = random.Random(1)
    sent = []
    for number in range(spec["messages"]):
        sent.append(customer.write(f"bench-mark-{number}-"))
        time.sleep(pause.uniform(0.1, 0.3))
    return sent


def _seen(page: Page, messages: int) -> dict[str, float]:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        seen: dict[str, float] = page.evaluate("window.seen")
        if len(seen) == messages:
            break
        page.wait_for_timeout(100)
    return seen


if __name__ == "__main__":
    main()
