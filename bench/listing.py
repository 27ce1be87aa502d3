"""The inbox list at 200,000 conversations: queries whatever the page size, and time beside the page's bare SQL."""

import json
import time
from typing import Any

from processes import BENCH, BenchError
from report import Result, Row, percentile
from stage import Stage

TITLE = "inbox list; queries at limit {limits}, p50 / p95 at {timed} beside the page's own SQL"
CONTACTS = 100_000  # with two conversations each
MESSAGES = 2  # a conversation
LIMITS = (10, 50, 200)
TIMED = 50
MOST_QUERIES = 6
MOST_OF_SEARCH = 8  # which looks for people and words first
MOST_MS, MOST_MS_OF_A_VIEW = 60, 250  # built-in tabs with up to three filters; a saved view's AND and OR
SAVED_VIEW = "0198de30-0000-7000-8000-000000000001"
SOON = {"field": "window", "is": "closes_within_hours", "value": 4}
WINDOW_VIEWS = {
    "0198de30-0000-7000-8000-000000000002": SOON,
    "0198de30-0000-7000-8000-000000000003": {"field": "window", "is": "is", "value": "shut"},
    "0198de30-0000-7000-8000-000000000004": {
        "any": [SOON, {"field": "labels", "is": "any", "value": ["label 3"]}],
    },
}
BY_WINDOW, BY_SHUT, BY_WINDOW_OR_LABEL = WINDOW_VIEWS
# Query, and how many pages to go down before the clock starts
VIEWS = {
    "mine, open": ("assignee=me&status=open", 0),
    "unassigned, open": ("assignee=none&status=open", 0),
    "all, open": ("status=open", 0),
    "all, pending": ("status=pending", 0),
    "all, snoozed": ("status=snoozed", 0),
    "all, resolved": ("status=resolved", 0),
    "all, any status": ("", 0),
    "mine, any status": ("assignee=me", 0),
    "mine, open, unread": ("assignee=me&status=open&unread=true", 0),
    "all, open, unread": ("status=open&unread=true", 0),
    "mine, open, longest waiting": ("assignee=me&status=open&order=waiting", 0),
    "all, open, longest waiting": ("status=open&order=waiting", 0),
    "all, open, unread, longest waiting": ("status=open&unread=true&order=waiting", 0),
    "all, open, one channel": ("status=open&channel=bench-second", 0),
    "all, open, page 20": ("status=open", 19),
    "unassigned, open, one channel, label and priority": (
        "assignee=none&status=open&channel=bench-second&label=label%202&priority=none",
        0,
    ),
    "a saved view of AND and OR": (f"view={SAVED_VIEW}", 0),
    "a saved view: window closes within 4 hours": (f"view={BY_WINDOW}", 0),
    "the same saved view, longest waiting": (f"view={BY_WINDOW}&order=waiting", 0),
    "a saved view: window shut": (f"view={BY_SHUT}", 0),
    "a saved view: window closes within 4 hours, or a label": (f"view={BY_WINDOW_OR_LABEL}", 0),
    "all, search for a rare name": ("search=Santoso%206000", 0),
}


def take(stage: Stage) -> Result:
    contacts = CONTACTS // 10 if stage.quick else CONTACTS
    result = Result("list", TITLE.format(limits=", ".join(map(str, LIMITS)), timed=TIMED))
    database = stage.database("list")
    took = _seed(stage, database, contacts)
    spec = {
        "token": stage.token(),
        "workspace": stage.cast["workspace"],
        "views": VIEWS,
        "limits": LIMITS,
        "timed": TIMED,
        "times": 5 if stage.quick else 60,
        "seconds": 0.2 if stage.quick else 2,
    }
    asked = stage.ask("list", "product_list.py", spec, environment=stage.product_environment(database, port=1))
    if empty := [name for name, facts in asked.items() if not facts["rows"]]:
        raise BenchError(f"there is nothing to show in: {', '.join(empty)}")
    result.rows = [_row(name, facts) for name, facts in asked.items()]
    result.notes.append(
        f"{contacts:,} contacts, {2 * contacts:,} conversations, {2 * contacts * MESSAGES:,} messages; "
        f"put there in {took:.0f} s"
    )
    result.raw = asked
    return result


def _seed(stage: Stage, database: str, contacts: int) -> float:
    began = time.monotonic()
    by_window = json.dumps([{"id": pk, "filters": tree} for pk, tree in WINDOW_VIEWS.items()])
    numbers = {"contacts": contacts, "messages": MESSAGES, "saved_view": SAVED_VIEW, "window_views": by_window}
    with stage.connect(database) as connection:
        for statement in (BENCH / "listing_seed.sql").read_text().split(";\n"):
            if statement.strip():
                connection.execute(statement, stage.cast | numbers)
        connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")
    return time.monotonic() - began


def _row(name: str, facts: dict[str, Any]) -> Row:
    page, sql = facts["page_ms"], facts["sql_ms"]
    most = MOST_OF_SEARCH if "search" in name else MOST_QUERIES
    most_ms = None if "search" in name else MOST_MS_OF_A_VIEW if "saved" in name else MOST_MS
    return Row(
        name,
        f"{' '.join(map(str, facts['queries']))} queries, {_both(page)}",
        _both(sql),
        f"{percentile(page, 0.5) / percentile(sql, 0.5):.1f}",
        f"<= {most} queries" + (f", p95 < {most_ms} ms" if most_ms else ""),
        max(facts["queries"]) <= most and (most_ms is None or percentile(page, 0.95) < most_ms),
    )


def _both(times: list[float]) -> str:
    return f"{percentile(times, 0.5):.1f} / {percentile(times, 0.95):.1f} ms"
