"""A tutor in front of the grid, and Chromium's own trace of what each frame cost; then one student more, whose
violations are to be on the tutor's screen. Reads one JSON line, prints one."""

import http.client
import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from playwright.sync_api import Page, sync_playwright

SETTLE_MS = 120_000
CATEGORIES = ["devtools.timeline", "devtools.timeline.frame", "disabled-by-default-devtools.timeline.frame"]
FRAME = "BeginMainThreadFrame"
# As many as come within the seconds in which the same again would be part of the first
TYPES = (
    *(
        "tab_switch",
        "fullscreen_exit",
        "copy",
        "cut",
        "paste",
        "print_screen",
        "no_face",
        "looking_away",
        "eyes_closed",
    ),
    *("devtools_open", "multiple_faces", "camera_off", "object_detected", "remote_session", "window_resize", "noise"),
    *(
        "page_reload",
        "navigation_attempt",
        "mouse_leave",
        "focus_loss",
        "context_menu",
        "voice_detected",
        "face_covered",
    ),
)
EVERY = 0.6  # seconds
PATIENCE_MS = 20_000
# A row counts as seen after the frame that has drawn it
WATCH = """
() => {
  window.seen = {};
  const look = (row) => {
    const key = row.dataset?.key;
    if (key) requestAnimationFrame(() => { setTimeout(() => { window.seen[key] ??= Date.now(); }); });
  };
  new MutationObserver((records) => {
    for (const { addedNodes } of records)
      for (const node of addedNodes) for (const row of node.matches?.("li") ? [node] : node.children ?? []) look(row);
  }).observe(document.querySelector(".proctor-side"), { childList: true, subtree: true });
}
"""
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
        told: dict[str, Any] = {"cards": page.locator(".students > li").count(), "events": len(_stream(page) - before)}
        told["seen_ms"] = _violations(page, spec)
        browser.close()
    sys.stdout.write(json.dumps({"frames_ms": frames(trace["traceEvents"]), **told}) + "\n")


def _open(page: Page, spec: dict[str, Any]) -> None:
    page.goto(f"http://127.0.0.1:{spec['port']}/login?next=/proctor/demo-exam")
    page.fill("input[name=email]", "tia@demo.example")
    page.fill("input[name=password]", spec["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/proctor/demo-exam", timeout=SETTLE_MS)
    everybody = f"() => Number(document.querySelector('[data-count=all]').textContent) >= {spec['students']}"
    page.wait_for_function(everybody, timeout=SETTLE_MS)
    page.wait_for_timeout(2_000)


def _stream(page: Page) -> set[str]:
    keys: list[str] = page.evaluate(
        "[...document.querySelectorAll('.proctor-side .stream > li')].map(li => li.dataset.key)"
    )
    return set(keys)


def _violations(page: Page, spec: dict[str, Any]) -> list[float]:
    """Milliseconds from before each request until the row is drawn."""
    page.evaluate(WATCH)
    door = http.client.HTTPConnection("127.0.0.1", spec["port"], timeout=30)
    session = _post(door, spec, "/api/v1/exams/demo-exam/sessions", {"device": "bench"})["id"]
    sent: dict[str, float] = {}
    for seq in range(1, spec["violations"] + 1):
        began = time.time()
        item = {
            "client_id": str(uuid4()),
            "seq": seq,
            "type": TYPES[seq % len(TYPES)],
            "occurred_at": datetime.now(UTC).isoformat(),
            "detail": {},
        }
        answer = _post(door, spec, f"/api/v1/sessions/{session}/violations", {"violations": [item]})
        sent[answer["results"][0]["violation"]["id"]] = began * 1000
        page.wait_for_timeout(max(0.0, EVERY - (time.time() - began)) * 1000)
    page.wait_for_function("keys => keys.every((key) => window.seen[key])", arg=list(sent), timeout=PATIENCE_MS)
    seen = page.evaluate("window.seen")
    return [seen[key] - began for key, began in sent.items()]


def _post(door: http.client.HTTPConnection, spec: dict[str, Any], path: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json", spec["pupil"]["header"]: spec["pupil"]["token"]}
    door.request("POST", path, json.dumps(body).encode(), headers)
    answer = door.getresponse()
    said = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{path} answered {answer.status}: {said[:200]!r}")
    return json.loads(said)


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
