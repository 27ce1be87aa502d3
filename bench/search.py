"""Search over a million messages in any script, and the list of 100,000 contacts: in process, through all of Django."""

import time
from typing import Any

from processes import BENCH, ROOT, BenchError
from report import Result, Row, percentile
from stage import Stage

TITLE = "search and the list of contacts, p50 / p95 of whole requests in process"
CONTACTS = 100_000  # with two conversations each
MESSAGES = 5  # a conversation
MOST_QUERIES = 8
SEARCH_MS, LIST_MS, VIEW_MS = 100.0, 50.0, 250.0
SEARCHES = {
    "two letters": "ok",
    "two letters, common": "me",
    "a common word": "thank",
    "a rare number": "199998",
    "two words, one rare": "order 150001",
    "common long ago, not lately": "bygone",
    "nowhere": "zzyzx",
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
    "a name typed": "q=santos",
    "two letters typed": "q=an",
    "digits typed": "q=50777",
}


def take(stage: Stage) -> Result:
    contacts = CONTACTS // 50 if stage.quick else CONTACTS
    result = Result("search", TITLE)
    database = stage.database("search")
    began = time.monotonic()
    environment = stage.product_environment(database, port=1)
    words = stage.ask("words", "product_search.py", {"do": "words", "root": str(ROOT)}, environment=environment)
    _seed(stage, database, contacts, words)
    took = time.monotonic() - began
    spec = {
        "do": "time",
        "token": stage.token(),
        "workspace": stage.cast["workspace"],
        "searches": SEARCHES,
        "lists": LISTS,
        "views": {"a free AND and OR": TREE, "a rare one": RARE_TREE},
        "times": 5 if stage.quick else 40,
        "seconds": 0.2 if stage.quick else 1.0,
    }
    asked = stage.ask("search", "product_search.py", spec, environment=environment, seconds=600)
    limits = {"search": SEARCH_MS, "list": LIST_MS, "view": VIEW_MS}
    result.rows = [_row(kind, name, facts, limits[kind]) for kind in limits for name, facts in asked[kind].items()]
    if empty := [name for name in LISTS if not asked["list"][name]["rows"]]:
        raise BenchError(f"there is nothing to show in: {', '.join(empty)}")
    result.notes.append(
        f"{contacts:,} contacts, {2 * contacts:,} conversations, {2 * contacts * MESSAGES:,} messages in "
        f"{words['languages']} languages; put there in {took:.0f} s; "
        f"the tokeniser takes {words['micros']:.0f} us a message"
    )
    result.raw = asked
    return result


def _seed(stage: Stage, database: str, contacts: int, words: dict[str, Any]) -> None:
    numbers = {"contacts": contacts, "messages": MESSAGES}
    with stage.connect(database) as connection:
        connection.execute("create temp table phrase (place bigint, text text, vector text)")
        connection.execute("create temp table name (number bigint, text text, vector text)")
        for table, rows in (("phrase", words["phrases"]), ("name", words["names"])):
            with connection.cursor().copy(f"copy {table} from stdin") as copy:
                for place, (text, vector) in enumerate(rows):
                    copy.write_row((place, text, vector))
            connection.execute(f"analyze {table}")
        # Built once over all rows, as after an import
        indexes = connection.execute(
            "select indexname, indexdef from pg_indexes where indexname in ('message_search', 'contact_search',"
            " 'contact_trigrams', 'contact_note_search')"
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"drop index {name}")
        for statement in (BENCH / "search_seed.sql").read_text().split(";\n"):
            if statement.strip():
                connection.execute(statement, stage.cast | numbers)
        connection.execute("set maintenance_work_mem = '256MB'")
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")


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
