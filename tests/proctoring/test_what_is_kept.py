"""The summary goes back to the exam system, signed and once; each kind of evidence has days of its own."""

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from crm.models import Workspace
from jobs.models import Job
from proctoring.models import Exam, ExamSession, SessionSummary, Violation
from proctoring.services import retention
from proctoring.services.reviews import review_violation
from proctoring.states import Review
from tests.jobs_at_hand import run_job
from tests.proctoring.scene import Scene, item, make_scene, pulse_of, service_was_always_there
from tests.webhooks.receiver import receiving

SECRET = "whsec_YW4gZXhhbSBzeXN0ZW0gaGFzIGl0cyBvd24ga2V5"


@pytest.fixture
def scene() -> Scene:
    service_was_always_there()
    return make_scene(secrets={"signing": [SECRET]})


def sit(scene: Scene) -> str:
    """A whole sitting with all that is kept of one."""
    session: str = scene.start(device="tablet")["id"]
    assert scene.beat(session, answered_count=2, rtt_ms=40, network="wifi", device="tablet").status_code == 200
    scene.log(session, item("paste"), item("network_change"))
    scene.sam.post(f"/api/v1/sessions/{session}/chat", {"client_id": str(uuid4()), "body": "hello"})
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    return session


def pushes(session: str) -> list[Job]:
    return list(Job.objects.filter(lane=f"exam-summary:{session}").order_by("id"))


# --- Pushed back --------------------------------------------------------------------------------------------


def test_the_summary_is_pushed_signed_and_its_newest_version_alone(scene, settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    with receiving() as system:
        Exam.objects.filter(pk=scene.exam.pk).update(summary_url=system.url)
        session = sit(scene)
        violation = Violation.objects.get(session__pk=session, type="paste").pk
        scene.tia.patch(f"{scene.base}violations/{violation}/", {"review": "dismissed"})
        first, second = pushes(session)
        run_job(second.pk)
        run_job(first.pk)
    (got,) = system.got
    assert got.verified_by(SECRET)
    assert (got.body["type"], got.body["version"]) == ("exam.session.summary", 2)
    data = got.body["data"]
    assert (data["session"], data["violation_count"], data["reviews"]) == (session, 1, {"dismissed": 1})
    assert Violation.objects.filter(session__pk=session).exclude(severity="info").count() == data["violation_count"]
    assert SessionSummary.objects.get(session__pk=session).pushed_version == 2


def test_the_summary_goes_back_to_the_old_supabase_where_that_is_switched_on(scene, settings):
    def archived(session: str) -> list[Job]:
        return list(Job.objects.filter(lane=f"exam-archive:{session}").order_by("id"))

    def review(session: str, word: Review) -> None:
        violation = Violation.objects.get(session__pk=session, type="paste").pk
        review_violation(actor=tia, slug=scene.exam.slug, violation_id=violation, review=word)

    tia, session = scene.cast.actor(scene.cast.tia), sit(scene)
    with receiving() as system:
        settings.SUPABASE_URL, settings.SUPABASE_SECRET_KEY = system.url, "sb_secret_test"
        review(session, Review.DISMISSED)
        assert archived(session) == []
        exams = {"archive": {"exam_summaries": "archived_exams"}}
        Workspace.objects.filter(pk=scene.exam.workspace_id).update(settings=exams)
        review(session, Review.SUSPICIOUS)
        (job,) = archived(session)
        run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.result) == ("completed", {"archived": True})
    (got,) = system.got
    kept = SessionSummary.objects.get(session__pk=session)
    assert (got.body["id"], got.body["workspace"], got.body["version"]) == (session, scene.cast.workspace.slug, 3)
    assert got.body["summary"] == kept.data
    assert (got.body["exam"], got.body["status"]) == (kept.data["exam"], "submitted")


@pytest.mark.parametrize(("status", "state"), [(503, "pending"), (422, "failed")])
def test_a_system_that_refuses_is_asked_again_only_when_that_may_help(scene, settings, status, state):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    with receiving() as system:
        Exam.objects.filter(pk=scene.exam.pk).update(summary_url=system.url)
        system.answers = [(status, {})]
        (job,) = pushes(sit(scene))
        run_job(job.pk)
    job.refresh_from_db()
    assert job.status == state
    assert SessionSummary.objects.get(session__exam=scene.exam).pushed_version == 0


def test_without_an_address_nothing_is_pushed(scene):
    assert pushes(sit(scene)) == []


# --- Retention ----------------------------------------------------------------------------------------------


def kept(scene: Scene, session: str) -> dict[str, Any]:
    if not ExamSession.objects.filter(pk=session).exists():
        return {}
    pulse = pulse_of(session)
    return {
        "violations": Violation.objects.filter(session__pk=session).count(),
        "network": bool(pulse.trail_at or pulse.device or pulse.user_agent or scene.shown(session)["devices"]),
        "chat": len(scene.tia.get(f"{scene.base}sessions/{session}/chat").json()["results"]),
        "summary": SessionSummary.objects.filter(session__pk=session).exists(),
    }


@pytest.mark.parametrize(
    ("field", "left"),
    [
        ("keep_violations_days", {"violations": 0, "network": True, "chat": 1, "summary": True}),
        ("keep_network_days", {"violations": 2, "network": False, "chat": 1, "summary": True}),
        ("keep_chat_days", {"violations": 2, "network": True, "chat": 0, "summary": True}),
        ("keep_sessions_days", {}),
    ],
)
def test_each_kind_goes_after_its_own_days(scene, field, left):
    session = sit(scene)
    other = make_scene()
    stays = sit(other)
    whole = kept(scene, session)
    assert whole == {"violations": 2, "network": True, "chat": 1, "summary": True}
    ExamSession.objects.filter(pk__in=[session, stays]).update(ended_at=timezone.now() - timedelta(days=6, hours=1))
    Exam.objects.filter(pk=scene.exam.pk).update(**{field: 6})
    Exam.objects.filter(pk=other.exam.pk).update(**{field: 7})
    retention.apply()
    assert kept(scene, session) == left
    assert kept(other, stays) == whole


def sheet(scene: Scene) -> dict[str, dict[str, str]]:
    content = scene.tia.get(f"{scene.base}report.csv").content.decode("utf-8-sig")
    return {line["session"]: line for line in csv.DictReader(io.StringIO(content))}


def test_the_totals_outlive_what_they_were_counted_from(scene):
    session: str = scene.start()["id"]
    entries = scene.log(session, item("paste"), item("copy"), item("cut")).json()["results"]
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    for entry, review in zip(entries, ("violation", "dismissed"), strict=False):
        scene.tia.patch(f"{scene.base}violations/{entry['violation']['id']}/", {"review": review})
    before = sheet(scene)[session]
    assert [before[name] for name in ("violation_count", "confirmed", "dismissed", "not_reviewed")] == [
        "3",
        "1",
        "1",
        "1",
    ]
    ExamSession.objects.filter(pk=session).update(ended_at=timezone.now() - timedelta(days=61))
    assert retention.apply()["violations"] == 3
    assert retention.apply()["violations"] == 0
    after, shown = sheet(scene)[session], scene.shown(session)
    assert shown["evidence_removed_at"] is not None
    assert after.pop("evidence_removed_at") == shown["evidence_removed_at"].replace("Z", "+00:00")
    for gone in (before, after):
        for name in ("evidence_removed_at", "ended_at", "duration_seconds"):
            gone.pop(name, None)
    assert after == before
    assert (shown["violation_count"], shown["unreviewed_count"]) == (3, 0)  # nothing is left to review

    # Nor does anything that comes later count them anew
    kept = SessionSummary.objects.get(session__pk=session).data
    assert scene.sam.delete(f"/api/v1/sessions/{session}/consent").status_code == 200
    again = SessionSummary.objects.get(session__pk=session).data
    counted = ("violation_count", "severities", "types", "reviews")
    assert [again[name] for name in counted] == [kept[name] for name in counted]
    late = scene.log(session, item("paste", occurred_at=(timezone.now() - timedelta(days=61)).isoformat()))
    assert [one["code"] for one in late.json()["results"]] == ["evidence_removed"]
    noted = scene.tia.post(f"{scene.base}sessions/{session}/violations/", {"comment": "A book"})
    assert (noted.status_code, noted.json()["code"]) == (409, "evidence_removed")


def test_a_sitting_that_goes_on_is_kept_however_long_it_lasts(scene):
    session = scene.start()["id"]
    scene.log(session, item("paste"))
    ExamSession.objects.filter(pk=session).update(started_at=timezone.now() - timedelta(days=400))
    retention.apply()
    assert kept(scene, session)["violations"] == 1


def test_a_secret_that_is_no_base64_signs_as_it_stands(settings):
    service_was_always_there()
    secret = "x" * 33  # a length that base64 never has
    scene = make_scene(secrets={"signing": [secret]})
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    with receiving() as system:
        Exam.objects.filter(pk=scene.exam.pk).update(summary_url=system.url)
        (job,) = pushes(sit(scene))
        run_job(job.pk)
        job.refresh_from_db()
        assert job.status == "completed", job.last_error
        (got,) = system.got
    Webhook(secret.encode()).verify(got.raw, got.headers)
