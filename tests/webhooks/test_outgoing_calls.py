"""Other systems are called: signed, in order, once per event, patiently, and never for nothing."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from config.live import events
from inbox.services.messages import send_message
from jobs import http
from jobs.models import Job
from tests.api import Api
from tests.cast import receive, sender
from tests.jobs_at_hand import run_job
from tests.waiting import wait_for
from tests.webhooks.receiver import Receiver, receiving
from webhooks.models import Call, Subscription
from webhooks.services import calls, fanout, subscriptions


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver
    http.close()


@pytest.fixture
def subscribed(cast, receiver):
    return subscribe(cast, receiver)


def subscribe(cast, receiver: Receiver, **given) -> Subscription:
    made, secret = subscriptions.create_subscription(actor=cast.actor(cast.ada), url=receiver.url, **given)
    made.secret = secret
    return made


def dispatch(cast) -> None:
    fanout.dispatch(workspace_id=cast.workspace.pk)


def jobs_of(subscription: Subscription):
    return Job.objects.filter(lane=f"hook:{subscription.pk}").order_by("id")


def run_calls(subscription: Subscription) -> None:
    """Each that waits, once, in the lane's order."""
    for job_id in list(jobs_of(subscription).filter(status="pending").values_list("pk", flat=True)):
        run_job(job_id)


def deliver(cast, *of: Subscription) -> None:
    dispatch(cast)
    for subscription in of:
        run_calls(subscription)


def of_call(subscription: Subscription) -> Call:
    return Call.objects.filter(subscription=subscription).latest("id")


def wait_of(call: Call) -> float:
    """Seconds to the next try."""
    job = Job.objects.get(key=f"call:{call.pk}:{call.redeliveries}")
    assert job.status == "pending"
    return (job.next_attempt - timezone.now()).total_seconds()


def test_a_new_conversation_is_told_signed_and_in_order(cast, receiver, subscribed):
    receive(cast, "Hola")
    deliver(cast, subscribed)
    assert receiver.numbers == sorted(receiver.numbers)
    assert set(receiver.types) == {"contact.created", "conversation.created", "message.created"}
    for got in receiver.got:
        assert got.verified_by(subscribed.secret)
        assert not got.verified_by("whsec_" + "A" * 32)
        assert got.headers["content-type"] == "application/json"
        assert got.headers["switchboard-hops"] == "1"
        assert got.headers["user-agent"] == "Switchboard-Webhooks/1"
        assert got.body["workspace"] == cast.workspace.slug
        assert set(got.body) == {"type", "timestamp", "data", "seq", "workspace"}
    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert ids == [f"msg_{call.pk}" for call in Call.objects.filter(subscription=subscribed).order_by("seq")]


def test_the_data_is_as_rest_shows_it(cast, receiver, subscribed, settings):
    settings.SUPABASE_URL = ""
    thread = receive(cast, "Hola")
    deliver(cast, subscribed)
    (message,) = [got.body["data"] for got in receiver.got if got.body["type"] == "message.created"]
    answer = Api(cast.ben).of(cast.workspace.slug).get(f"conversations/{thread.pk}/messages/").json()
    assert answer["results"] == [message]
    assert "unread_count" not in str([got.body for got in receiver.got])


def test_nothing_is_written_while_nobody_subscribes(cast):
    receive(cast, "Hola")
    assert events.head(f"workspace.{cast.workspace.slug}") == 0


def test_listening_costs_the_way_in_no_statement(cast, receiver, assert_queries):
    who = sender()
    receive(cast, "uno", who=who)
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as alone:
        receive(cast, "dos", who=who)
    subscribe(cast, receiver)
    with CaptureQueriesContext(connection) as heard:
        receive(cast, "tres", who=who)
    assert len(heard) == len(alone)
    assert events.head(f"workspace.{cast.workspace.slug}") == 2


def test_notes_go_only_to_who_names_them(cast, receiver, subscribed):
    with receiving() as other:
        asked = subscribe(cast, other, event_types=["note.created", "message.created"])
        thread = receive(cast, "Hola")
        send_message(
            actor=cast.actor(cast.ben), conversation_id=thread.pk, client_id=uuid4(), body="entre nos", note=True
        )
        deliver(cast, subscribed, asked)
        assert other.types == ["message.created", "note.created"]
        assert not any("entre nos" in got.raw.decode() for got in receiver.got)


def test_twice_dispatched_is_once_called(cast, receiver, subscribed, at_once):
    receive(cast, "Hola")
    results = at_once(lambda: dispatch(cast), 4)
    assert results == [None] * 4
    dispatch(cast)
    run_calls(subscribed)
    assert len(receiver.got) == len(set(receiver.numbers)) == 3


def test_a_process_that_dies_between_loses_nothing(cast, receiver, subscribed, monkeypatch):
    receive(cast, "Hola")
    with monkeypatch.context() as patch:
        patch.setattr(fanout, "enqueue_many", lambda _: (_ for _ in ()).throw(SystemExit()))
        with pytest.raises(SystemExit):
            dispatch(cast)
    assert not Call.objects.filter(subscription=subscribed).exists()
    Job.objects.filter(lane=f"feed:{cast.workspace.pk}").delete()  # as if its order had never been written
    assert fanout.sweep() >= 1
    for job in Job.objects.filter(lane=f"feed:{cast.workspace.pk}", status="pending"):
        run_job(job.pk)
    run_calls(subscribed)
    assert len(receiver.got) == 3


def test_a_commit_orders_the_dispatch_by_itself(cast, subscribed):
    receive(cast, "Hola")
    wait_for(lambda: Job.objects.filter(lane=f"feed:{cast.workspace.pk}").exists())


def test_many_events_come_in_several_steps(cast, receiver, subscribed, monkeypatch):
    monkeypatch.setattr(fanout, "BATCH", 2)
    receive(cast, "Hola")
    dispatch(cast)
    assert Call.objects.filter(subscription=subscribed).count() == 2
    again = Job.objects.filter(lane=f"feed:{cast.workspace.pk}", status="pending")
    assert again.exists()
    dispatch(cast)
    assert Call.objects.filter(subscription=subscribed).count() == 3


def test_switched_off_calls_nobody_and_catches_up_when_it_is_on_again(cast, receiver, settings):
    settings.SUPABASE_URL = ""
    subscribed = subscribe(cast, receiver, event_types=["message.created"])
    switches = Api(cast.ada).of(cast.workspace.slug)
    receive(cast, "one")
    dispatch(cast)
    assert switches.patch("features", {"outgoing_webhooks": False}).status_code == 200
    [waiting] = jobs_of(subscribed)
    run_job(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts, receiver.got) == ("pending", 0, [])
    receive(cast, "two", who=sender())
    assert cast.workspace.pk not in behind()
    deliver(cast, subscribed)
    assert (receiver.got, jobs_of(subscribed).count()) == ([], 1)
    assert switches.patch("features", {"outgoing_webhooks": True}).status_code == 200
    assert cast.workspace.pk in behind()
    deliver(cast, subscribed)
    assert [got.body["data"]["body"] for got in receiver.got] == ["one", "two"]


def test_what_is_no_longer_kept_is_passed_over(cast, receiver, subscribed):
    from config.live.models import LiveEvent

    receive(cast, "Hola")
    LiveEvent.objects.filter(topic=f"workspace.{cast.workspace.slug}").delete()
    dispatch(cast)
    subscribed.refresh_from_db()
    assert subscribed.cursor == 3
    assert cast.workspace.pk not in behind()


def behind() -> set[object]:
    with connection.cursor() as cursor:
        cursor.execute(fanout._BEHIND, {"prefix": "workspace."})
        return {row[0] for row in cursor.fetchall()}


# --- Receivers that fail ----------------------------------------------------------------------------------------


def one_call(cast, receiver, *answers: tuple[int, dict[str, str]], **given) -> tuple[Subscription, Call]:
    """A subscription to messages alone, and its one call, tried once."""
    subscribed = subscribe(cast, receiver, event_types=["message.created"], **given)
    receiver.answers = list(answers)
    receive(cast, "Hola")
    deliver(cast, subscribed)
    return subscribed, of_call(subscribed)


def test_a_failing_receiver_is_tried_again_by_the_schedule(cast, receiver):
    subscribed, call = one_call(cast, receiver, *[(500, {})] * calls.TRIES)
    assert (call.state, call.status_code, call.error, call.attempts) == ("pending", 500, "answered 500", 1)
    for number, seconds in enumerate(calls.SCHEDULE, start=1):
        assert seconds * 0.85 < wait_of(of_call(subscribed)) < seconds * 1.15
        run_calls(subscribed)
        assert of_call(subscribed).attempts == number + 1
    call = of_call(subscribed)
    assert (call.state, call.attempts) == ("failed", calls.TRIES)
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1
    assert len(receiver.got) == calls.TRIES
    subscribed.refresh_from_db()
    assert subscribed.failing_since is not None
    assert subscribed.is_active


def test_success_ends_the_count_of_failures(cast, receiver):
    subscribed, _ = one_call(cast, receiver, (500, {}))
    run_calls(subscribed)
    subscribed.refresh_from_db()
    call = of_call(subscribed)
    assert (call.state, call.status_code, call.error, subscribed.failing_since) == ("delivered", 200, "", None)
    assert call.took_ms is not None
    assert call.delivered_at is not None


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(cast, receiver, status):
    _, call = one_call(cast, receiver, (status, {"Retry-After": "90"}))
    assert 80 < wait_of(call) <= 90


def test_gone_switches_the_subscription_off(cast, receiver):
    subscribed, call = one_call(cast, receiver, (410, {}))
    subscribed.refresh_from_db()
    assert (subscribed.is_active, subscribed.disabled_reason) == (False, calls.SAID_GONE)
    assert (call.state, call.status_code) == ("failed", 410)


def test_a_redirect_is_a_failure_and_not_followed(cast, receiver):
    with receiving() as elsewhere:
        _, call = one_call(cast, receiver, (302, {"Location": elsewhere.url}))
        assert (call.state, call.status_code) == ("pending", 302)
        assert elsewhere.got == []


def test_nobody_there_is_tried_again(cast, receiver):
    subscribed = subscribe(cast, receiver, event_types=["message.created"])
    Subscription.objects.filter(pk=subscribed.pk).update(url="http://127.0.0.1:9/")
    receive(cast, "Hola")
    deliver(cast, subscribed)
    call = of_call(subscribed)
    assert (call.state, call.status_code, call.error) == ("pending", None, "127.0.0.1 could not be reached")


def test_a_slow_receiver_holds_up_itself_alone(cast, receiver, monkeypatch):
    import threading

    monkeypatch.setattr(calls, "SECONDS", 0.3)
    slow = subscribe(cast, receiver, event_types=["message.created"])
    receiver.hold = threading.Event()
    with receiving() as quick:
        other = subscribe(cast, quick, event_types=["message.created"])
        receive(cast, "Hola")
        dispatch(cast)
        assert {job.lane for job in jobs_of(slow)} & {job.lane for job in jobs_of(other)} == set()
        run_calls(slow)
        run_calls(other)
        assert of_call(slow).error == "127.0.0.1 did not answer in time"
        assert of_call(slow).state == "pending"
        assert of_call(other).state == "delivered"


def test_after_five_days_of_failing_it_is_switched_off_and_can_catch_up(cast, receiver):
    subscribed, _ = one_call(cast, receiver, (500, {}), (500, {}))
    Subscription.objects.filter(pk=subscribed.pk).update(failing_since=timezone.now() - timedelta(days=5, minutes=1))
    run_calls(subscribed)
    subscribed.refresh_from_db()
    assert not subscribed.is_active
    assert "answered 500" in subscribed.disabled_reason
    receive(cast, "while it was off")
    deliver(cast, subscribed)
    assert of_call(subscribed).error == calls.WAITS
    assert len(receiver.got) == 2  # nobody was called
    switch_on(cast, subscribed, "catch_up")
    deliver(cast, subscribed)
    assert [got.body["data"]["body"] for got in receiver.got] == ["Hola", "Hola", "Hola", "while it was off"]
    assert set(Call.objects.filter(subscription=subscribed).values_list("state", flat=True)) == {"delivered"}


def test_or_it_begins_anew(cast, receiver):
    subscribed, _ = one_call(cast, receiver, (410, {}))
    receive(cast, "while it was off")
    switch_on(cast, subscribed, "now")
    receive(cast, "from now")
    deliver(cast, subscribed)
    assert [got.body["data"]["body"] for got in receiver.got] == ["Hola", "from now"]


def switch_on(cast, subscription: Subscription, resume) -> None:
    subscriptions.update_subscription(
        actor=cast.actor(cast.ada), subscription_id=subscription.pk, is_active=True, resume=resume
    )


def test_both_secrets_sign_for_a_day(cast, receiver, subscribed):
    _, fresh = subscriptions.rotate_secret(actor=cast.actor(cast.ada), subscription_id=subscribed.pk)
    receive(cast, "Hola")
    deliver(cast, subscribed)
    got = receiver.got[0]
    assert got.verified_by(fresh)
    assert got.verified_by(subscribed.secret)
    assert len(got.headers["webhook-signature"].split()) == 2
    stored = Subscription.objects.get(pk=subscribed.pk)
    stored.secrets["until"][1] = timezone.now().isoformat()
    stored.save()
    receive(cast, "otra")
    deliver(cast, subscribed)
    assert receiver.got[-1].verified_by(fresh)
    assert not receiver.got[-1].verified_by(subscribed.secret)


def test_a_private_address_is_refused_at_the_call_too(cast, receiver, subscribed, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    receive(cast, "Hola")
    deliver(cast, subscribed)
    call = of_call(subscribed)
    assert (call.state, call.error) == ("failed", "127.0.0.1 is not a public address")
    assert receiver.got == []


def test_redelivery_is_the_same_call_again(cast, receiver):
    subscribed, call = one_call(cast, receiver, (410, {}))
    switch_on(cast, subscribed, "now")
    ada = cast.actor(cast.ada)
    subscriptions.redeliver(actor=ada, subscription_id=subscribed.pk, call_id=call.pk)
    run_calls(subscribed)
    call.refresh_from_db()
    assert (call.state, call.redeliveries, call.attempts) == ("delivered", 1, 2)
    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.raw == second.raw


def test_an_older_job_stops_when_a_person_asked_anew(cast, receiver):
    subscribed, call = one_call(cast, receiver, (500, {}))
    subscriptions.redeliver(actor=cast.actor(cast.ada), subscription_id=subscribed.pk, call_id=call.pk)
    run_calls(subscribed)
    assert len(receiver.got) == 2
    assert {job.status for job in jobs_of(subscribed)} == {"completed"}


def test_a_removed_subscription_is_not_called(cast, receiver, subscribed):
    receive(cast, "Hola")
    dispatch(cast)
    subscriptions.delete_subscription(actor=cast.actor(cast.ada), subscription_id=subscribed.pk)
    run_calls(subscribed)
    assert receiver.got == []
    assert of_call(subscribed).error == calls.REMOVED
    cast.workspace.refresh_from_db()
    assert not cast.workspace.is_feed_open
    receive(cast, "unheard")
    assert events.head(f"workspace.{cast.workspace.slug}") == 3


def test_old_calls_go(cast, receiver, subscribed):
    receive(cast, "Hola")
    deliver(cast, subscribed)
    Call.objects.filter(subscription=subscribed, seq=1).update(created_at=timezone.now() - timedelta(days=31))
    assert calls.remove_old() >= 1
    assert sorted(Call.objects.filter(subscription=subscribed).values_list("seq", flat=True)) == [2, 3]
