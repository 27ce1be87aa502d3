"""Who may see deliveries and jobs, and what they see."""

import base64

import pytest

from crm.models import Member
from crm.roles import Role
from jobs.models import JobAttempt
from tests.api import Api
from tests.cast import make_cast, make_user
from tests.webhooks.outbox_scene import keep, make_job, text_payload, unpacked
from webhooks.models import Subscription

LISTS = ["jobs/", "deliveries/", "webhook-calls/", "crons/", "outbox/"]


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def ada(cast):
    return Api(cast.ada).of(cast.workspace.slug)


@pytest.mark.parametrize("path", LISTS)
def test_those_who_manage_the_workspace_see_it_and_nobody_else(cast, path):
    admin = make_user("admin")
    Member.objects.create(workspace=cast.workspace, user=admin, role=Role.ADMIN)
    expected = {"ada": 200, "ben": 403, "tia": 403, "vic": 403, "sam": 404, "cleo": 404}
    got = {name: Api(getattr(cast, name)).of(cast.workspace.slug).get(path).status_code for name in expected}
    assert got == expected
    assert Api(admin).of(cast.workspace.slug).get(path).status_code == 200
    assert Api().of(cast.workspace.slug).get(path).status_code == 401


@pytest.mark.parametrize(
    "path", ["jobs/{job}/retry", "jobs/{job}/dismiss", "jobs/retry-failed", "deliveries/{delivery}/retry"]
)
def test_only_they_may_do_anything(cast, path):
    job, delivery = make_job(cast), unpacked(cast, text_payload())
    path = path.format(job=job.pk, delivery=delivery.pk)
    expected = {"ben": 403, "tia": 403, "vic": 403, "sam": 404, "cleo": 404}
    got = {name: Api(getattr(cast, name)).of(cast.workspace.slug).post(path, {}).status_code for name in expected}
    assert got == expected
    job.refresh_from_db()
    assert job.status == "failed"


def test_what_belongs_to_another_workspace_is_not_there(cast):
    other = make_cast()
    job, delivery = make_job(other), unpacked(other, text_payload())
    ada = Api(cast.ada).of(cast.workspace.slug)
    for path in (f"jobs/{job.pk}/", f"deliveries/{delivery.pk}/"):
        assert ada.get(path).status_code == 404
    for path in (f"jobs/{job.pk}/retry", f"jobs/{job.pk}/dismiss", f"deliveries/{delivery.pk}/retry"):
        assert ada.post(path).status_code == 404
    assert ada.get("jobs/").json()["results"] == ada.get("deliveries/").json()["results"] == []


def test_what_belongs_to_no_workspace_is_for_platform_admins(cast, ada):
    job = make_job(None)
    assert ada.get("jobs/", scope="platform").json()["results"] == []
    assert ada.get(f"jobs/{job.pk}/").status_code == 404
    cast.ada.roles = ["admin"]
    cast.ada.save()
    rows = ada.get("jobs/", scope="platform", search=job.key).json()["results"]
    assert [row["id"] for row in rows] == [job.pk]
    assert ada.get(f"jobs/{job.pk}/").status_code == 200
    assert ada.get("jobs/", search=job.key).json()["results"] == []


def test_a_job_is_told_in_plain_words(cast, ada):
    job = make_job(cast, payload={"delivery_id": 7, "note": "Call Lucía back"}, error_code="131026")
    JobAttempt.objects.create(job_id=job.pk, attempt=1, error=job.last_error, error_code="131026")
    found = ada.get(f"jobs/{job.pk}/").json()
    assert found["title"] == "Read a delivery"
    assert found["error"] == "The provider answered 500."
    assert (found["status"], found["attempts"], found["max_attempts"], found["error_code"]) == (
        "failed",
        8,
        8,
        "131026",
    )
    assert found["last_error"] == "ProviderError: the provider answered 500"
    assert found["payload"] == {"delivery_id": 7, "note": "…"}
    assert [(one["attempt"], one["error"]) for one in found["history"]] == [(1, "The provider answered 500.")]
    assert found["actions"] == ["retry", "dismiss"]


def test_an_error_of_ours_shows_no_code_but_keeps_its_place(cast, ada):
    job = make_job(cast, last_error="KeyError at crm/x.py:10 do", error_code="error")
    found = ada.get(f"jobs/{job.pk}/").json()
    assert found["error"].startswith("Something of ours broke")
    assert found["last_error"] == "KeyError at crm/x.py:10 do"


def test_jobs_are_found_by_status_type_lane_key_and_error(cast, ada):
    failed = make_job(cast, lane="in:1")
    waiting = make_job(cast, "pending")
    retrying = make_job(cast, "pending", last_error="ProviderError: slow down", error_code="20429", type="x.y")
    done = make_job(cast, "completed")

    def ids(**query):
        return [row["id"] for row in ada.get("jobs/", **query).json()["results"]]

    assert ids() == [done.pk, retrying.pk, waiting.pk, failed.pk]
    assert ids(status="failed") == [failed.pk]
    assert ids(status="pending") == [retrying.pk, waiting.pk]
    assert ids(status="retrying") == [retrying.pk]
    assert ids(status="waiting,failed") == [waiting.pk, failed.pk]
    assert ids(type="x.y") == [retrying.pk]
    assert ids(lane="in:1") == [failed.pk]
    assert ids(search=done.key) == [done.pk]
    assert ids(search="slow down") == ids(search="20429") == [retrying.pk]
    refused = ada.get("jobs/", status="lost")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")


def test_jobs_come_in_pages(cast, ada):
    made = [make_job(cast).pk for _ in range(5)]
    first = ada.get("jobs/", limit=2, status="failed").json()
    assert [row["id"] for row in first["results"]] == made[:-3:-1]
    assert first["previous"] is None
    api = Api(cast.ada)
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()
    assert [row["id"] for row in second["results"] + third["results"]] == made[2::-1]
    assert third["next"] is None
    assert [row["id"] for row in api.get(second["previous"]).json()["results"]] == made[:-3:-1]
    assert ada.get("jobs/", cursor="nonsense").status_code == 400


def test_a_delivery_shows_what_it_became(cast, ada):
    delivery = unpacked(cast, text_payload("Halo Ada"))
    (row,) = ada.get("deliveries/").json()["results"]
    assert {name: row[name] for name in ("id", "provider", "state", "event_key", "replays")} == {
        "id": delivery.pk,
        "provider": "kapso",
        "state": "applied",
        "event_key": delivery.event_key,
        "replays": 0,
    }
    assert row["size"] == len(delivery.body)
    assert row["channel"]["slug"] == cast.channel.slug
    (item,) = row["outcome"]["items"]
    assert (item["key"], item["status"]) == (delivery.outcome["items"][0], "pending")
    assert "body" not in row
    answer = ada.get(f"deliveries/{delivery.pk}/")
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["body"] == bytes(delivery.body).decode()
    assert answer.json()["headers"] == delivery.headers


def test_a_body_that_is_no_text_is_given_in_base64(cast, ada):
    delivery = keep(cast, b"\xff\xfe\x00", state="failed", outcome={"reason": "The body is not JSON."})
    found = ada.get(f"deliveries/{delivery.pk}/").json()
    assert (found["body_encoding"], base64.b64decode(found["body"])) == ("base64", b"\xff\xfe\x00")
    assert found["outcome"] == {"items": [], "unhandled": [], "reason": "The body is not JSON."}


def test_deliveries_are_found_by_provider_state_channel_event_and_words(cast, ada):
    applied = unpacked(cast, text_payload())
    broken = keep(cast, b"{", state="failed", outcome={"reason": "The body is not JSON."}, event="e.broken")

    def ids(**query):
        return [row["id"] for row in ada.get("deliveries/", **query).json()["results"]]

    assert ids() == ids(provider="kapso") == ids(channel=cast.channel.slug) == [broken.pk, applied.pk]
    assert ids(provider="twilio") == ids(channel="no-such") == []
    assert ids(state="failed") == ids(event="e.broken") == ids(search="not JSON") == [broken.pk]
    assert ids(search=applied.event_key) == [applied.pk]
    assert ada.get("deliveries/", state="lost").status_code == 400


@pytest.mark.parametrize("count", [2, 12])
def test_lists_take_the_same_queries_for_two_rows_and_for_twelve(cast, ada, assert_queries, count):
    for _ in range(count):
        unpacked(cast, text_payload())
        make_job(cast, payload={"message_id": str(cast.workspace.pk)})
    with assert_queries(3):
        assert len(ada.get("jobs/", limit=200).json()["results"]) >= count
    with assert_queries(4):
        assert len(ada.get("deliveries/").json()["results"]) == count


def test_figures_count_what_waits_runs_failed_and_was_done(cast, ada):
    make_job(cast)
    make_job(cast, "pending")
    make_job(cast, "pending", last_error="ProviderError: busy")
    make_job(cast, "completed", started_at="2020-01-01T00:00Z")
    make_job(cast, "dismissed")
    keep(cast, b"{", state="failed")
    found = ada.get("outbox/").json()
    assert [found[name] for name in ("failed", "pending", "retrying", "processing", "done", "open")] == [
        1,
        1,
        1,
        0,
        1,
        3,
    ]
    assert (found["deliveries"], found["failed_deliveries"], found["calls"]) == (1, 1, 0)
    assert found["oldest_pending"]
    assert found["next_retry"]
    assert found["p95_ms"] > 0


def test_what_failed_since_the_last_look_counts_however_soon(cast, ada):
    assert ada.get("outbox/").json()["failed"] == 0
    make_job(cast)
    assert ada.get("outbox/").json()["failed"] == 1


def test_calls_of_all_subscriptions_are_listed_and_made_again(cast, ada):
    subscription = Subscription.objects.create(
        workspace=cast.workspace, url="https://partner.example/hook", secrets={"secrets": []}
    )
    from webhooks.models import Call

    call = Call.objects.create(
        workspace=cast.workspace,
        subscription=subscription,
        seq=1,
        event_type="message.created",
        body="{}",
        state="failed",
    )
    (row,) = ada.get("webhook-calls/", state="failed").json()["results"]
    assert (row["id"], row["url"], row["actions"]) == (str(call.pk), subscription.url, ["redeliver"])
    again = ada.post(f"webhook-calls/{call.pk}/retry")
    assert (again.status_code, again.json()["state"]) == (200, "pending")
    assert Api(cast.cleo).of(cast.elsewhere.slug).get(f"webhook-calls/{call.pk}/").status_code == 404


def test_crons_say_how_often_and_whether_they_are_late(ada):
    rows = {row["name"]: row for row in ada.get("crons/").json()["results"]}
    assert rows["webhooks.prune_journal"]["every"] == "every hour"
    assert rows["webhooks.prune_journal"]["title"] == "Clear old deliveries"
    assert "overdue" in rows["jobs.sweep"]


def test_the_schema_names_it_all():
    paths = Api().get("/api/v1/schema", format="json").json()["paths"]
    prefix = "/api/v1/workspaces/{workspace}/"
    for path in ("jobs/", "jobs/{job}/", "jobs/{job}/retry", "jobs/{job}/dismiss", "deliveries/{delivery}/retry"):
        assert prefix + path in paths
