"""A team's conversations go round those of its members who are here and want work."""

from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from config.live import presence
from config.live.presence import Here
from crm.presence import shown_as
from inbox.models import Conversation, Message
from inbox.services import assigning, leaving, sharing_out
from jobs.models import Job
from tests.cast import receive
from tests.jobs_at_hand import run_job


def come(cast, *users) -> None:
    for user in users:
        topic = f"presence.workspace.{cast.workspace.slug}"
        presence.touch(Here(topic, str(uuid4()), shown_as(cast.actor(user))))


def team_of(cast, desk, *users, **fields) -> str:
    body = {"name": "Line", "assigns_itself": True, "members": [str(user.pk) for user in users], **fields}
    return desk.ada.post("teams/", body).json()["id"]


def give(cast, desk, team) -> Conversation:
    conversation = receive(cast)
    desk.ada.post(f"conversations/{conversation.pk}/team", {"team": team})
    for job in Job.objects.filter(key__startswith=f"share:{conversation.pk}:"):
        run_job(job.pk)
    conversation.refresh_from_db()
    return conversation


def test_in_turn_among_those_who_are_here_up_to_their_limit(cast, desk):
    team = team_of(cast, desk, cast.ben, cast.bea, cast.ada, most_open=2)
    come(cast, cast.ben, cast.bea)
    given = [give(cast, desk, team).assignee_id for _ in range(5)]
    assert given == [cast.ben.pk, cast.bea.pk, cast.ben.pk, cast.bea.pk, None]


def test_nobody_who_is_away_gets_work_and_whoever_comes_gets_what_waits(cast, desk):
    team = team_of(cast, desk, cast.ben, cast.bea)
    come(cast, cast.ben)
    desk.ben.put("availability", {"availability": "away"})
    waiting = give(cast, desk, team)
    assert waiting.assignee_id is None
    come(cast, cast.bea)
    assigning.offer_waiting()
    for job in Job.objects.filter(key__startswith=f"share:{waiting.pk}:", status="pending"):
        run_job(job.pk)
    waiting.refresh_from_db()
    assert waiting.assignee_id == cast.bea.pk


def test_whoever_has_had_no_hand_on_the_page_for_ten_minutes_is_away(cast, desk):
    team = team_of(cast, desk, cast.ben, cast.bea)
    topic, tab = f"presence.workspace.{cast.workspace.slug}", str(uuid4())
    for state in ("active", "idle", "idle"):  # said again with every renewal
        presence.touch(Here(topic, tab, shown_as(cast.actor(cast.ben)), state=state))
    assert give(cast, desk, team).assignee_id == cast.ben.pk  # reads for a moment

    with connection.cursor() as cursor:
        minutes = "update live_presence set idle_since = idle_since - interval '10 min' where topic = %s"
        cursor.execute(minutes, [topic])
        assert cursor.rowcount == 1
    presence.touch(Here(topic, tab, shown_as(cast.actor(cast.ben)), state="idle"))
    assert give(cast, desk, team).assignee_id is None
    come(cast, cast.ben)  # a hand on another tab
    assert give(cast, desk, team).assignee_id == cast.ben.pk


def test_one_conversation_is_never_given_to_two(cast, desk, at_once):
    team = team_of(cast, desk, cast.ben, cast.bea)
    waiting = give(cast, desk, team)
    come(cast, cast.ben, cast.bea)
    given = at_once(lambda: sharing_out.share_out(conversation_id=waiting.pk), 4)
    assert len([one for one in given if one is not None]) == 1


def test_handing_back_gives_it_to_the_next(cast, desk):
    team = team_of(cast, desk, cast.ben, cast.bea)
    come(cast, cast.ben, cast.bea)
    conversation = give(cast, desk, team)
    assert conversation.assignee_id == cast.ben.pk
    desk.ben.put("availability", {"availability": "handing"})
    for job in Job.objects.filter(key__startswith=f"share:{conversation.pk}:", status="pending"):
        run_job(job.pk)
    conversation.refresh_from_db()
    assert conversation.assignee_id == cast.bea.pk
    assert said(conversation)[-2:] == ["Ben handed this back, so nobody has this", "Assigned to Bea"]


def said(conversation) -> list[str]:
    """The lines in its thread."""
    lines = Message.objects.filter(conversation=conversation, direction="activity").order_by("pk")
    return list(lines.values_list("body", flat=True))


def test_whose_role_lets_them_answer_no_longer_is_named_too(cast, desk):
    conversation = receive(cast)
    desk.ben.post(f"conversations/{conversation.pk}/claim")
    desk.ada.patch(f"members/{cast.ben.pk}/", {"role": "viewer"})
    assert said(conversation)[-1] == "Ben no longer answers here, so nobody has this"


def leave(cast, user) -> None:
    with connection.cursor() as cursor:
        topic = f"presence.workspace.{cast.workspace.slug}"
        cursor.execute(
            "update live_presence set expires_at = clock_timestamp() where topic = %s and person = %s",
            [topic, str(user.pk)],
        )


def run_waiting(like: str) -> int:
    jobs = list(Job.objects.filter(key__startswith=like, status="pending"))
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(next_attempt=timezone.now())
    for job in jobs:
        run_job(job.pk)
    return len(jobs)


def test_what_was_given_in_turn_goes_on_when_its_agent_closes_the_browser(cast, desk):
    team = team_of(cast, desk, cast.ben, cast.bea)
    come(cast, cast.ben, cast.bea)
    conversation = give(cast, desk, team)
    assert conversation.assignee_id == cast.ben.pk
    gone = f"gone:{cast.workspace.pk}:{cast.ben.pk}:"

    leaving.look_for_gone()
    assert run_waiting(gone) == 0  # here
    leave(cast, cast.ben)
    leaving.look_for_gone()
    come(cast, cast.ben)  # only reloaded
    assert run_waiting(gone) == 1
    conversation.refresh_from_db()
    assert conversation.assignee_id == cast.ben.pk

    Job.objects.filter(key__startswith=gone).delete()
    leave(cast, cast.ben)
    leaving.look_for_gone()
    assert run_waiting(gone) == 1
    run_waiting(f"share:{conversation.pk}:")
    conversation.refresh_from_db()
    assert conversation.assignee_id == cast.bea.pk
    assert said(conversation)[-2:] == ["Ben has left, so nobody has this", "Assigned to Bea"]
    line = Message.objects.filter(conversation=conversation, direction="activity").order_by("-pk")[1]
    told = line.detail["activity"]
    assert (told["before"]["name"], told["assignee"], told["why"]) == ("Ben", None, "gone")


@pytest.mark.parametrize("how", ["taken", "given by a colleague", "answered"])
def test_what_was_meant_for_one_person_stays_with_them(cast, desk, how):
    team = team_of(cast, desk, cast.ben, cast.bea)
    conversation = give(cast, desk, team)
    if how == "answered":
        come(cast, cast.ben)
        sharing_out.share_out(conversation_id=conversation.pk)
        send = {"client_id": str(uuid4()), "type": "text", "body": "Here"}
        desk.ben.post(f"conversations/{conversation.pk}/messages/", send)
        leave(cast, cast.ben)
    elif how == "taken":
        desk.ben.post(f"conversations/{conversation.pk}/claim")
    else:
        desk.ada.post(f"conversations/{conversation.pk}/assign", {"assignee": str(cast.ben.pk)})
    leaving.look_for_gone()
    assert leaving.hand_back_of(workspace_id=cast.workspace.pk, user_id=cast.ben.pk) == 0
    conversation.refresh_from_db()
    assert conversation.assignee_id == cast.ben.pk
