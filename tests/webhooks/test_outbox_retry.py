"""Retry, dismiss and replay: what should happen happens, and nothing happens twice."""

import pytest

from inbox.models import Message
from inbox.services import outbox
from jobs.models import Job
from tests.api import Api
from tests.cast import receive
from tests.jobs_at_hand import run_job
from tests.webhooks.outbox_scene import job_of, keep, make_job, run_items, sent, text_payload, unpacked
from webhooks.models import Delivery
from webhooks.services import deliveries, kapso
from webhooks.services.reading import Unusable


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def ada(cast):
    return Api(cast.ada).of(cast.workspace.slug)


def fail(job: Job, error: str = "ProviderError: refused") -> None:
    Job.objects.filter(pk=job.pk).update(status="failed", completed_at="2020-01-01T00:00Z", last_error=error)


def unpack_job(delivery: Delivery) -> Job:
    delivery.refresh_from_db()
    return Job.objects.get(key=f"delivery:{delivery.pk}:{delivery.replays}")


# --- Jobs -----------------------------------------------------------------------------------------------------


def test_failed_job_is_tried_again(cast, ada):
    job = make_job(cast)
    answer = ada.post(f"jobs/{job.pk}/retry")
    assert (answer.status_code, answer.json()["status"], answer.json()["attempts"]) == (200, "pending", 0)


def test_job_that_waits_for_its_next_try_has_it_now(cast, ada):
    job = make_job(cast, "pending", last_error="ProviderError: busy", next_attempt="2100-01-01T00:00Z", attempts=2)
    answer = ada.post(f"jobs/{job.pk}/retry").json()
    assert (answer["id"], answer["attempts"], answer["next_attempt"] < "2099") == (job.pk, 2, True)


@pytest.mark.parametrize(
    ("status", "action", "code"),
    [
        ("completed", "retry", "job_not_retryable"),
        ("pending", "retry", "job_not_retryable"),
        ("completed", "dismiss", "job_not_dismissable"),
        ("dismissed", "dismiss", "job_not_dismissable"),
    ],
)
def test_in_the_wrong_state_a_sentence_says_why_not(cast, ada, status, action, code):
    job = make_job(cast, status)
    answer = ada.post(f"jobs/{job.pk}/{action}")
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (409, code, 409)
    assert answer.json()["detail"].endswith(".")
    job.refresh_from_db()
    assert job.status == status


def test_dismissal_can_be_taken_back(cast, ada):
    job = make_job(cast)
    assert ada.post(f"jobs/{job.pk}/dismiss").json()["status"] == "dismissed"
    assert ada.post(f"jobs/{job.pk}/retry").json()["status"] == "pending"


def test_all_failed_are_tried_again(cast, ada):
    jobs = [make_job(cast) for _ in range(3)]
    other = make_job(cast, type="x.y")
    answer = ada.post("jobs/retry-failed", {"type": "webhooks.unpack_delivery"}).json()
    assert (answer["retried"], answer["refused"], answer["left"]) == (3, 0, 0)
    assert set(Job.objects.filter(pk__in=[job.pk for job in jobs]).values_list("status", flat=True)) == {"pending"}
    other.refresh_from_db()
    assert other.status == "failed"


# --- Messages -------------------------------------------------------------------------------------------------


def failed_send(cast) -> tuple[Message, Job]:
    message, job = sent(cast, receive(cast))
    outbox.mark_failed(message_id=message.pk, attempt=0, code="131026", reason="It cannot be delivered.")
    fail(job)
    return message, job


def test_failed_message_goes_out_again_as_its_own_retry_would_send_it(cast, ada):
    message, job = failed_send(cast)
    answer = ada.post(f"jobs/{job.pk}/retry").json()
    again = job_of(message.pk, 1)
    assert (answer["id"], answer["status"]) == (again.pk, "pending")
    assert answer["message"] == {"id": str(message.pk), "conversation": str(message.conversation_id)}
    message.refresh_from_db()
    job.refresh_from_db()
    assert (message.status, message.send_attempt, message.error_code) == ("queued", 1, "")
    assert (job.status, job.result) == ("dismissed", {"replaced_by": again.key})


def test_pressing_retry_twice_sends_once(cast, ada):
    message, job = failed_send(cast)
    assert ada.post(f"jobs/{job.pk}/retry").status_code == 200
    second = ada.post(f"jobs/{job.pk}/retry")
    assert (second.status_code, second.json()["code"]) == (409, "message_moved_on")
    assert Job.objects.filter(key__startswith=f"send:{message.pk}:").count() == 2


def test_message_retried_in_the_conversation_leaves_no_failed_job_to_retry(cast, ada):
    message, job = failed_send(cast)
    path = f"conversations/{message.conversation_id}/messages/{message.pk}/retry"
    assert Api(cast.ben).of(cast.workspace.slug).post(path).status_code == 200
    job.refresh_from_db()
    assert (job.status, job.result) == ("dismissed", {"replaced_by": f"send:{message.pk}:1"})
    assert ada.post(f"jobs/{job.pk}/retry").status_code == 409
    assert Job.objects.filter(key__startswith=f"send:{message.pk}:").count() == 2


def test_message_of_unknown_fate_is_looked_up_before_anything_is_sent(cast, ada):
    message, job = sent(cast, receive(cast))
    Message.objects.filter(pk=message.pk).update(status="unknown")
    fail(job)
    answer = ada.post(f"jobs/{job.pk}/retry").json()
    assert (answer["id"], answer["status"]) == (job.pk, "pending")
    message.refresh_from_db()
    assert (message.status, message.send_attempt) == ("unknown", 0)


def test_text_whose_window_shut_is_refused_in_words(cast, ada):
    message, job = failed_send(cast)
    type(message.conversation).objects.filter(pk=message.conversation_id).update(last_inbound_at="2020-01-01T00:00Z")
    answer = ada.post(f"jobs/{job.pk}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "window_closed")
    bulk = ada.post("jobs/retry-failed", {}).json()
    assert (bulk["retried"], bulk["refused"]) == (0, 1)
    job.refresh_from_db()
    assert job.status == "failed"


def test_message_whose_sending_is_dismissed_says_so(cast, ada):
    message, job = sent(cast, receive(cast))
    assert ada.post(f"jobs/{job.pk}/dismiss").status_code == 200
    message.refresh_from_db()
    assert (message.status, message.error_message) == ("failed", "A person stopped this before it was done.")


# --- Deliveries -----------------------------------------------------------------------------------------------


def test_replay_of_what_worked_changes_nothing(cast, ada):
    delivery = unpacked(cast, text_payload("Once only"))
    run_items(delivery)
    jobs = set(Job.objects.filter(workspace_id=cast.workspace.pk).values_list("pk", flat=True))
    answer = ada.post(f"deliveries/{delivery.pk}/retry").json()
    assert (answer["state"], answer["replays"], answer["actions"]) == ("kept", 1, [])
    again = unpack_job(delivery)
    run_job(again.pk)
    run_items(delivery)
    assert (delivery.state, delivery.replays) == ("applied", 1)
    assert Message.objects.filter(workspace=cast.workspace, body="Once only").count() == 1
    assert set(Job.objects.filter(workspace_id=cast.workspace.pk).values_list("pk", flat=True)) == jobs | {again.pk}


def test_replay_while_it_is_being_read_is_refused(cast, ada):
    delivery = unpacked(cast, text_payload())
    assert ada.post(f"deliveries/{delivery.pk}/retry").status_code == 200
    second = ada.post(f"deliveries/{delivery.pk}/retry")
    assert (second.status_code, second.json()["code"]) == (409, "delivery_being_read")
    delivery.refresh_from_db()
    assert delivery.replays == 1


def test_replay_tries_failed_items_again_and_leaves_dismissed_ones(cast, ada):
    delivery = unpacked(cast, text_payload("Second try"))
    job = Job.objects.get(key=delivery.outcome["items"][0])
    fail(job)
    ada.post(f"deliveries/{delivery.pk}/retry")
    run_job(unpack_job(delivery).pk)
    run_items(delivery)
    assert Message.objects.filter(workspace=cast.workspace, body="Second try").count() == 1

    ignored = unpacked(cast, text_payload("Let it be"))
    Job.objects.filter(key=ignored.outcome["items"][0]).update(status="dismissed", completed_at="2020-01-01T00:00Z")
    ada.post(f"deliveries/{ignored.pk}/retry")
    run_job(unpack_job(ignored).pk)
    run_items(ignored)
    assert not Message.objects.filter(workspace=cast.workspace, body="Let it be").exists()


def test_replay_after_a_fix_takes_in_what_was_missing(cast, ada, monkeypatch):
    def broken(delivery):
        raise Unusable("The body does not have the provider's form.")

    delivery = keep(cast, text_payload("Found again"))
    with monkeypatch.context() as patch:
        patch.setitem(deliveries.READERS, "kapso", broken)
        deliveries.unpack(delivery_id=delivery.pk)
    row = ada.get(f"deliveries/{delivery.pk}/").json()
    assert (row["state"], row["outcome"]["reason"]) == ("failed", "The body does not have the provider's form.")
    assert deliveries.READERS["kapso"] is kapso.read
    ada.post(f"deliveries/{delivery.pk}/retry")
    run_job(unpack_job(delivery).pk)
    run_items(delivery)
    assert Message.objects.filter(workspace=cast.workspace, body="Found again").count() == 1
    assert ada.get(f"deliveries/{delivery.pk}/").json()["outcome"]["reason"] == ""


def test_replay_sets_the_reading_that_failed_aside(cast, ada):
    delivery = keep(cast, text_payload())
    first = make_job(cast, key=f"delivery:{delivery.pk}", payload={"delivery_id": delivery.pk})
    row = ada.get(f"deliveries/{delivery.pk}/").json()
    assert (row["unpacking"]["status"], row["actions"]) == ("failed", ["retry"])
    ada.post(f"deliveries/{delivery.pk}/retry")
    first.refresh_from_db()
    assert first.status == "dismissed"


def test_what_is_still_broken_fails_again_with_its_reason(cast, ada):
    delivery = keep(cast, b"{", state="failed", outcome={"reason": "The body is not JSON."})
    ada.post(f"deliveries/{delivery.pk}/retry")
    run_job(unpack_job(delivery).pk)
    row = ada.get(f"deliveries/{delivery.pk}/").json()
    assert row["state"] == "failed"
    assert row["outcome"]["reason"]
