"""One action of a tutor for a whole hall: as many statements for thirty as for three, and each student on their own."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.live.events import events_after, head
from crm.ids import uuid7
from proctoring import topics
from proctoring.models import Command, Enrolment, Exam, ExamSession, SessionGap, SessionPulse, SessionSummary
from proctoring.services import commands, reviews
from proctoring.services.commands import Order
from proctoring.states import CommandType, SessionStatus
from tests.api import Api
from tests.proctoring.scene import make_scene, pulse_of, service_was_always_there
from tests.waiting import is_waited_for, wait_for


@pytest.fixture
def scene():
    service_was_always_there()
    return make_scene(attempts=1_000, duration_seconds=3600)


def seat(scene, count: int, **fields) -> list[UUID]:
    """So many students, each at a session of their own."""
    ids = [uuid7() for _ in range(count)]
    exam, workspace = scene.exam, scene.cast.workspace
    enrolments = Enrolment.objects.bulk_create(
        Enrolment(workspace=workspace, exam=exam, external_id=f"p-{pk}", name=f"Pupil {pk}") for pk in ids
    )
    ExamSession.objects.bulk_create(
        ExamSession(
            pk=pk,
            workspace=workspace,
            exam=exam,
            enrolment=enrolment,
            attempt=1,
            student=enrolment.external_id,
            student_name=enrolment.name,
            **fields,
        )
        for pk, enrolment in zip(ids, enrolments, strict=True)
    )
    SessionPulse.objects.bulk_create(SessionPulse(session_id=pk, workspace=workspace) for pk in ids)
    return ids


def tia(scene):
    return scene.cast.actor(scene.cast.tia)


def do(scene, ids, order: Order) -> list[commands.Result]:
    return commands.command_sessions(actor=tia(scene), slug=scene.exam.slug, session_ids=ids, order=order)


def order(type_: str, **fields) -> Order:
    return Order(CommandType(type_), fields.pop("batch", None) or uuid4(), **fields)


def told(session: UUID) -> list[tuple[int, str]]:
    return [(event.seq, event.type) for event in events_after(topics.session(session), 0)]


def lost(scene, ids) -> None:
    now = datetime.now(UTC)
    SessionGap.objects.bulk_create(
        SessionGap(
            workspace=scene.cast.workspace,
            session_id=pk,
            cause="connection",
            began_at=now - timedelta(seconds=30 + place),
            ended_at=now,
        )
        for place, pk in enumerate(ids)
    )


ORDERS: dict[str, dict[str, Any]] = {
    "announcement": {"body": "Ten minutes left"},
    "message": {"body": "Look up"},
    "note": {"body": "By the window"},
    "attention": {},
    "extra_time": {"seconds": 300},
    "pause": {"reason": "Fire drill"},
    "terminate": {"reason": "Power cut"},
}


@pytest.mark.parametrize("type_", [*ORDERS, "resume", "give_back"])
def test_thirty_cost_as_many_statements_as_three(scene, type_):
    Exam.objects.filter(pk=scene.exam.pk).update(summary_url="https://exams.example/summaries")
    asked = []
    for count in (3, 30):
        ids = seat(scene, count)
        if type_ == "resume":
            do(scene, ids, order("pause"))
        if type_ == "give_back":
            lost(scene, ids)
        with CaptureQueriesContext(connection) as captured:
            if type_ == "give_back":
                given = reviews.compensate_all(actor=tia(scene), slug=scene.exam.slug, session_ids=ids)
                assert set(given.values()) == {60}
            else:
                assert not any(one.error for one in do(scene, ids, order(type_, **ORDERS.get(type_, {}))))
        asked.append([query["sql"][:60] for query in captured.captured_queries])
        assert Command.objects.filter(session__in=ids).count() == count * (2 if type_ == "resume" else 1)
    assert len(asked[0]) == len(asked[1]) <= 25, asked


def test_each_student_is_told_by_themselves_and_the_numbers_have_no_hole(scene):
    ids = seat(scene, 12)
    before = head(topics.exam(scene.exam.slug))
    batch = uuid4()
    results = do(scene, ids, order("pause", batch=batch, reason="Fire drill"))
    assert [one.session_id for one in results] == ids
    for pk in ids:
        assert told(pk) == [(1, "session.updated"), (2, "command.created")]
        assert pulse_of(pk).has_commands
    of_exam = events_after(topics.exam(scene.exam.slug), before)
    assert [event.seq for event in of_exam] == list(range(before + 1, before + 25))
    assert Counter(event.data["session"] for event in of_exam if event.type == "command.created") == Counter(
        str(pk) for pk in ids
    )
    shown = next(event.data for event in of_exam if event.type == "command.created")
    assert (shown["by"]["name"], shown["state"], shown["batch"]) == ("Tia", "queued", str(batch))
    # The same again is the same, and tells nobody anything
    again = do(scene, ids, order("pause", batch=batch, reason="Fire drill"))
    assert [one.command.pk for one in again] == [one.command.pk for one in results]
    assert head(topics.exam(scene.exam.slug)) == before + 24
    # What one client says of it is said of that one alone
    commands.take_commands(session_id=ids[0])
    states = Counter(Command.objects.filter(batch=batch).values_list("state", flat=True))
    assert states == {"queued": 11, "delivered": 1}


def test_whoever_cannot_be_paused_is_refused_for_their_own_reason(scene):
    paused, ended, active = (seat(scene, 1)[0] for _ in range(3))
    do(scene, [paused], order("pause"))
    do(scene, [ended], order("terminate"))
    stranger, batch = uuid4(), uuid4()
    do(scene, [active], order("message", batch=batch, body="Sit down"))
    results = do(scene, [stranger, paused, active, ended, active], order("pause"))
    assert [(one.session_id, one.error and one.error.code) for one in results] == [
        (stranger, "not_found"),
        (paused, "wrong_state"),
        (active, None),
        (ended, "session_ended"),
    ]
    assert [type_ for _, type_ in told(paused)] == ["session.updated", "command.created"]
    reused = do(scene, [active, ended], order("message", batch=batch, body="Stand up"))
    assert [one.error and one.error.code for one in reused] == ["client_id_reused", "session_ended"]


def test_an_end_for_all_keeps_a_summary_and_a_pause_for_each(scene):
    ids = seat(scene, 4)
    do(scene, ids[:2], order("pause"))
    for place, pk in enumerate(ids[:2], start=1):
        since = datetime.now(UTC) - timedelta(minutes=place)
        ExamSession.objects.filter(pk=pk).update(paused_at=since, started_at=since)
    do(scene, ids, order("terminate", reason="Power cut"))
    kept = {one.pk: one for one in ExamSession.objects.filter(pk__in=ids)}
    assert {(one.status, one.end_reason, one.paused_at) for one in kept.values()} == {("terminated", "Power cut", None)}
    assert [round(kept[pk].paused_seconds, -1) for pk in ids] == [60, 120, 0, 0]
    assert SessionGap.objects.filter(session__in=ids, cause="pause", given_back_at__isnull=False).count() == 2
    summaries = SessionSummary.objects.filter(session__in=ids)
    assert {(one.data["session"], one.data["status"]) for one in summaries} == {(str(pk), "terminated") for pk in ids}
    assert not SessionPulse.objects.filter(pk__in=ids, is_live=True).exists()


def test_all_means_all_however_many_there_are(scene, monkeypatch):
    monkeypatch.setattr(commands, "MOST_SESSIONS", 4)
    ids = seat(scene, 10)
    body = {"type": "announcement", "body": "Ten minutes left", "all": True}
    results = scene.tia.post(f"{scene.base}commands/", body).json()["results"]
    assert [one["session"] for one in results] == [str(pk) for pk in ids]
    assert {one["status"] for one in results} == {"queued"}
    named = scene.tia.post(f"{scene.base}commands/", {**body, "all": False, "sessions": [str(pk) for pk in ids]})
    assert named.status_code == 400


def test_actions_for_the_same_students_at_once_all_come_through(scene, at_once):
    ids = seat(scene, 40)

    def some(type_: str, chosen: list[UUID], **fields):
        return lambda: [one.error for one in do(scene, chosen, order(type_, **fields))]

    say = {"body": "Ten minutes left"}
    done = at_once(
        [
            some("announcement", ids, **say),
            some("announcement", ids[::-1], **say),
            some("pause", ids[::-1]),
            some("extra_time", ids[10:] + ids[:10], seconds=60),
        ]
    )
    assert done == [[None] * 40] * 4
    assert Command.objects.filter(session__in=ids).count() == 160
    assert set(ExamSession.objects.filter(pk__in=ids).values_list("status", flat=True)) == {SessionStatus.PAUSED}
    for pk in ids:
        assert [seq for seq, _ in told(pk)] == list(range(1, 7))


@pytest.mark.parametrize("type_", ["announcement", "pause"])
def test_beats_and_actions_meet_their_rows_in_one_order(scene, at_once, type_):
    """Who waits for the first holds none of those behind it: with beats that come the same way it cannot deadlock."""
    ids = seat(scene, 5)
    SessionPulse.objects.filter(pk__in=ids).delete()
    for pk in reversed(ids):  # as they lie in the table is no order
        SessionPulse.objects.create(session_id=pk, workspace=scene.cast.workspace)
    held = Event()

    def beats() -> UUID:
        with transaction.atomic():
            SessionPulse.objects.select_for_update().get(pk=ids[0])
            held.set()
            wait_for(is_waited_for)
            return SessionPulse.objects.select_for_update(nowait=True).get(pk=ids[-1]).pk

    def act() -> list[Exception | None]:
        held.wait(10)
        return [one.error for one in do(scene, ids, order(type_, **ORDERS[type_]))]

    assert at_once([beats, act]) == [ids[-1], [None] * 5]


def test_a_stranger_cannot_give_back_to_anybody(scene):
    ids = seat(scene, 2)
    lost(scene, ids)
    path = f"{scene.base}compensate"
    body = {"sessions": [str(ids[0]), str(uuid4())]}
    assert scene.tia.post(path, body).status_code == 404
    assert Api(scene.cast.cleo).of(scene.cast.workspace.slug).post(path, {}).status_code == 404
    assert not SessionGap.objects.filter(session__in=ids, given_back_at__isnull=False).exists()
    given = scene.tia.post(path, {"sessions": [str(ids[1])]}).json()["results"]
    assert given == [{"session": str(ids[1]), "given_back_seconds": 60}]
    assert Command.objects.get(session=ids[1]).seconds == 60
