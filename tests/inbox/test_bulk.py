"""Many at once: each for itself, taken back for half a minute, and no lock that two could die of."""

from uuid import UUID, uuid4

import pytest
from django.core import signing

from config.live.events import events_after, head
from inbox import topics
from inbox.models import Conversation, Label
from inbox.services import bulk
from tests.cast import receive, sender


def ids(rows) -> list[str]:
    return [str(row.pk) for row in rows]


def test_each_answers_for_itself_and_only_what_changed_is_undone(cast, desk):
    rows = [receive(cast) for _ in range(3)]
    desk.bea.post(f"conversations/{rows[0].pk}/assign", {"assignee": "me"})
    missing = str(uuid4())
    body = {"ids": [*ids(rows), missing], "action": {"do": "assign", "value": str(cast.bea.pk)}}
    done = desk.ben.post("conversations/bulk", body).json()
    assert [item["result"] for item in done["results"]] == ["unchanged", "changed", "changed", "refused"]
    assert done["results"][3]["code"] == "not_found"
    desk.ben.post(f"conversations/{rows[1].pk}/assign", {"assignee": "me"})
    back = desk.ben.post("conversations/bulk/undo", {"undo": done["undo"]}).json()
    assert {item["id"]: item["result"] for item in back["results"]} == {
        str(rows[1].pk): "unchanged",
        str(rows[2].pk): "changed",
    }
    names = dict(Conversation.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "assignee__name"))
    assert [names[row.pk] for row in rows] == ["Bea", "Ben", None]


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ({"do": "status", "value": "resolved"}, "status", "resolved"),
        ({"do": "priority", "value": "urgent"}, "priority", "urgent"),
        ({"do": "snooze", "value": None}, "status", "snoozed"),
        ({"do": "label", "value": "Later"}, "labels", [{"name": "Later", "hue": 1}]),
        ({"do": "spam", "value": True}, "is_spam", True),
    ],
    ids=["status", "priority", "snooze", "label", "spam"],
)
def test_every_action_does_and_undoes(cast, desk, action, field, value):
    Label.objects.create(workspace=cast.workspace, name="Later")
    conversation = receive(cast)
    path = f"conversations/{conversation.pk}/"
    before = desk.ben.get(path).json()
    done = desk.ben.post("conversations/bulk", {"ids": ids([conversation]), "action": action}).json()
    assert desk.ben.get(path).json()[field] == value
    assert desk.ben.post("conversations/bulk/undo", {"undo": done["undo"]}).json()["changed"] == 1
    after = desk.ben.get(path).json()
    assert (after[field], after["waiting_since"]) == (before[field], before["waiting_since"])


def test_by_a_filter_instead_of_ids(cast, desk):
    rows = [receive(cast) for _ in range(2)]
    desk.ben.post(f"conversations/{rows[0].pk}/assign", {"assignee": "me"})
    body = {"filter": {"assignee": "none"}, "action": {"do": "priority", "value": "low"}}
    done = desk.ben.post("conversations/bulk", body).json()
    assert [item["id"] for item in done["results"]] == ids(rows[1:])


def test_an_undo_that_is_old_or_somebody_elses_is_refused(cast, desk, monkeypatch):
    conversation = receive(cast)
    body = {"ids": ids([conversation]), "action": {"do": "priority", "value": "low"}}
    token = desk.ben.post("conversations/bulk", body).json()["undo"]
    assert desk.bea.post("conversations/bulk/undo", {"undo": token}).json()["code"] == "undo_over"
    assert desk.ben.post("conversations/bulk/undo", {"undo": token[:-2] + "xx"}).status_code == 400
    monkeypatch.setattr(bulk, "UNDO_SECONDS", -1)
    over = desk.ben.post("conversations/bulk/undo", {"undo": token})
    assert (over.status_code, over.json()["code"]) == (410, "undo_over")
    assert signing.loads(token, salt=bulk.SALT)


def test_viewers_and_strangers_do_nothing(cast, desk):
    body = {"ids": ids([receive(cast)]), "action": {"do": "status", "value": "resolved"}}
    assert desk.vic.post("conversations/bulk", body).status_code == 403
    assert desk.cleo.post("conversations/bulk", body).status_code == 404
    assert desk.ben.post("conversations/bulk", {"ids": [], "action": {"do": "fly"}}).status_code == 400


def test_beside_many_writers_nothing_locks_up_and_no_number_is_missing(cast, at_once):
    repeats = 60
    people = [sender() for _ in range(repeats)]
    rows = [receive(cast, who=who) for who in people]
    wanted = [row.pk for row in rows]
    before = head(topics.inbox(cast.workspace.slug))

    def write(start: int) -> None:
        for position in range(20):
            receive(cast, "more", who=people[(start * 7 + position * 3) % len(people)])

    def change(priority: str, order: list[UUID]) -> bulk.Done:
        return bulk.apply(actor=cast.actor(cast.ben), ids=order, step=bulk.Step({"priority": priority}))

    writers = [lambda start=start: write(start) for start in range(6)]
    answers = at_once([*writers, lambda: change("high", wanted), lambda: change("low", wanted[::-1])])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert len(answers[-1].items) == len(answers[-2].items) == repeats
    numbers = [event.seq for event in events_after(topics.inbox(cast.workspace.slug), before)]
    assert numbers == list(range(before + 1, before + 1 + len(numbers)))
    assert len(numbers) >= 6 * 20 + repeats
