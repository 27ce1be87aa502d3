"""Replies that go out later: once, unless they are taken back or the customer wrote meanwhile."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from config.live.events import events_after, head
from crm.services.members import remove_member
from inbox import topics
from inbox.models import Conversation, Message, Notice, PlannedMessage
from inbox.services import planning
from inbox.services.planning import SEND, send_due, send_planned
from inbox.states import ChannelKind
from jobs.models import Job
from tests.cast import make_channel, receive, sender


def planned(conversation, rest: str = "") -> str:
    return f"conversations/{conversation.pk}/planned/{rest}"


def plan(of, conversation, **fields):
    at = timezone.now() + timedelta(hours=1)
    body = {"client_id": str(uuid4()), "body": "Until tomorrow, then", "send_at": at.isoformat(), **fields}
    return of.post(planned(conversation), body)


def come_due(row) -> None:
    PlannedMessage.objects.filter(pk=row["id"]).update(send_at=timezone.now() - timedelta(seconds=1))


def replies(conversation) -> list[Message]:
    return list(Message.objects.filter(conversation=conversation, direction="out"))


def test_it_goes_out_at_its_time_once_and_in_its_writers_name(cast, desk):
    conversation = receive(cast)
    seq = head(topics.conversation(conversation.pk))
    made = plan(desk.ben, conversation)
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["state"], row["author"]["id"], row["error"]) == ("waiting", str(cast.ben.pk), None)
    assert desk.vic.get(f"conversations/{conversation.pk}/").json()["planned"] == [row]
    desk.ben.put(f"conversations/{conversation.pk}/draft", {"body": "Something else", "version": 0})
    asked = Job.objects.filter(type=SEND, key=f"planned:{row['id']}")
    send_due()
    assert asked.count() == 0
    assert send_planned(planned_id=row["id"]) is False
    come_due(row)
    send_due()
    send_due()
    assert asked.count() == 1
    assert send_planned(planned_id=row["id"]) is True
    assert send_planned(planned_id=row["id"]) is False
    (message,) = replies(conversation)
    assert (str(message.client_id), message.sender_user_id, message.status) == (
        row["client_id"],
        cast.ben.pk,
        "queued",
    )
    assert desk.ben.get(f"conversations/{conversation.pk}/draft").json()["body"] == "Something else"
    told = [
        one.data for one in events_after(topics.conversation(conversation.pk), seq) if one.type == "planned.updated"
    ]
    assert told == [row, {"id": row["id"], "deleted": True}]
    assert desk.ben.get(planned(conversation)).json() == {"results": []}


def test_its_row_says_so_everywhere_until_it_has_gone_out_or_was_taken_back(cast, desk):
    who = sender()
    conversation = receive(cast, who=who)
    inbox = topics.inbox(cast.workspace.slug)
    seq = head(inbox)

    def told() -> list[str | None]:
        events = [one.data for one in events_after(inbox, seq) if one.data["id"] == str(conversation.pk)]
        return [data["planned_state"] for data in events if data["last_message"]["direction"] == "in"]

    def shown() -> str | None:
        (row,) = desk.vic.get(f"conversations/?contact={conversation.contact_id}").json()["results"]
        assert desk.vic.get(f"conversations/{conversation.pk}/").json()["planned_state"] == row["planned_state"]
        return row["planned_state"]

    assert shown() is None
    first, second = plan(desk.ben, conversation).json(), plan(desk.ben, conversation).json()
    assert (shown(), told()) == ("waiting", ["waiting"])
    come_due(first)
    receive(cast, "Never mind", who=who)
    send_planned(planned_id=first["id"])
    assert (shown(), told()[-1]) == ("held", "held")
    desk.ben.delete(planned(conversation, f"{first['id']}/"))
    assert (shown(), told()[-1]) == ("waiting", "waiting")
    desk.ben.delete(planned(conversation, f"{second['id']}/"))
    assert (shown(), told()[-1]) == (None, None)
    desk.ben.post(planned(conversation, f"{plan(desk.ben, conversation).json()['id']}/send"))
    assert shown() is None


def test_what_the_customer_writes_meanwhile_holds_it_back_for_a_person(cast, desk):
    who = sender()
    conversation = receive(cast, who=who)
    row = plan(desk.ben, conversation).json()
    come_due(row)
    receive(cast, "Never mind", who=who)
    assert send_planned(planned_id=row["id"]) is False
    (held,) = desk.bea.get(planned(conversation)).json()["results"]
    assert (held["state"], held["error"]["code"]) == ("held", "conversation_changed")
    assert [(one.user_id, one.kind) for one in Notice.objects.filter(conversation=conversation, kind="held")] == [
        (cast.ben.pk, "held")
    ]
    assert replies(conversation) == []
    # Whoever sends it nevertheless does so in their own name, once
    sent = [desk.bea.post(planned(conversation, f"{row['id']}/send")).json()["id"] for _ in range(2)]
    (message,) = replies(conversation)
    assert sent == [str(message.pk)] * 2
    assert message.sender_user_id == cast.bea.pk


def test_it_is_taken_back_by_whoever_may_answer_until_it_has_gone_out(cast, desk):
    conversation = receive(cast)
    row = plan(desk.ben, conversation).json()
    one = planned(conversation, f"{row['id']}/")
    assert desk.vic.delete(one).status_code == 403
    assert desk.cleo.delete(one).status_code == 404
    assert desk.tia.get(planned(conversation)).status_code == 404
    assert [desk.bea.delete(one).status_code for _ in range(2)] == [204, 204]
    come_due(row)
    assert send_planned(planned_id=row["id"]) is False
    assert desk.ben.post(f"{one}send").status_code == 404
    assert replies(conversation) == []
    assert PlannedMessage.objects.get(pk=row["id"]).body == ""

    other = plan(desk.ben, conversation).json()
    come_due(other)
    send_planned(planned_id=other["id"])
    late = desk.ben.delete(planned(conversation, f"{other['id']}/"))
    assert (late.status_code, late.json()["code"]) == (409, "already_sent")


@pytest.mark.parametrize(
    ("fields", "status", "wrong"),
    [
        ({"send_at": "2020-01-01T00:00:00Z"}, 400, "send_at"),
        ({"send_at": "2999-01-01T00:00:00Z"}, 400, "send_at"),
        ({"send_at": "soon"}, 400, "send_at"),
        ({"body": " "}, 400, "body"),
        ({"body": "x" * 5000}, 400, None),
    ],
    ids=["past", "far", "no time", "empty", "too long"],
)
def test_what_is_wrong_with_it_is_named(cast, desk, fields, status, wrong):
    conversation = receive(cast)
    answer = plan(desk.ben, conversation, **fields)
    assert answer.status_code == status, answer.content
    if wrong:
        assert list(answer.json()["errors"]) == [wrong]
    assert not PlannedMessage.objects.filter(conversation=conversation).exists()


def test_where_the_window_shuts_before_its_time_it_is_refused(cast, desk):
    conversation = receive(cast)
    at = timezone.now() + timedelta(hours=25)
    answer = plan(desk.ben, conversation, send_at=at.isoformat())
    assert (answer.status_code, answer.json()["code"]) == (409, "window_closed")
    sms = receive(cast, channel=make_channel(cast.workspace, ChannelKind.TWILIO))
    assert plan(desk.ben, sms, send_at=at.isoformat()).status_code == 201


def test_the_same_again_is_the_same_and_viewers_plan_nothing(cast, desk):
    conversation = receive(cast)
    body = {"client_id": str(uuid4()), "send_at": (timezone.now() + timedelta(hours=2)).isoformat()}
    assert [plan(desk.ben, conversation, **body).status_code for _ in range(2)] == [201, 200]
    assert plan(desk.ben, conversation, **body, body="Another").json()["code"] == "client_id_reused"
    assert plan(desk.vic, conversation).status_code == 403
    assert plan(desk.cleo, conversation).status_code == 404
    assert PlannedMessage.objects.filter(conversation=conversation).count() == 1


def test_who_has_left_sends_nothing_and_the_team_decides(cast, desk):
    conversation = receive(cast)
    row = plan(desk.ben, conversation).json()
    come_due(row)
    remove_member(actor=cast.actor(cast.ada), user_id=cast.ben.pk)
    assert send_planned(planned_id=row["id"]) is False
    (held,) = desk.bea.get(planned(conversation)).json()["results"]
    assert (held["state"], held["error"]["code"], held["author"]) == ("held", "not_found", None)


def test_it_goes_along_when_two_conversations_become_one(cast, desk):
    first = receive(cast)
    desk.ben.post(f"conversations/{first.pk}/status", {"status": "resolved"})
    same = {"channel": first.channel, "contact": first.contact, "peer_address": first.peer_address}
    times = {"last_activity_at": first.last_activity_at, "last_inbound_at": first.last_inbound_at}
    second = Conversation.objects.create(workspace=cast.workspace, **same, **times)
    row = plan(desk.ben, second).json()
    assert desk.ben.post(f"conversations/{first.pk}/merge", {"conversation": str(second.pk)}).status_code == 200
    assert [one["id"] for one in desk.ben.get(planned(first)).json()["results"]] == [row["id"]]
    assert desk.ben.get(f"conversations/{first.pk}/").json()["planned_state"] == "waiting"
    come_due(row)
    assert send_planned(planned_id=row["id"]) is True
    assert len(replies(first)) == 1


def test_of_two_workers_at_once_one_sends(cast, desk, at_once):
    conversation = receive(cast)
    row = plan(desk.ben, conversation).json()
    come_due(row)
    assert sorted(at_once([lambda: send_planned(planned_id=row["id"])] * 2)) == [False, True]
    assert len(replies(conversation)) == 1


def test_one_that_failed_does_not_stand_before_the_others(cast, desk, monkeypatch):
    monkeypatch.setattr(planning, "AT_ONCE", 1)
    for hours in (48, 47):  # before whatever else is due here
        row = plan(desk.ben, receive(cast, who=sender())).json()
        PlannedMessage.objects.filter(pk=row["id"]).update(send_at=timezone.now() - timedelta(hours=hours))
        send_due()
        assert Job.objects.filter(key=f"{planning.KEY}{row['id']}").count() == 1
