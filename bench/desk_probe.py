"""Ben at his inbox: presses on rows until their threads are drawn, then scrolls a long thread under Chromium's trace;
and once more over the same markup without script. Reads one JSON line, prints one."""

import json
import os
import sys
from typing import Any

from dashboard_probe import CATEGORIES, frames
from playwright.sync_api import Browser, Page, sync_playwright

SETTLE_MS = 120_000
STEP, PAUSE_MS = 600, 16  # px and ms of a wheel in a hurry
# From the press to the frame that shows the thread of that row, with its messages and its name. Looked at once a frame
# is done: what looks at its beginning sees what the page draws in it only a frame later.
WATCH = """
() => {
  window.switches = [];
  const log = document.querySelector('[data-part="messages"]'), pane = document.querySelector('.thread');
  document.addEventListener('pointerdown', (event) => {
    const row = event.target.closest('a[data-conversation-id]');
    if (!row) return;
    const began = event.timeStamp, id = row.dataset.conversationId;
    const first = () => log.querySelector('.message')?.dataset.messageId, before = first();
    const frame = new MessageChannel(), look = () => requestAnimationFrame(() => frame.port2.postMessage(0));
    frame.port1.onmessage = () => {
      const there = location.pathname.endsWith(id) && pane.dataset.state === 'open' && first() && first() !== before;
      return there ? window.switches.push(performance.now() - began) : look();
    };
    look();
  }, true);
}
"""
GAPS = """
() => {
  window.gaps = [];
  let last = 0;
  const tick = (at) => { if (last) window.gaps.push(at - last); last = at; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}
"""
# The same threads put in place by nobody but the browser
PLAIN_SWITCH = """
async (threads) => {
  const log = document.querySelector('[data-part="messages"]'), times = [];
  for (const html of threads) {
    await new Promise((go) => setTimeout(go, 50));
    const began = performance.now();
    log.innerHTML = html;
    await new Promise((go) => requestAnimationFrame(() => {
      const drawn = new MessageChannel();
      drawn.port1.onmessage = go;
      drawn.port2.postMessage(0);
    }));
    times.push(performance.now() - began);
  }
  return times;
}
"""


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=spec["chromium"], args=options)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        _open(page, spec)
        switched, threads = _switch(page, spec, spec["switches"])
        count = _long_thread(page, spec)
        html = page.evaluate("document.documentElement.outerHTML")
        told = _scrolled(browser, page)
        plain = _plain(browser, page, spec, html)
        plain_switches = plain.evaluate(PLAIN_SWITCH, threads)
        plain.goto(plain.url)
        floor = _scrolled(browser, plain)
        browser.close()
    answer = {
        "switch_ms": switched,
        "plain_switch_ms": plain_switches,
        "messages": count,
        **told,
        **{f"plain_{name}": value for name, value in floor.items()},
    }
    sys.stdout.write(json.dumps(answer) + "\n")


def _open(page: Page, spec: dict[str, Any]) -> None:
    page.goto(f"http://127.0.0.1:{spec['port']}/login?next=/inbox%3Ftab%3Dall%26status%3D")
    page.fill("input[name=email]", "ben@demo.example")
    page.fill("input[name=password]", spec["password"])
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url, timeout=SETTLE_MS)
    _at_the_list(page, spec)


def _at_the_list(page: Page, spec: dict[str, Any]) -> None:
    """Anew: nothing of a thread is known."""
    page.goto(f"http://127.0.0.1:{spec['port']}/inbox?tab=all&status=")
    page.locator('[data-live][data-state="live"]').first.wait_for(state="attached", timeout=SETTLE_MS)
    page.wait_for_timeout(1_000)


def _switch(page: Page, spec: dict[str, Any], switches: int) -> tuple[dict[str, list[float]], list[str]]:
    """Every other row, so that nothing was got ahead; each row in turn, anew; and back to those seen last. The pointer
    comes and presses at once."""
    rows = page.evaluate("[...document.querySelectorAll('a[data-conversation-id]')].map(a => a.dataset.conversationId)")
    unseen = rows[:switches:2]
    kept = rows[: switches // 2][-10:]  # a page keeps the last twenty
    threads: list[str] = []
    found: dict[str, list[float]] = {}
    for name, ids in {
        "a thread not seen yet": unseen,
        "the next thread, not seen yet": rows[: switches // 2],
        "a thread seen before": [kept[number % len(kept)] for number in range(switches // 2)],
    }.items():
        if name != "a thread seen before":
            _at_the_list(page, spec)
            page.evaluate(WATCH)
        page.evaluate("window.switches = []")
        for number, conversation in enumerate(ids, start=1):
            row = page.locator(f'[data-part="rows"] a[data-conversation-id="{conversation}"]')
            row.scroll_into_view_if_needed()
            box = row.bounding_box()
            assert box is not None
            page.mouse.move(box["x"] + 200, box["y"] + 10)
            page.mouse.down()
            page.mouse.up()
            page.wait_for_function(f"() => window.switches.length >= {number}", timeout=SETTLE_MS)
            page.wait_for_timeout(150)
            if len(threads) < len(unseen):
                threads.append(page.locator('[data-part="messages"]').inner_html())
        found[name] = page.evaluate("window.switches")
    return found, threads


def _long_thread(page: Page, spec: dict[str, Any]) -> int:
    """Opens it and goes up until all of it is in the page."""
    page.locator("input[name=q]").first.click()
    page.keyboard.type(spec["person"])
    page.locator("a.hit").first.click(timeout=SETTLE_MS)
    page.locator('.thread[data-state="open"] #thread-title').filter(has_text=spec["person"]).wait_for(timeout=SETTLE_MS)
    log = page.locator('[data-part="log"]')
    count, still = 0, 0
    while still < 10:
        log.evaluate("log => log.scrollTo(0, -log.scrollHeight)")
        page.wait_for_timeout(200)
        now = page.locator('[data-part="messages"] .message').count()
        count, still = now, still + 1 if now == count else 0
    log.evaluate("log => log.scrollTo(0, 0)")
    page.wait_for_timeout(1_000)
    return count


def _scrolled(browser: Browser, page: Page) -> dict[str, Any]:
    """Up through all of it and down again."""
    box = page.locator('[data-part="log"]').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    length = page.locator('[data-part="log"]').evaluate("log => log.scrollHeight")
    page.evaluate(GAPS)
    browser.start_tracing(page=page, categories=CATEGORIES)
    for way in (-1, 1):
        for _ in range(int(length / STEP) + 1):
            page.mouse.wheel(0, way * STEP)
            page.wait_for_timeout(PAUSE_MS)
    trace = json.loads(browser.stop_tracing())
    return {"frames_ms": frames(trace["traceEvents"]), "gaps_ms": page.evaluate("window.gaps")}


def _plain(browser: Browser, page: Page, spec: dict[str, Any], html: str) -> Page:
    """What stood in the page a moment ago, with its styles and without its scripts."""
    address = f"http://127.0.0.1:{spec['port']}/plain"
    context = browser.new_context(viewport={"width": 1440, "height": 900}, java_script_enabled=True)
    plain = context.new_page()
    kept = html.replace("<script", "<template hidden").replace("</script>", "</template>")
    plain.route("**/plain", lambda route: route.fulfill(body=kept, content_type="text/html; charset=utf-8"))
    plain.goto(address)
    plain.wait_for_timeout(500)
    return plain


if __name__ == "__main__":
    main()
