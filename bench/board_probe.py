"""A board in Chromium: when does each name stand on it, and what does the page show in the end, as does one that comes
late? Reads one JSON line and says that it watches; the next line asks for what it saw."""

import json
import os
import sys
from typing import Any

from playwright.sync_api import Page, sync_playwright

SETTLE_MS = 60_000
WATCH = """
() => {
  window.seen = {};
  const look = (node) => {
    for (const [, name] of (node.textContent || "").matchAll(/Player ([0-9]+-[0-9]+)/g))
      window.seen[name] ??= Date.now();
  };
  new MutationObserver((records) => {
    for (const record of records) {
      record.addedNodes.forEach(look);
      if (record.type === "characterData") look(record.target);
    }
  }).observe(document.querySelector('[data-part="ranks"]'), { childList: true, subtree: true, characterData: true });
}
"""
ROWS = """
() => [...document.querySelectorAll('[data-part="ranks"] > li')].map((row) => {
  const said = (part) => row.querySelector(`[data-field="${part}"]`).textContent;
  return [row.dataset.place, said("nickname"), said("score")];
})
"""


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=spec["chromium"], args=options)
        context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        address = f"http://127.0.0.1:{spec['port']}/leaderboard/{spec['code']}?top={spec['top']}"
        early = _open(context.new_page(), address)
        early.evaluate(WATCH)
        _say({"ready": True})
        sys.stdin.readline()
        late = _open(context.new_page(), address)
        early.wait_for_timeout(3_000)
        _say({"seen": early.evaluate("window.seen"), "early": early.evaluate(ROWS), "late": late.evaluate(ROWS)})
        browser.close()


def _open(page: Page, address: str) -> Page:
    page.goto(address)
    page.locator('[data-live][data-state="live"]').wait_for(state="attached", timeout=SETTLE_MS)
    return page


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
