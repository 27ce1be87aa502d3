"""Claiming, teams, priority, labels, snoozing: each real change leaves one line in the thread."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from config.live.events import events_after, head
from crm.models import Workspace
from inbox import topics
from inbox.models import Conversation, Message
from inbox.services import snoozing
from inbox.states import Direction
from jobs.models import Job
from tests.cast import receive, sender
from tests.jobs_at_hand import run_job


def at(conversation, what: str) -> str:
    return f"conversations/{conversation.pk}/{what}"


def lines(conversation) -> list[tuple[str, str]]:
    rows = Message.objects.filter(conversation=conversation, direction=Direction.ACTIVITY).order_by("pk")
    return [(row.type, row.body) for row in rows]


def test_of_two_who_claim_at_once_one_wins_and_the_other_learns_who(cast, desk, at_once):
    conversation, agents = receive(cast), [desk.ben, desk.bea]
    answers = at_once([lambda one=one: one.post(at(conversation, "claim")) for one in agents])
    won = [answer.json() for answer in answers if answer.status_code == 200]
    lost = [answer.json() for answer in answers if answer.status_code == 409]
    assert (len(won), len(lost)) == (1, 1)
    assert lost[0]["code"] == "already_claimed"
    assert lost[0]["assignee"] == won[0]["assignee"]
    assert lines(conversation) == [("assigned", "Taken")]


def test_claiming_what_is_mine_already_is_no_news(cast, desk):
    conversation = receive(cast)
    assert desk.ben.post(at(conversation, "claim")).status_code == 200
    seq = head(topics.inbox(cast.workspace.slug))
    assert desk.ben.post(at(conversation, "claim")).status_code == 200
    assert events_after(topics.inbox(cast.workspace.slug), seq) == []
    assert len(lines(conversation)) == 1


def test_each_change_is_one_line_that_says_what_and_who(cast, desk):
    conversation = receive(cast)
    team = desk.ada.post("teams/", {"name": "Billing"}).json()
    desk.ada.post("labels/", {"name": "Urgent"})
    for _ in range(2):  # the second time changes nothing
        assert desk.ben.post(at(conversation, "priority"), {"priority": "high"}).status_code == 200
        assert desk.ben.post(at(conversation, "team"), {"team": team["id"]}).json()["team"]["name"] == "Billing"
        worn = desk.ben.post(at(conversation, "labels"), {"labels": ["urgent"]}).json()["labels"]
        assert [label["name"] for label in worn] == ["Urgent"]
        assert desk.ben.post(at(conversation, "status"), {"status": "resolved"}).json()["status"] == "resolved"
    told = [kind for kind, _ in lines(conversation)]
    assert told == ["priority", "team", "labels", "resolved"]
    thread = desk.ben.get(at(conversation, "messages/")).json()["results"]
    assert thread[0]["direction"] == "activity"
    assert thread[0]["sender"] == {"kind": "member", "id": str(cast.ben.pk), "name": "Ben"}
    said = {"sentence": "Resolved", "values": {}}
    assert thread[0]["detail"]["activity"] == {"status": "resolved", "before": "open", "until": None, "said": said}


def test_a_line_is_live_in_the_thread_and_moves_nothing_in_the_list(cast, desk):
    conversation = receive(cast)
    before = Conversation.objects.get(pk=conversation.pk)
    seq = head(topics.conversation(conversation.pk))
    desk.ben.post(at(conversation, "priority"), {"priority": "low"})
    told = events_after(topics.conversation(conversation.pk), seq)
    assert [event.type for event in told] == ["message.created", "conversation.updated"]
    after = Conversation.objects.get(pk=conversation.pk)
    assert (after.last_activity_at, after.last_message_id) == (before.last_activity_at, before.last_message_id)


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("claim", {}),
        ("team", {"team": None}),
        ("priority", {"priority": "high"}),
        ("labels", {"labels": []}),
        ("snooze", {"until": None}),
        ("spam", {"spam": True}),
    ],
)
def test_viewers_are_refused_and_strangers_see_nothing(cast, desk, what, body):
    conversation = receive(cast)
    assert desk.vic.post(at(conversation, what), body).status_code == 403
    assert desk.cleo.post(at(conversation, what), body).status_code == 404


def test_labels_come_change_and_go(cast, desk):
    made = desk.ben.post("labels/", {"name": "Refund"})
    assert made.status_code == 201
    assert desk.ben.post("labels/", {"name": "refund"}).json()["code"] == "label_taken"
    conversation = receive(cast)
    desk.ben.post(at(conversation, "labels"), {"add": ["Refund"]})
    path = f"labels/{made.json()['id']}/"
    assert desk.ben.patch(path, {"name": "Refunds", "hue": 3}).json()["hue"] == 3
    assert desk.ben.get(at(conversation, "")).json()["labels"] == [{"name": "Refunds", "hue": 3}]
    assert desk.ben.post(at(conversation, "labels"), {"add": ["nothing"]}).status_code == 400
    assert desk.ben.delete(path).status_code == 204
    assert desk.ben.get(at(conversation, "")).json()["labels"] == []
    assert desk.vic.post("labels/", {"name": "x"}).status_code == 403
    assert desk.cleo.delete(path).status_code == 404


def test_teams_are_for_admins_to_change_and_for_all_to_see(cast, desk):
    made = desk.ada.post("teams/", {"name": "Second line", "members": [str(cast.ben.pk)], "assigns_itself": True})
    assert made.status_code == 201
    path = f"teams/{made.json()['id']}/"
    assert [one["name"] for one in desk.ben.get(path).json()["members"]] == ["Ben"]
    assert desk.ada.post("teams/", {"name": "second LINE"}).json()["code"] == "team_taken"
    assert desk.ben.patch(path, {"name": "x"}).status_code == 403
    assert desk.cleo.get(path).status_code == 404
    assert desk.ada.patch(path, {"members": [str(cast.cleo.pk)]}).status_code == 400
    assert desk.ada.patch(path, {"most_open": 3}).json()["most_open"] == 3
    conversation = receive(cast)
    desk.ben.post(at(conversation, "team"), {"team": made.json()["id"]})
    assert desk.ada.delete(path).status_code == 204
    assert desk.ben.get(at(conversation, "")).json()["team"] is None


def test_a_snoozed_one_comes_back_at_its_time_exactly_once(cast, desk, at_once):
    conversation = receive(cast)
    until = (timezone.now() + timedelta(hours=2)).isoformat()
    assert desk.ben.post(at(conversation, "snooze"), {"until": until}).json()["status"] == "snoozed"
    snoozing.wake_due()
    assert not Job.objects.filter(key__startswith=f"wake:{conversation.pk}").exists()
    Conversation.objects.filter(pk=conversation.pk).update(snoozed_until=timezone.now() - timedelta(seconds=1))
    snoozing.wake_due()
    snoozing.wake_due()
    (job,) = Job.objects.filter(key__startswith=f"wake:{conversation.pk}")
    run_job(job.pk)
    woken = at_once(lambda: snoozing.wake(conversation_id=conversation.pk), 3)
    assert woken == [False] * 3
    conversation.refresh_from_db()
    assert (conversation.status, conversation.snoozed_until) == ("open", None)
    assert [kind for kind, _ in lines(conversation)] == ["snoozed", "woken"]


def test_a_reply_wakes_it_early(cast, desk):
    who = sender()
    conversation = receive(cast, who=who)
    desk.ben.post(at(conversation, "snooze"), {"until": None})
    receive(cast, "hello?", who=who)
    conversation.refresh_from_db()
    assert (conversation.status, conversation.snoozed_until) == ("open", None)
    assert [kind for kind, _ in lines(conversation)] == ["snoozed", "reopened"]


@pytest.mark.parametrize(
    "body", [{"until": "2001-01-01T00:00:00Z"}, {"until": "2999-01-01T00:00:00Z"}, {"preset": "never"}, {}]
)
def test_times_that_make_no_sense_are_refused(cast, desk, body):
    assert desk.ben.post(at(receive(cast), "snooze"), body).status_code == 400


def test_presets_go_by_the_workspaces_clock_across_a_change_to_summer_time():
    workspace = Workspace(timezone="Europe/Madrid")
    found = {one.key: one.until for one in snoozing.presets(workspace, datetime(2026, 3, 28, 14, 30, tzinfo=UTC))}
    assert found["tomorrow"].astimezone(UTC) == datetime(2026, 3, 29, 7, 0, tzinfo=UTC)  # nine there, in summer
    assert found["evening"].astimezone(UTC) == datetime(2026, 3, 28, 17, 0, tzinfo=UTC)
    assert found["next_week"].astimezone(UTC) == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    assert found["reply"] is None
    late = snoozing.presets(workspace, datetime(2026, 3, 28, 20, 0, tzinfo=UTC))
    assert "evening" not in {one.key for one in late}


def test_presets_are_times_of_their_own_on_every_day_of_the_week():
    workspace = Workspace(timezone="Europe/Madrid")
    for day in range(23, 30):  # from a Monday to a Sunday
        found = {one.key: one.until for one in snoozing.presets(workspace, datetime(2026, 3, day, 12, 0, tzinfo=UTC))}
        assert len(set(found.values())) == len(found)
        assert found["next_week"].weekday() == 0
    assert found["next_week"] == datetime(2026, 4, 6, 7, 0, tzinfo=UTC)


def test_unread_again_is_for_me_alone(cast, desk):
    conversation = receive(cast)
    desk.ben.post(at(conversation, "read"), {})
    desk.bea.post(at(conversation, "read"), {})
    seq = head(topics.user(cast.ben.pk))
    assert desk.ben.post(at(conversation, "unread")).json() == {"seen_count": 0, "unread_count": 1}
    assert desk.bea.get(at(conversation, "")).json()["unread_count"] == 0
    assert [event.type for event in events_after(topics.user(cast.ben.pk), seq)] == ["conversation.unread"]


def test_who_goes_away_handing_back_leaves_nothing_lying(cast, desk):
    conversation = receive(cast)
    desk.ben.post(at(conversation, "claim"))
    assert desk.ben.get("availability").json() == {"availability": "online"}
    assert desk.ben.put("availability", {"availability": "handing"}).status_code == 200
    assert desk.ben.get(at(conversation, "")).json()["assignee"] is None
    assert desk.vic.put("availability", {"availability": "away"}).status_code == 403


def test_snoozing_through_the_status_takes_the_time_under_either_name_or_none(cast, desk):
    conversation = receive(cast)
    tomorrow = (timezone.now() + timedelta(days=1)).replace(microsecond=0)
    for given, until in (
        ({}, None),
        ({"until": None}, None),
        ({"until": tomorrow.isoformat()}, tomorrow),
        ({"snoozed_until": tomorrow.isoformat()}, tomorrow),
    ):
        answer = desk.ben.post(at(conversation, "status"), {"status": "snoozed", **given})
        assert (answer.status_code, answer.json()["status"]) == (200, "snoozed")
        shown = answer.json()["snoozed_until"]
        assert (shown and datetime.fromisoformat(shown)) == until
    both = {"until": tomorrow.isoformat(), "snoozed_until": (tomorrow + timedelta(hours=1)).isoformat()}
    assert desk.ben.post(at(conversation, "status"), {"status": "snoozed", **both}).status_code == 400
    late = {"status": "open", "until": tomorrow.isoformat()}
    assert desk.ben.post(at(conversation, "status"), late).status_code == 400
