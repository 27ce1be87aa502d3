"""A board in Chromium: when has it drawn each change, and what does the page show in the end, as does one that comes
late? Reads one JSON line and says that it watches; the next line asks for what it saw."""

import json
import os
import sys
from typing import Any

from playwright.sync_api import Page, sync_playwright

SETTLE_MS = 60_000
# What the page holds when a frame begins is what that frame draws; a message that is sent then is read once it has.
WATCH = """
() => {
  const ranks = document.querySelector('[data-part="ranks"]');
  const players = document.querySelector('[data-part="players"]');
  const seen = { rows: {}, players: [] };
  const said = (row, part) => row.querySelector(`[data-field="${part}"]`).textContent;
  const read = () => {
    const rows = [...ranks.children].map((row) => `${said(row, "nickname")}=${said(row, "score")}`);
    const count = Number(players.textContent.replace(/[^0-9]/g, ""));
    return { count, rows: rows.filter((row) => !(row in seen.rows)) };
  };
  const keep = ({ rows, count }) => {
    const now = Date.now();
    for (const row of rows) seen.rows[row] ??= now;
    if (seen.players.at(-1)?.[0] !== count) seen.players.push([count, now]);
  };
  keep(read());
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const found = read(), { port1, port2 } = new MessageChannel();
      port1.onmessage = () => { keep(found); port1.close(); };
      port2.postMessage(null);
    });
  }).observe(document.querySelector("main"), { childList: true, subtree: true, characterData: true });
  window.seen = seen;
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
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        address = f"http://127.0.0.1:{spec['port']}/leaderboard/{spec['code']}?top={spec['top']}"
        early = _open(context.new_page(), address)
        early.evaluate(WATCH)
        chrome = context.new_cdp_session(early)
        chrome.send("Performance.enable", {"timeDomain": "threadTicks"})
        began = _busy_ms(chrome)
        _say({"ready": True})
        sys.stdin.readline()
        busy = _busy_ms(chrome) - began
        late = _open(context.new_page(), address)
        early.wait_for_timeout(3_000)
        shows = {"early": early.evaluate(ROWS), "late": late.evaluate(ROWS)}
        _say({"seen": early.evaluate("window.seen"), "busy_ms": busy, **shows})
        browser.close()


def _open(page: Page, address: str) -> Page:
    page.goto(address)
    page.locator('[data-live][data-state="live"]').wait_for(state="attached", timeout=SETTLE_MS)
    return page


def _busy_ms(chrome: Any) -> float:
    """Processor time of the page's own thread so far: script, style, layout and what prepares painting."""
    metrics = chrome.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration") * 1000


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
