"""A delivery that says one thing: the job that reads it does it, in its turn, and is the job of that thing then."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from config.live import pool
from inbox.models import Message
from jobs import engine
from jobs.errors import ProviderError
from jobs.models import Job, JobAttempt
from jobs.queue import NewJob, take_over
from tests.api import Api
from tests.cast import Cast, unique
from tests.jobs_at_hand import hold, run_job
from tests.webhooks.outbox_scene import keep, make_job, text_payload
from tests.webhooks.test_kapso_kinds import edit, envelope, reaction, revoke, text
from webhooks import journal
from webhooks.bodies import load_object
from webhooks.kapso import road
from webhooks.kapso.payload import turn_of
from webhooks.models import Delivery
from webhooks.services import deliveries, kapso

PAYLOADS = Path(__file__).parent / "payloads"
META = "whatsapp_business_account"
EVENTS = [
    "",
    *(f"whatsapp.message.{name}" for name in ("received", "sent", "delivered", "read", "failed")),
    "whatsapp.contact.identity_changed",
    "whatsapp.conversation.ended",
]


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def ada(cast):
    return Api(cast.ada).of(cast.workspace.slug)


def lane_of(cast: Cast, body: bytes, event: str = "whatsapp.message.received") -> str:
    turn = turn_of(load_object(body), event)
    return turn.lane(cast.channel.pk) if turn else ""


def arrived(cast: Cast, payload: dict[str, Any], **job: Any) -> tuple[Delivery, Job]:
    """As the road leaves it."""
    delivery = keep(cast, payload)
    given = {"lane": lane_of(cast, bytes(delivery.body)), "payload": {"delivery_id": delivery.pk}, **job}
    return delivery, make_job(cast, "pending", key=f"delivery:{delivery.pk}", attempts=0, **given)


def again(*rows: Any) -> None:
    for row in rows:
        row.refresh_from_db()


# --- Whose turn it is -----------------------------------------------------------------------------------------


def bodies() -> list[Any]:
    files = {path.stem: path.read_bytes() for path in sorted(PAYLOADS.glob("*.json"))}
    made: dict[str, Any] = {
        "a reaction": envelope(reaction("wamid.1", "👍")),
        "an edit": envelope(edit("wamid.1", "now")),
        "a revoke": envelope(revoke("wamid.1")),
        "a batch of one": {"type": "whatsapp.message.received", "batch": True, "data": [text_payload()]},
        "a batch of two": {"batch": True, "data": [text_payload(), text_payload()]},
        "an empty batch": {"batch": True, "data": []},
        "no sender": envelope({**text(), "from": None}),
        "nothing": {},
        "odd parts": {"message": {"from": [1], "kapso": "x"}, "conversation": 3},
        "metas odd parts": {
            "object": "whatsapp_business_account",
            "entry": [{"changes": [{"value": {"messages": 1}}]}],
        },
        "metas nothing": {"object": "whatsapp_business_account", "entry": 7},
    }
    for origin in ("cloud_api", "business_app", "history_sync"):
        for status in ("sent", "delivered", "strange", None):
            said = {"direction": "outbound", "status": status, "origin": origin}
            made[f"out, {origin}, {status}"] = envelope({**text(), "kapso": said, "to": "6281111111111"})
    every = files | {name: json.dumps(payload).encode() for name, payload in made.items()}
    return [pytest.param(body, id=name) for name, body in every.items()]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("body", bodies())
def test_the_lane_seen_at_a_glance_is_the_one_that_reading_finds(body, event):
    """Otherwise the item gets a job of its own, and its sender's order would be that of the workers."""
    delivery = Delivery(provider="kapso", headers={"x-webhook-event": event}, body=body, event=event)
    jobs = kapso.read(delivery).jobs
    turn = turn_of(load_object(body), event)
    if len(jobs) != 1:
        return  # then the lane is only where the reading waits
    if jobs[0].type == "webhooks.record_kapso_identity":
        assert turn is None, "seldom, and told in no one form"
    else:
        assert turn is not None
        assert turn.lane(None) == jobs[0].lane


def test_what_several_things_say_waits_in_no_lane():
    assert turn_of({"batch": True, "data": [text_payload(), text_payload()]}, "") is None
    assert turn_of(json.loads((PAYLOADS / "meta_many.json").read_bytes()), "") is None


def test_a_glance_that_breaks_keeps_the_delivery_and_says_so_by_ids_alone(cast, monkeypatch, caplog):
    def broken(data: Any, event: str) -> None:
        raise RuntimeError(f"what they wrote: {data}")

    monkeypatch.setattr(road, "turn_of", broken)
    source = road.Source(cast.channel.pk, cast.workspace.pk, {})
    with caplog.at_level(logging.WARNING):
        arrival = road._arrival(source, {}, b"{}", {"message": "secret words"})
    assert arrival.lane == ""
    (said,) = [record for record in caplog.records if getattr(record, "action", "") == "lane_not_seen"]
    assert (said.channel_id, said.reason, said.exc_info) == (str(cast.channel.pk), "RuntimeError", None)
    assert "secret words" not in caplog.text


# --- Read and done --------------------------------------------------------------------------------------------


def test_one_job_reads_it_and_does_what_it_says(cast, ada):
    delivery, job = arrived(cast, text_payload("At once"))
    run_job(job.pk)
    again(delivery, job)
    message = Message.objects.get(workspace=cast.workspace, body="At once")
    assert (job.status, job.type, job.result) == (
        "completed",
        "webhooks.receive_kapso_message",
        {"message_id": str(message.pk)},
    )
    assert (delivery.state, delivery.outcome) == ("applied", {"items": [job.key], "unhandled": []})
    assert job.key.startswith(f"kapso:{cast.channel.pk}:inbound:")
    assert not Job.objects.filter(key=f"delivery:{delivery.pk}").exists()
    row = ada.get(f"deliveries/{delivery.pk}/").json()
    assert (row["unpacking"], row["summary"]) == (None, "1 item done")
    assert row["outcome"]["items"][0]["message"]["id"] == str(message.pk)


def test_what_is_known_already_is_not_done_again(cast):
    payload = text_payload("Only once")
    first, second = arrived(cast, payload), arrived(cast, payload)
    for _, job in (first, second):
        run_job(job.pk)
    again(*first, *second)
    assert Message.objects.filter(workspace=cast.workspace, body="Only once").count() == 1
    assert second[0].outcome == first[0].outcome
    assert (second[1].status, second[1].key) == ("completed", f"delivery:{second[0].pk}")


def test_an_item_of_another_lane_gets_a_job_of_its_own(cast):
    delivery, job = arrived(cast, text_payload("Elsewhere"), lane="in:somewhere:else")
    run_job(job.pk)
    again(delivery, job)
    assert (job.type, job.status) == ("webhooks.unpack_delivery", "completed")
    own = Job.objects.get(key=delivery.outcome["items"][0])
    assert (own.status, own.lane) == ("pending", lane_of(cast, bytes(delivery.body)))
    run_job(own.pk)
    assert Message.objects.filter(workspace=cast.workspace, body="Elsewhere").count() == 1


def test_the_items_of_a_batch_have_jobs_of_their_own(cast):
    batch = {"type": "whatsapp.message.received", "batch": True, "data": [text_payload("a"), text_payload("b")]}
    delivery, job = arrived(cast, batch)
    assert job.lane == ""
    run_job(job.pk)
    again(delivery, job)
    assert job.type == "webhooks.unpack_delivery"
    assert Job.objects.filter(key__in=delivery.outcome["items"], status="pending").count() == 2


def test_a_worker_that_lost_the_job_changes_nothing(cast):
    delivery, job = arrived(cast, text_payload("Lost and found"))
    first, second = hold(job.pk), hold(job.pk)
    for held in (second, first):
        engine.run(held)
    again(delivery, job)
    assert (job.status, job.type, delivery.state) == ("completed", "webhooks.receive_kapso_message", "applied")
    assert Message.objects.filter(workspace=cast.workspace, body="Lost and found").count() == 1


def test_deliveries_read_at_one_instant_under_different_lanes_have_one_effect(cast, at_once):
    """Two forms of the same news may name its sender differently."""
    payload = text_payload("Twice told")
    told = [arrived(cast, payload) for _ in range(6)]
    for number, (_, job) in enumerate(told[1:]):
        Job.objects.filter(pk=job.pk).update(lane=f"{job.lane}:{number}")
    at_once([lambda job=job: run_job(job.pk) for _, job in told])
    for _, job in told:
        run_job(job.pk)
        again(job)
    (item,) = Job.objects.filter(key__startswith=f"kapso:{cast.channel.pk}:inbound:{payload['message']['id']}")
    run_job(item.pk)
    assert Message.objects.filter(workspace=cast.workspace, body="Twice told").count() == 1


def test_only_what_stands_in_its_lane_may_take_a_job_over(cast):
    _, job = arrived(cast, text_payload())
    held = hold(job.pk)
    for other in (
        NewJob("webhooks.receive_kapso_message", unique("key"), "in:another", {}),
        NewJob("inbox.deliver_message", unique("key"), held.lane, {}),  # calls a provider
    ):
        with pytest.raises(ValueError, match="cannot take over"):
            take_over(held, other)
    engine.run(held)


# --- When it does not work ------------------------------------------------------------------------------------


@pytest.fixture
def refused(monkeypatch):
    """The item cannot be done, now or ever."""

    def refuse(*, delivery_id: int, position: int) -> dict[str, Any]:
        raise ProviderError("no place for it", permanent=True, code="no_place")

    with monkeypatch.context() as patch:
        patch.setattr(kapso, "receive", refuse)
        yield patch


def test_an_item_that_cannot_be_done_shows_as_failed_and_can_be_tried_again(cast, ada, refused):
    delivery, job = arrived(cast, text_payload("Second chance"))
    run_job(job.pk)
    row = ada.get(f"deliveries/{delivery.pk}/").json()
    (item,) = row["outcome"]["items"]
    assert (row["state"], item["status"], item["job"]) == ("applied", "failed", job.pk)
    assert row["summary"] == item["error"] == "No place for it."
    shown = ada.get(f"jobs/{job.pk}/").json()
    assert (shown["status"], shown["type"], shown["actions"]) == (
        "failed",
        "webhooks.receive_kapso_message",
        ["retry", "dismiss"],
    )
    refused.undo()
    assert ada.post(f"jobs/{job.pk}/retry").status_code == 200
    run_job(job.pk)
    assert Message.objects.filter(workspace=cast.workspace, body="Second chance").count() == 1
    assert ada.get(f"deliveries/{delivery.pk}/").json()["summary"] == "1 item done"


def test_replaying_it_tries_the_same_item_again(cast, ada, refused):
    delivery, job = arrived(cast, text_payload("Read anew"))
    run_job(job.pk)
    refused.undo()
    assert ada.post(f"deliveries/{delivery.pk}/retry").status_code == 200
    run_job(Job.objects.get(key=f"delivery:{delivery.pk}:1").pk)
    run_job(job.pk)
    again(delivery, job)
    assert (delivery.state, job.status) == ("applied", "completed")
    assert Message.objects.filter(workspace=cast.workspace, body="Read anew").count() == 1


def test_replaying_what_was_done_changes_nothing(cast, ada):
    delivery, job = arrived(cast, text_payload("Done is done"))
    run_job(job.pk)
    assert ada.post(f"deliveries/{delivery.pk}/retry").status_code == 200
    replay = Job.objects.get(key=f"delivery:{delivery.pk}:1")
    run_job(replay.pk)
    again(delivery, job, replay)
    assert (delivery.state, delivery.outcome["items"]) == ("applied", [job.key])
    assert (job.attempts, job.status, replay.status) == (1, "completed", "completed")
    assert Message.objects.filter(workspace=cast.workspace, body="Done is done").count() == 1


def test_while_it_is_tried_again_it_waits_with_the_reason(cast, ada, monkeypatch):
    def busy(*, delivery_id: int, position: int) -> dict[str, Any]:
        raise ProviderError("come later", permanent=False, code="busy")

    delivery, job = arrived(cast, text_payload("Later"))
    with monkeypatch.context() as patch:
        patch.setattr(kapso, "receive", busy)
        run_job(job.pk)
    row = ada.get(f"deliveries/{delivery.pk}/").json()
    assert (row["state"], row["unpacking"]["status"], row["summary"]) == ("kept", "pending", "Come later.")
    assert ada.post(f"jobs/{job.pk}/retry").status_code == 200
    run_job(job.pk)
    again(delivery, job)
    assert (delivery.state, job.status, job.last_error) == ("applied", "completed", "")
    assert JobAttempt.objects.filter(job_id=job.pk).count() == 1


def test_dismissing_it_while_it_waits_is_shown_as_such(cast, ada):
    delivery, job = arrived(cast, text_payload("Let it be"), last_error="ProviderError: busy")
    assert ada.post(f"jobs/{job.pk}/dismiss").json()["status"] == "dismissed"
    again(delivery, job)
    assert (delivery.state, delivery.outcome["items"], job.status) == ("applied", [job.key], "dismissed")
    assert not Message.objects.filter(workspace=cast.workspace, body="Let it be").exists()


def test_a_reading_that_breaks_stays_what_it_is(cast, ada, monkeypatch):
    def broken(delivery: Delivery) -> None:
        raise RuntimeError("a mistake of ours")

    delivery, job = arrived(cast, text_payload(), max_attempts=1)
    with monkeypatch.context() as patch:
        patch.setitem(deliveries.READERS, "kapso", broken)
        run_job(job.pk)
    again(delivery, job)
    assert (delivery.state, job.status, job.type) == ("kept", "failed", "webhooks.unpack_delivery")
    assert ada.get(f"deliveries/{delivery.pk}/").json()["actions"] == ["retry"]
    assert ada.post(f"jobs/{job.pk}/retry").status_code == 200
    run_job(job.pk)
    again(delivery)
    assert delivery.state == "applied"


def test_one_that_cannot_be_written_as_text_harms_no_other(cast):
    """Half a surrogate in a header: JSON has no place for it."""

    def arrival(key: str) -> journal.Arrival:
        return journal.Arrival("kapso", cast.channel.pk, cast.workspace.pk, key, "", {}, b"{}")

    async def keep_both() -> list[Any]:
        both = [journal.keep(arrival(unique("key"))), journal.keep(arrival("\ud800"))]
        try:
            return await asyncio.gather(*both, return_exceptions=True)
        finally:
            await pool.close_hot_pool()

    good, bad = asyncio.run(keep_both())
    assert good is None
    assert type(bad).__name__ == "Unavailable"
