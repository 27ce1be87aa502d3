"""Search over a million messages in any script, and the list of 100,000 contacts: in process, through all of Django."""

from typing import Any

from company import company
from processes import ROOT, BenchError
from report import Result, Row, percentile
from stage import Stage

TITLE = "search and the list of contacts, p50 / p95 of whole requests in process"
MOST_QUERIES = 8
SEARCH_MS, LIST_MS, VIEW_MS = 100.0, 50.0, 250.0
NOWHERE = "nowhere"
SEARCHES = {
    "two letters": "ok",
    "two letters, common": "me",
    "a common word": "thank",
    "a rare number": "{newest}",
    "two words, one rare": "bygone {middle}",
    "common long ago, not lately": "bygone",
    NOWHERE: "zzyzx",
    "Chinese, two characters": "谢谢",
    "Chinese, one character": "课",
    "Japanese": "お願い",
    "Korean": "수업",
    "Thai": "ขอบคุณ",
    "Hindi": "धन्यवाद",
    "Arabic": "شكرا",
    "Indonesian": "terima kasih",
    "a name": "santo",
    "the last digits of a number": "5077",
    "a whole number": "+1 202 507 7777",
}
TREE = {
    "all": [
        {
            "any": [
                {"field": "lead_status", "is": "in", "value": ["new", "qualified"]},
                {"field": "tags", "is": "any", "value": ["vip"]},
                {"field": "attribute.group", "is": "is", "value": "g7"},
            ]
        },
        {"not": {"field": "burnout_band", "is": "is", "value": "high"}},
        {"field": "last_seen", "is": "within_days", "value": 300},
    ]
}
RARE_TREE = {
    "any": [
        {
            "all": [
                {"field": "subscription", "is": "is", "value": "past_due"},
                {"field": "tags", "is": "any", "value": ["tag8"]},
            ]
        },
        {"field": "attribute.group", "is": "is", "value": "g7"},
    ]
}
NEVER_SEEN = {
    "all": [
        {"field": "owner", "is": "is", "value": "none"},
        {"field": "lead_status", "is": "is", "value": "new"},
        {"field": "last_seen", "is": "is_empty"},
    ]
}
LISTS = {
    "newest": "",
    "by name": "sort=name",
    "by score": "sort=score",
    "by last seen": "sort=last_seen",
    "one lead status": "lead_status=customer",
    "mine": "owner=me",
    "nobody's": "owner=none",
    "a rare tag": "tags=tag8",
    "an attribute": "attribute.group=g7",
    "a journey phase": "journey_phase=phase3",
    "a band": "band=high,severe",
    "past due": "subscription=past_due",
    "seen in 30 days": "seen_within=30",
    "status, tag, address": "lead_status=new&tags=vip&has_email=true",
    "status, owner, score": "lead_status=new,qualified&owner=me&score_min=80",
    "tag, attribute, phase": "tags=vip&attribute.group=g4&journey_phase=phase4",
    "mine by last seen": "owner=me&sort=last_seen",
    "one status by score": "lead_status=lost&sort=score",
    "mine, seen in 30 days": "owner=me&seen_within=30",
    "a rare tag by name": "tags=tag8&sort=name",
    "a name typed": "q=santos",
    "two letters typed": "q=an",
    "digits typed": "q=50012",
}


def take(stage: Stage) -> Result:
    result = Result("search", TITLE)
    seeded = company(stage)
    environment = stage.product_environment(seeded.database, port=1)
    spec = {
        "do": "time",
        "token": stage.token(),
        "workspace": stage.cast["workspace"],
        "searches": _asked(seeded.contacts),
        "lists": LISTS,
        "views": {"a free AND and OR": TREE, "a rare one": RARE_TREE, "never seen": NEVER_SEEN},
        "times": 5 if stage.quick else 40,
        "seconds": 0.2 if stage.quick else 1.0,
        "root": str(ROOT),
    }
    asked = stage.ask("search", "product_search.py", spec, environment=environment, seconds=600)
    limits = {"search": SEARCH_MS, "list": LIST_MS, "view": VIEW_MS}
    result.rows = [_row(kind, name, facts, limits[kind]) for kind in limits for name, facts in asked[kind].items()]
    if empty := [name for name in LISTS if not asked["list"][name]["rows"]]:
        raise BenchError(f"there is nothing to show in: {', '.join(empty)}")
    if empty := [name for name in SEARCHES if name != NOWHERE and not asked["search"][name]["rows"]]:
        raise BenchError(f"nothing was found of: {', '.join(empty)}")
    result.notes.append(f"{seeded.note}; the tokeniser takes {asked['micros']:.0f} us a message")
    result.raw = asked
    return result


def _asked(contacts: int) -> dict[str, str]:
    """Conversations are numbered, two for each contact, and their messages end with the number."""
    return {name: text.format(newest=2 * contacts - 2, middle=contacts * 3 // 2) for name, text in SEARCHES.items()}


def _row(kind: str, name: str, facts: dict[str, Any], most: float) -> Row:
    p95 = percentile(facts["ms"], 0.95)
    return Row(
        f"{kind}: {name}",
        f"{facts['queries']} queries, {percentile(facts['ms'], 0.5):.1f} / {p95:.1f} ms",
        f"{facts['rows']} rows",
        "",
        f"<= {most:.0f} ms, <= {MOST_QUERIES} queries",
        p95 <= most and facts["queries"] <= MOST_QUERIES,
    )
