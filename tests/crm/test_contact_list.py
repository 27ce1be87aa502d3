"""The list of contacts: filters that combine, orders that page, saved views, the board."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import (
    AttributeDefinition,
    BillingAccount,
    Contact,
    ContactIdentity,
    ContactMemory,
    ContactProfile,
    IdentityKind,
    Team,
    TeamMember,
    User,
)
from crm.payloads import contact_payload
from crm.queries import orders, time_limit
from crm.queries.lines import lines, name_of
from crm.search import vector_of
from tests.api import Api
from tests.cast import unique

pytestmark = pytest.mark.usefixtures("own_issuer")
NOW = datetime.now(UTC)


def api(cast: Any, who: str = "ben") -> Api:
    return Api(getattr(cast, who)).of(cast.workspace.slug)


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


@pytest.fixture
def people(cast: Any) -> dict[str, Contact]:
    """a to e, the oldest first."""
    facts: dict[str, dict[str, Any]] = {
        "a": {"lead_status": "new", "lead_score": 10, "tags": ["vip", "spring"], "owner": cast.ben},
        "b": {"lead_status": "qualified", "lead_score": 80, "tags": ["vip"], "owner": cast.bea, "email": "b@x.example"},
        "c": {"lead_status": "qualified", "lead_score": None, "phone_normalized": "+14155550001"},
        "d": {"lead_status": "customer", "lead_score": 80, "owner": cast.ben, "attributes": {"group": "B", "kids": 2}},
        "e": {"lead_status": "odd", "lead_score": 50, "tags": ["spring"], "attributes": {"kids": 5, "paid": True}},
    }
    AttributeDefinition.objects.bulk_create(
        AttributeDefinition(workspace=cast.workspace, key=key, label=key, type=kind, choices=choices)
        for key, kind, choices in [
            ("group", "choice", ["A", "B"]),
            ("kids", "number", []),
            ("paid", "boolean", []),
            ("contains", "text", []),
        ]
    )
    made = {}
    for position, (name, fields) in enumerate(facts.items()):
        contact = Contact.objects.create(workspace=cast.workspace, name=name, search=vector_of(name), **fields)
        Contact.objects.filter(pk=contact.pk).update(created_at=NOW - timedelta(days=50 - 10 * position))
        made[name] = contact
    for name, days in {"b": 3, "d": 1}.items():
        ContactMemory.objects.create(
            contact=made[name], workspace=cast.workspace, last_message_at=NOW - timedelta(days=days)
        )
    ContactProfile.objects.create(
        contact=made["c"], workspace=cast.workspace, journey_phase="settling", burnout_band="high"
    )
    BillingAccount.objects.create(
        contact=made["d"], workspace=cast.workspace, stripe_customer_id=unique("cus"), status="past_due"
    )
    return made


def test_filters_combine(cast, people):
    asked = {
        "": "edcba",
        "lead_status=qualified": "cb",
        "lead_status=qualified,new": "cba",
        "owner=me": "da",
        "owner=none": "ec",
        "owner=none,me": "edca",
        f"owner={cast.bea.pk}": "b",
        "tags=vip,spring": "eba",
        "tags_all=vip,spring": "a",
        "tags_none=vip": "edc",
        "score_min=50": "edb",
        "score_min=50&score_max=60": "e",
        "has_email=true": "b",
        "has_phone=true": "c",
        "has_phone=false": "edba",
        "has_phone=True&has_email=0": "c",
        f"created_after={(NOW - timedelta(days=25)).isoformat().replace('+', '%2B')}": "ed",
        f"created_before={(NOW - timedelta(days=25)).date().isoformat()}": "cba",
        "seen_within=2": "d",
        "seen_within=30": "db",
        "journey_phase=settling": "c",
        "band=high,severe": "c",
        "subscription=past_due,active": "d",
        "attribute.kids=2": "d",
        "attribute.paid=true": "e",
        "attribute.group=B": "d",
        "lead_status=customer,qualified&owner=me&score_min=70&attribute.kids=2": "d",
        "lead_status=customer&owner=none": "",
        "q=e": "e",
        "deleted=only": "",
        "sort=oldest": "abcde",
        "sort=name": "abcde",
        "sort=score": "dbeac",
        "sort=last_seen": "dbeca",
        "sort=last_seen&owner=none": "ec",
    }
    for query, wanted in asked.items():
        assert "".join(names(api(cast, "ben").get(f"contacts/?{query}"))) == wanted, query


def test_every_order_pages_without_skipping_or_repeating(cast, people):
    for order, wanted in {"newest": "edcba", "name": "abcde", "score": "dbeac", "last_seen": "dbeca"}.items():
        found, path = "", f"/api/v1/workspaces/{cast.workspace.slug}/contacts/?sort={order}&limit=2"
        answers = []
        while path:
            answer = Api(cast.vic).get(path)
            answers.append(answer.json())
            found += "".join(names(answer))
            path = answer.json()["next"]
        assert found == wanted, order
        if order != "last_seen":
            back = Api(cast.vic).get(answers[-1]["previous"])
            assert "".join(names(back)) == wanted[2:4], order


def test_wrong_parameters_are_named(cast, people):
    wrong = {
        "score_min": "x",
        "owner": "nobody",
        "sort": "random",
        "created_after": "yesterday",
        "attribute.unknown": "1",
        "subscription": "golden",
        "band": "purple",
        "deleted": "yes",
        "has_phone": "perhaps",
        "has_email": "2",
        "view": "mine",
    }
    for name, value in wrong.items():
        for path in ("contacts/", "contacts/counts", "contacts/export.csv"):
            if (name, path) == ("sort", "contacts/counts"):
                continue  # what is counted has no order
            answer = api(cast).get(path, **{name: value})
            assert (answer.status_code, set(answer.json().get("errors", {}))) == (400, {name}), (path, name)
    assert api(cast).get("contacts/export.csv", bom="perhaps").json()["errors"].keys() == {"bom"}
    assert api(cast).get("contacts/", cursor="rubbish").status_code == 400


TREE = {
    "all": [
        {
            "any": [
                {"field": "lead_status", "is": "in", "value": ["new", "odd"]},
                {"field": "tags", "is": "any", "value": ["vip"]},
            ]
        },
        {"not": {"field": "owner", "is": "is", "value": "me"}},
    ]
}


def test_a_saved_view_opens_a_free_tree_and_other_filters_narrow_it(cast, people):
    made = api(cast).post("views/", {"name": "Mine", "filters": TREE, "sort": "oldest"})
    assert made.status_code == 201, made.content
    view = made.json()["id"]
    assert names(api(cast).get("contacts/", view=view)) == ["b", "e"]
    assert names(api(cast).get("contacts/", view=view, sort="newest")) == ["e", "b"]
    assert names(api(cast).get("contacts/", view=view, has_email="true")) == ["b"]
    trees = {
        "de": {"any": [{"field": "attribute.kids", "is": "at_least", "value": 2}]},
        "abc": {"field": "attribute.kids", "is": "is_empty"},
        "cd": {
            "any": [
                {"field": "subscription", "is": "is", "value": "past_due"},
                {"field": "burnout_band", "is": "is", "value": "high"},
            ]
        },
        "ace": {"field": "last_seen", "is": "is_empty"},
        "b": {"field": "email", "is": "contains", "value": "X.EXAMPLE"},
        "c": {"field": "lead_score", "is": "is_empty"},
        "abcde": {},
        "abe": {"field": "tags", "is": "is_not_empty"},
        "bd": {"field": "lead_score", "is": "between", "value": [60, 90]},
        "abd": {"not": {"field": "owner", "is": "is", "value": "none"}},
        "": {"field": "attribute.contains", "is": "contains", "value": "x"},
    }
    for wanted, tree in trees.items():
        api(cast).patch(f"views/{view}", {"filters": tree})
        assert "".join(names(api(cast).get("contacts/", view=view))) == wanted, tree


SEEN_OR_NEVER = {
    "any": [{"field": "tags", "is": "any", "value": ["vip", "spring"]}, {"field": "lead_score", "is": "is_empty"}]
}


@pytest.mark.parametrize("lately", [0, 1, 2, 2000])
@pytest.mark.parametrize(("tree", "wanted"), [({}, "dbeca"), (SEEN_OR_NEVER, "beca")], ids=["all", "some"])
def test_a_view_by_last_seen_pages_as_the_list_does_and_back(cast, people, monkeypatch, lately, tree, wanted):
    """However many of those seen lately are looked through first."""
    monkeypatch.setattr(orders, "LATELY", lately)
    view = api(cast).post("views/", {"name": "Mine", "filters": tree, "sort": "last_seen"}).json()["id"]
    for limit in (1, 2, 3):
        pages, path = [], f"/api/v1/workspaces/{cast.workspace.slug}/contacts/?view={view}&limit={limit}"
        while path:
            answer = Api(cast.ben).get(path)
            pages.append("".join(names(answer)))
            back, path = answer.json()["previous"], answer.json()["next"]
        assert "".join(pages) == wanted
        assert all(len(one) == limit for one in pages[:-1])
        assert "".join(names(Api(cast.ben).get(back))) == pages[-2]


def test_a_view_by_last_seen_asks_no_contact_one_by_one(cast, people):
    """Of a tree that leaves nobody: once among those seen lately, once among all."""
    nobody = {"field": "attribute.contains", "is": "contains", "value": "x"}
    view = api(cast).post("views/", {"name": "Nobody", "filters": nobody, "sort": "last_seen"}).json()["id"]
    with CaptureQueriesContext(connection) as captured:
        assert names(api(cast).get("contacts/", view=view)) == []
    pages = [query["sql"] for query in captured.captured_queries if "with asked as" in query["sql"]]
    assert len(pages) == 2
    assert "LIMIT 2000" in pages[0]
    for sql in pages:  # nothing leaves out whom nobody has seen, or asks for them by themselves
        assert "LEFT OUTER JOIN" in sql
        assert "NOT EXISTS" not in sql


def test_a_broken_tree_is_refused_place_by_place(cast):
    broken = {
        "all": [
            {"field": "nope", "is": "is", "value": 1},
            {"field": "lead_score", "is": "at_least", "value": "ten"},
            {"field": "lead_status", "is": "like", "value": "x"},
            {"any": "x"},
            {"some": []},
            7,
        ]
    }
    answer = api(cast).post("views/", {"name": "Broken", "filters": broken})
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {
        "filters.all.0", "filters.all.1", "filters.all.2", "filters.all.3.any", "filters.all.4", "filters.all.5",
    }  # fmt: skip
    deep: dict[str, Any] = {"field": "name", "is": "is", "value": "x"}
    for _ in range(10):
        deep = {"all": [deep]}
    assert api(cast).post("views/", {"name": "Deep", "filters": deep}).status_code == 400
    wide = {"all": [{"any": [{"field": "name", "is": "is", "value": "x"}] * 40}] * 2}
    assert api(cast).post("views/", {"name": "Wide", "filters": wide}).status_code == 400
    assert api(cast).post("views/", {"name": "Sort", "sort": "random"}).status_code == 400


def test_a_view_is_seen_by_whom_it_is_for(cast):
    team = Team.objects.create(workspace=cast.workspace, name=unique("Desk"))
    TeamMember.objects.create(workspace=cast.workspace, team=team, user=cast.ben)
    mine = api(cast).post("views/", {"name": "Mine"}).json()["id"]
    ours = api(cast).post("views/", {"name": "Ours", "audience": "team", "team": str(team.pk)}).json()["id"]
    all_ = api(cast).post("views/", {"name": "All", "audience": "everyone"}).json()["id"]

    def seen(who: str) -> set[str]:
        return {row["id"] for row in api(cast, who).get("views/", scope="contacts").json()["results"]}

    assert seen("ben") == {mine, ours, all_}
    assert seen("bea") == seen("vic") == seen("ada") == {all_}
    assert seen("tia") == set()
    assert api(cast, "cleo").get("views/").status_code == 404
    assert api(cast, "bea").get("contacts/", view=mine).status_code == 404
    assert api(cast, "bea").patch(f"views/{ours}", {"name": "x"}).status_code == 404
    assert api(cast, "bea").patch(f"views/{all_}", {"name": "x"}).status_code == 403
    assert api(cast, "vic").post("views/", {"name": "x", "audience": "everyone"}).status_code == 403
    assert api(cast, "vic").post("views/", {"name": "x"}).status_code == 201
    assert api(cast, "bea").post("views/", {"name": "x", "audience": "team", "team": str(team.pk)}).status_code == 400
    assert api(cast, "ada").patch(f"views/{all_}", {"name": "Renamed"}).json()["name"] == "Renamed"
    assert api(cast, "ada").delete(f"views/{all_}").status_code == 204
    assert seen("ben") == {mine, ours}


def test_a_filter_that_takes_too_long_says_so(cast, people, monkeypatch):
    monkeypatch.setattr(time_limit.time_limit.__wrapped__, "__defaults__", (1,))
    slow = Contact.objects.bulk_create(
        Contact(workspace=cast.workspace, name=f"{number} {'x' * 150}", email=f"{uuid4()}@x.example")
        for number in range(3000)
    )
    assert slow
    tree = {"any": [{"field": "name", "is": "contains", "value": f"{one}y{one}"} for one in range(40)]}
    view = api(cast).post("views/", {"name": "Slow", "filters": tree}).json()["id"]
    answer = api(cast).get("contacts/", view=view)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_slow")
    assert answer["Content-Type"] == "application/problem+json"


def test_the_board_counts_its_columns(cast, people):
    answer = api(cast, "vic").get("contacts/counts").json()
    counts = {column["lead_status"]: column["count"] for column in answer["columns"]}
    assert counts == {"new": 1, "contacted": 0, "qualified": 2, "customer": 1, "lost": 0, "odd": 1}
    assert [column["lead_status"] for column in answer["columns"]][-1] == "odd"
    assert answer["total"] == 5
    narrowed = api(cast).get("contacts/counts", owner="me").json()
    assert {column["lead_status"]: column["count"] for column in narrowed["columns"] if column["count"]} == {
        "new": 1,
        "customer": 1,
    }
    assert api(cast, "tia").get("contacts/counts").status_code == 403
    assert api(cast, "cleo").get("contacts/counts").status_code == 404


def test_tags_in_use_are_known(cast, people):
    assert {row["name"]: row["count"] for row in api(cast, "vic").get("tags").json()["results"]} == {
        "vip": 2,
        "spring": 2,
    }
    assert Api(cast.cleo).of(cast.elsewhere.slug).get("tags").json()["results"] == []


def test_the_list_takes_few_queries_however_long(cast, people, assert_queries):
    with assert_queries(8):
        api(cast).get("contacts/", sort="last_seen", owner="me,none", tags_none="x")
    view = api(cast).post("views/", {"name": "Mine", "filters": TREE}).json()["id"]
    with assert_queries(8):
        api(cast).get("contacts/", view=view)
    with assert_queries(8):
        api(cast).get("contacts/counts", q="a")


def test_a_row_is_what_events_say_of_the_contact(cast, people):
    """Two roads to one form: rows are read without models."""
    User.objects.filter(pk=cast.ben.pk).update(name="")
    Contact.objects.filter(pk=people["d"].pk).update(metadata={"ß": [1, {"a": None}]})
    ContactIdentity.objects.bulk_create(
        ContactIdentity(workspace=cast.workspace, contact=people["a"], kind=kind, value=f"{kind}-{unique('x')}")
        for kind in reversed(IdentityKind.values)
    )
    rows = Contact.objects.select_related("owner", "memory").filter(workspace=cast.workspace).order_by("name")
    found = lines(rows.select_related(None).values("id"))
    assert [row["name"] for row in found] == [*"abcde"]
    for row, of in zip(found, rows, strict=True):
        assert row == {**contact_payload(of), "last_seen": of.memory.last_message_at if hasattr(of, "memory") else None}
        assert name_of(row) == of.display_name
