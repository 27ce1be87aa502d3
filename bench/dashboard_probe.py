"""A tutor in front of the grid, and Chromium's own trace of what each frame cost. Reads one JSON line, prints one."""

import json
import os
import sys
from typing import Any

from playwright.sync_api import Page, sync_playwright

SETTLE_MS = 120_000
CATEGORIES = ["devtools.timeline", "devtools.timeline.frame", "disabled-by-default-devtools.timeline.frame"]
FRAME = "BeginMainThreadFrame"
# What the page's own main thread does for us; painting and compositing are the browser's
WORK = {
    "FunctionCall",
    "EvaluateScript",
    "FireAnimationFrame",
    "TimerFire",
    "EventDispatch",
    "RunMicrotasks",
    "UpdateLayoutTree",
    "Layout",
    "IntersectionObserverController::computeIntersections",
}


def main() -> None:
    spec = json.loads(sys.stdin.readline())
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=spec["chromium"], args=options)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        _open(page, spec)
        before = _stream(page)
        browser.start_tracing(page=page, categories=CATEGORIES)
        page.wait_for_timeout(spec["seconds"] * 1000)
        trace = json.loads(browser.stop_tracing())
        told = {"cards": page.locator(".students > li").count(), "events": len(_stream(page) - before)}
        browser.close()
    sys.stdout.write(json.dumps({"frames_ms": frames(trace["traceEvents"]), **told}) + "\n")


def _open(page: Page, spec: dict[str, Any]) -> None:
    page.goto(f"http://127.0.0.1:{spec['port']}/login?next=/proctor/demo-exam")
    page.fill("input[name=email]", "tia@demo.example")
    page.fill("input[name=password]", spec["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/proctor/demo-exam", timeout=SETTLE_MS)
    everybody = f"() => document.querySelectorAll('.students > li').length >= {spec['students']}"
    page.wait_for_function(everybody, timeout=SETTLE_MS)
    page.wait_for_timeout(2_000)


def _stream(page: Page) -> set[str]:
    keys: list[str] = page.evaluate(
        "[...document.querySelectorAll('.proctor-side .stream > li')].map(li => li.dataset.key)"
    )
    return set(keys)


def frames(events: list[dict[str, Any]]) -> list[float]:
    """Of each frame of the page's thread, the milliseconds of script and layout since the frame before."""
    threads = [(event["pid"], event["tid"]) for event in events if event["name"] == FRAME]
    if not threads:
        return [0.0]
    mine = max(set(threads), key=threads.count)
    ours = sorted((event for event in events if (event["pid"], event["tid"]) == mine), key=lambda event: event["ts"])
    found, work, until = [], 0.0, 0.0
    for event in ours:
        if event["name"] == FRAME:
            found.append(work / 1000)
            work = 0.0
        elif event["name"] in WORK and event.get("ph") == "X" and event["ts"] >= until:
            work += event.get("tdur", event.get("dur", 0))  # of the processor: students and server run on it too
            until = event["ts"] + event.get("dur", 0)  # what is inside is counted with it
    return [cost for cost in found[1:] if cost] or [0.0]


if __name__ == "__main__":
    main()
