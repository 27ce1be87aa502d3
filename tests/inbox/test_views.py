"""Saved views of conversations, and the list's own filters and orders."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from config.timing import Tally
from crm.models import AttributeDefinition
from inbox.models import Conversation
from inbox.states import ChannelKind
from tests.cast import make_channel, receive, sender

MINE = {"field": "assignee", "is": "is", "value": "me"}
VIP = {"field": "labels", "is": "any", "value": ["VIP"]}


@pytest.fixture
def rows(cast, desk):
    """One of mine and urgent, one labelled, one that is spam."""
    found = [receive(cast, who=sender(name=f"Person {number}")) for number in range(3)]
    paths = [f"conversations/{row.pk}/" for row in found]
    desk.ben.post("labels/", {"name": "VIP"})
    desk.ben.post(paths[0] + "claim")
    desk.ben.post(paths[0] + "priority", {"priority": "urgent"})
    desk.ben.post(paths[1] + "labels", {"labels": ["VIP"]})
    desk.ben.post(paths[2] + "spam", {"spam": True})
    return [str(row.pk) for row in found]


def listed(desk, **query) -> list[str]:
    answer = desk.ben.get("conversations/", **query)
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_filters_and_orders(desk, rows):
    mine, labelled, spam = rows
    assert listed(desk) == [labelled, mine]
    assert listed(desk, spam="true") == [spam]
    assert listed(desk, label="vip") == [labelled]
    assert listed(desk, priority="urgent") == [mine]
    assert listed(desk, team="none", order="oldest") == [mine, labelled]
    assert listed(desk, order="priority") == [mine, labelled]
    first = desk.ben.get("conversations/", order="priority", limit=1).json()
    assert [row["id"] for row in first["results"]] == [mine]
    assert desk.ben.get("conversations/").json()["counts"]["all"] == 2
    assert desk.ben.get("conversations/", team="x").status_code == 400


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        (
            {
                "any": [
                    {"field": "assignee", "is": "is", "value": "me"},
                    {"field": "labels", "is": "any", "value": ["VIP"]},
                ]
            },
            {0, 1},
        ),
        (
            {
                "all": [
                    {"field": "status", "is": "in", "value": ["open"]},
                    {"not": {"field": "labels", "is": "any", "value": ["VIP"]}},
                ]
            },
            {0},
        ),
        ({"field": "contact.name", "is": "contains", "value": "Person 1"}, {1}),
        ({"field": "priority", "is": "is", "value": "urgent"}, {0}),
        ({"field": "unread", "is": "is", "value": True}, {0, 1}),
        ({"field": "waiting", "is": "longer_than_hours", "value": 1}, set()),
        ({"field": "window", "is": "is", "value": "open"}, {0, 1}),
        ({"field": "window", "is": "is", "value": "shut"}, set()),
        ({"field": "window", "is": "closes_within_hours", "value": 2}, set()),
        ({"field": "window", "is": "closes_within_hours", "value": 24}, {0, 1}),
        ({"field": "team", "is": "is_empty"}, {0, 1}),
        ({}, {0, 1}),
    ],
    ids=[
        "or",
        "not",
        "contact",
        "priority",
        "unread",
        "waiting",
        "open",
        "shut",
        "soon",
        "today",
        "team",
        "everything",
    ],
)
def test_a_view_is_a_tree(desk, rows, tree, wanted):
    made = desk.ben.post("views/", {"name": "Mine", "scope": "conversations", "filters": tree, "sort": "oldest"})
    assert made.status_code == 201, made.content
    found = listed(desk, view=made.json()["id"])
    assert found == [rows[position] for position in sorted(wanted)]
    assert desk.bea.get("conversations/", view=made.json()["id"]).status_code == 404


@pytest.mark.parametrize(
    "tree",
    [
        {"field": "nothing", "is": "is", "value": 1},
        {"field": "contact.nothing", "is": "is", "value": 1},
        {"field": "contact.name", "is": "no_such", "value": 1},
        {"field": "priority", "is": "is", "value": "none at all"},
        {"field": "waiting", "is": "longer_than_hours", "value": "x"},
        {"field": "window", "is": "closes_within_hours", "value": 25},
        {"field": "window", "is": "is", "value": "ajar"},
    ],
    ids=str,
)
def test_a_broken_tree_is_not_kept(desk, tree):
    answer = desk.ben.post("views/", {"name": "x", "scope": "conversations", "filters": tree})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["filters"]


OF_CONTACTS = {"all": [{"field": "contact.tags", "is": "any", "value": ["x"]}, VIP]}
WITH_OWN_FIELDS = {
    "any": [
        {"field": "contact.attribute.tier", "is": "is", "value": "gold"},
        {"all": [{"field": "contact.attribute.visits", "is": "at_least", "value": 2}, {"not": VIP}]},
        MINE,
    ]
}


@pytest.fixture
def asked(cast, desk, rows):
    """What a list may be asked for, by name: each of the tabs, filters together, free trees."""
    AttributeDefinition.objects.create(workspace=cast.workspace, key="tier", label="Tier", type="text")
    AttributeDefinition.objects.create(workspace=cast.workspace, key="visits", label="Visits", type="number")
    team = desk.ada.post("teams/", {"name": "Line", "members": [str(cast.ben.pk)]}).json()["id"]

    def view(tree, **more):
        made = desk.ben.post("views/", {"name": "x", "scope": "conversations", "filters": tree, **more})
        assert made.status_code == 201, made.content
        return {"view": made.json()["id"]}

    return {
        "mine": {"assignee": "me", "status": "open"},
        "unassigned": {"assignee": "none", "status": "open"},
        "all": {"status": "open"},
        "a colleague's": {"assignee": str(cast.bea.pk)},
        "unread": {"unread": "true"},
        "resolved": {"status": "resolved"},
        "snoozed": {"status": "snoozed"},
        "spam": {"spam": "true"},
        "waiting": {"order": "waiting"},
        "oldest": {"order": "oldest"},
        "urgent": {"order": "priority"},
        "by three": {"label": "vip", "priority": "urgent", "channel": cast.channel.slug},
        "by all": {"label": "vip", "team": team, "assignee": "me", "unread": "true", "order": "waiting"},
        "searched": {"search": "Person"},
        "view": view(MINE),
        "view of a team": view(VIP, audience="team", team=team),
        "view in an order": view({"any": [MINE, VIP]}, sort="waiting"),
        "view of contacts": view(OF_CONTACTS),
        "view with own fields": view(WITH_OWN_FIELDS),
        "view, narrowed": {**view(WITH_OWN_FIELDS), "priority": "urgent", "unread": "true"},
    }


def test_no_list_takes_more_than_six_queries(desk, asked):
    """As the header Server-Timing counts them: the membership of who asks is one of them."""
    taken = {}
    for name, query in asked.items():
        tally = Tally()
        with connection.execute_wrapper(tally):
            listed(desk, **query)
        taken[name] = tally.queries
    assert {name: count for name, count in taken.items() if count > 6} == {}


def test_labels_of_the_list_are_those_of_the_conversation(desk, rows):
    labelled = rows[1]
    desk.ben.post("labels/", {"name": "Billing", "hue": 3})
    desk.ben.post(f"conversations/{labelled}/labels", {"add": ["Billing"]})
    found = {row["id"]: row["labels"] for row in desk.ben.get("conversations/").json()["results"]}
    assert [label["name"] for label in found[labelled]] == ["VIP", "Billing"]
    assert desk.ben.get(f"conversations/{labelled}/").json()["labels"] == found[labelled]
    assert found[rows[0]] == []


def test_whose_window_shuts_soon_is_one_view(cast, desk):
    """Only WhatsApp has one: at Twilio by the address."""
    hours = {"now": 1, "soon": 23, "shut": 25}
    made = {name: receive(cast, who=sender(name=name)) for name in hours}
    made["sms"] = receive(cast, channel=make_channel(cast.workspace, ChannelKind.TWILIO))
    for name, ago in hours.items():
        at = timezone.now() - timedelta(hours=ago)
        Conversation.objects.filter(pk=made[name].pk).update(last_inbound_at=at, last_activity_at=at)
    Conversation.objects.filter(pk=made["sms"].pk).update(last_inbound_at=timezone.now() - timedelta(hours=23))

    def found(**condition):
        tree = {"field": "window", **condition}
        view = desk.ben.post("views/", {"name": "Soon", "scope": "conversations", "filters": tree}).json()
        ids = listed(desk, view=view["id"])
        return {name for name, one in made.items() if str(one.pk) in ids}

    assert found(**{"is": "closes_within_hours", "value": 2}) == {"soon"}
    assert found(**{"is": "is", "value": "open"}) == {"now", "soon"}
    assert found(**{"is": "is", "value": "shut"}) == {"shut"}
    Conversation.objects.filter(pk=made["sms"].pk).update(peer_address="whatsapp:+6281234567890")
    assert found(**{"is": "closes_within_hours", "value": 2}) == {"soon", "sms"}
