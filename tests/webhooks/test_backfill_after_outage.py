"""The server was down while customers wrote: afterwards everything is there, once, in order."""

import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from config.errors import Invalid
from inbox.models import Attachment, Message, MessageReceipt
from inbox.states import ChannelKind
from jobs.models import Job
from tests.simulator.harness import Receiver, running
from tests.waiting import wait_for
from tests.webhooks.outage import connect
from webhooks.backfill import gaps, kapso, services, twilio
from webhooks.models import Delivery

BOTH = [ChannelKind.KAPSO, ChannelKind.TWILIO]


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    receiver = Receiver()
    with running(tmp_path_factory.mktemp("provider"), receiver.url) as simulator:
        yield simulator, receiver
    receiver.close()


@pytest.fixture
def scene_of(provider, cast, settings):
    simulator, receiver = provider
    receiver.forget()
    settings.KAPSO_API_URL = settings.TWILIO_API_URL = simulator.url
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1"]
    return lambda kind: connect(cast, simulator, receiver, kind)


@pytest.fixture(params=BOTH, ids=[kind.value for kind in BOTH])
def scene(scene_of, request):
    return scene_of(request.param)


@pytest.fixture
def on_kapso(scene_of):
    return scene_of(ChannelKind.KAPSO)


@pytest.fixture
def on_twilio(scene_of):
    return scene_of(ChannelKind.TWILIO)


def moments_ago(**delta):
    return time.time() - timedelta(**delta).total_seconds()


def test_what_was_written_while_we_were_down_is_there_afterwards(scene):
    scene.go_down()
    for number in range(5):
        scene.writes(f"Line {number}", timestamp=moments_ago(minutes=30 - number))
    assert scene.thread() == []

    result = scene.backfill(hours=1)

    assert scene.thread() == [f"Line {number}" for number in range(5)]
    assert (result["listed"], result["added"], result["known"], result["failed"]) == (5, 5, 0, 0)
    conversation = scene.conversation()
    assert (conversation.inbound_count, conversation.status) == (5, "open")
    assert conversation.last_message.body == "Line 4"
    waiting = conversation.waiting_since
    assert abs((datetime.now(UTC) - timedelta(minutes=30) - waiting).total_seconds()) < 60
    assert Message.objects.filter(channel=scene.channel, sender_kind="contact").count() == 5


def test_a_second_run_changes_nothing(scene):
    scene.go_down()
    scene.writes("Line", count=3)
    scene.backfill(hours=1)
    before = (
        scene.thread(),
        scene.conversation().updated_at,
        Delivery.objects.filter(channel_id=scene.channel.pk).count(),
    )

    result = scene.backfill(hours=1)

    after = (
        scene.thread(),
        scene.conversation().updated_at,
        Delivery.objects.filter(channel_id=scene.channel.pk).count(),
    )
    assert after == before
    assert (result["listed"], result["added"], result["known"]) == (3, 0, 3)


def test_lines_of_one_second_keep_their_order(scene):
    scene.go_down()
    scene.writes("Line", count=7, timestamp=moments_ago(minutes=2))

    scene.backfill(hours=1)

    assert scene.thread() == [f"Line {number}" for number in range(1, 8)]


def test_what_came_live_is_known_and_the_rest_stands_between(scene):
    scene.writes("before", timestamp=moments_ago(minutes=20))
    scene.deliver(scene.receiver.deliveries[-1])
    scene.work()
    scene.go_down()
    scene.writes("during", timestamp=moments_ago(minutes=10))
    scene.receiver.forget()
    scene.writes("after")
    scene.deliver(scene.receiver.deliveries[-1])
    scene.work()

    result = scene.backfill(hours=1)

    assert sorted(scene.thread()) == ["after", "before", "during"]
    assert (result["added"], result["known"]) == (1, 2)


def test_live_deliveries_of_the_same_messages_at_the_same_time_double_nothing(scene, at_once):
    scene.go_down()
    scene.writes("Line", count=12)
    tried = list({delivery.body: delivery for delivery in scene.receiver.deliveries}.values())
    services.ask_for(scene.channel, datetime.now(UTC) - timedelta(hours=1))

    def live():
        for delivery in tried:
            scene.deliver(delivery)
            scene.work("webhooks.unpack_delivery", "webhooks.receive_kapso_message", "webhooks.receive_twilio_message")

    outcomes = at_once([live, lambda: scene.work(services.TASK), lambda: scene.work("webhooks.receive_kapso_message")])
    scene.work()

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert sorted(scene.thread()) == sorted(f"Line {number}" for number in range(1, 13))
    assert scene.conversation().inbound_count == 12
    assert not Job.objects.filter(workspace_id=scene.channel.workspace_id, status="failed").exists()


def test_a_long_list_is_read_by_several_jobs(scene, monkeypatch):
    for module, source in ((kapso, kapso.KapsoSource), (twilio, twilio.TwilioSource)):
        monkeypatch.setattr(module, "PAGE", 4)
        monkeypatch.setattr(source, "pages_at_most", 2)
    scene.go_down()
    scene.writes("Line", count=21, timestamp=moments_ago(minutes=5))

    result = scene.backfill(hours=1)

    assert len(scene.thread()) == 21
    assert (result["listed"], result["added"]) == (21, 21)
    assert result["part"] >= 3
    assert gaps.complete_until(scene.channel.pk) is not None


def test_a_job_that_was_killed_in_the_middle_is_repeated_without_harm(scene, monkeypatch):
    scene.go_down()
    scene.writes("Line", count=6)
    key, _ = services.ask_for(scene.channel, datetime.now(UTC) - timedelta(hours=1))
    monkeypatch.setattr(services, "AT_ONCE", 2)
    hand_in, calls = services._hand_in, []

    def dies_at_the_second(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return hand_in(*args)

    monkeypatch.setattr(services, "_hand_in", dies_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        scene.work()
    Job.objects.filter(key=key).update(status="pending", lease_until=None, attempts=0)
    scene.work()

    assert sorted(scene.thread()) == [f"Line {number}" for number in range(1, 7)]
    result = Job.objects.get(key=key).result
    assert result is not None
    assert result["known"] == 2


def test_what_is_older_than_was_asked_for_stays_out(scene):
    scene.go_down()
    scene.writes("long ago", timestamp=moments_ago(hours=5))
    scene.writes("lately", timestamp=moments_ago(minutes=5))

    assert scene.backfill(hours=1)["listed"] == 1
    assert scene.thread() == ["lately"]


def test_old_history_that_somebody_asks_for_notifies_nobody(scene):
    scene.go_down()
    gaps.mark_complete(scene.channel.pk, datetime.now(UTC) - timedelta(days=60), datetime.now(UTC))
    scene.writes("last month", timestamp=moments_ago(days=30))

    scene.backfill(days=40)

    conversation = scene.conversation()
    assert (conversation.status, conversation.inbound_count, conversation.waiting_since) == ("resolved", 0, None)
    assert scene.thread() == ["last month"]


def test_a_picture_comes_with_its_address(scene):
    scene.go_down()
    scene.writes("", sample="image")

    scene.backfill(hours=1)

    attachment = Attachment.objects.get(message__channel=scene.channel)
    assert (attachment.kind, attachment.content_type) == ("image", "image/png")
    assert attachment.provider_media_id or attachment.source


# --- What went out ------------------------------------------------------------------------------------------


def test_states_that_nobody_told_us_are_made_up_for(on_kapso):
    scene = on_kapso
    scene.writes("Hi")
    scene.deliver(scene.receiver.deliveries[-1])
    scene.work()
    scene.go_down()
    sent = _sent(scene, _send_kapso(scene, "Hello back"))

    scene.backfill(hours=1)

    sent.refresh_from_db()
    assert sent.status == "read"
    assert sent.delivered_at <= sent.read_at
    assert MessageReceipt.objects.filter(channel=scene.channel).count() == 3
    assert scene.backfill(hours=1)["states"] == 0


def test_a_send_whose_outcome_is_unknown_is_settled_by_what_the_list_hands_back(on_kapso):
    scene = on_kapso
    scene.writes("Hi")
    scene.deliver(scene.receiver.deliveries[-1])
    scene.work()
    scene.go_down()
    ours = _sent(scene, "", status="unknown")
    provider_id = _send_kapso(scene, "Hello back", biz_opaque_callback_data=str(ours.pk))

    scene.backfill(hours=1)

    ours.refresh_from_db()
    assert (ours.provider_id, ours.status) == (provider_id, "read")


def test_what_staff_typed_on_the_phone_is_shown(on_kapso):
    scene = on_kapso
    scene.go_down()
    scene.writes("Are you open?", timestamp=moments_ago(minutes=9))
    scene.writes("We are.", origin="business_app", timestamp=moments_ago(minutes=8))

    scene.backfill(hours=1)

    assert scene.thread() == ["Are you open?", "We are."]
    assert scene.conversation().waiting_since is None
    assert scene.conversation().inbound_count == 1


def test_twilio_s_states_are_made_up_for_too(on_twilio):
    scene = on_twilio
    scene.writes("Hi")
    scene.deliver(scene.receiver.deliveries[-1])
    scene.work()
    sent = _sent(scene, _send_twilio(scene, "Hello back"))

    result = scene.backfill(hours=1)

    sent.refresh_from_db()
    assert (sent.status, result["states"], result["added"]) == ("delivered", 2, 0)


def test_what_twilio_sent_for_somebody_else_is_shown_once(on_twilio):
    scene = on_twilio
    scene.go_down()
    scene.writes("Hi", timestamp=moments_ago(minutes=3))
    _send_twilio(scene, "From another system")

    first, second = scene.backfill(hours=1), scene.backfill(hours=1)

    assert scene.thread() == ["Hi", "From another system"]
    assert (first["added"], second["added"]) == (2, 0)
    assert Message.objects.get(channel=scene.channel, direction="out").status == "delivered"
    assert scene.conversation().waiting_since is None


def test_one_of_ours_that_is_on_its_way_is_not_taken_for_somebody_else_s(on_twilio):
    scene = on_twilio
    scene.writes("Hi")
    scene.deliver(scene.receiver.deliveries[-1])
    scene.work()
    _sent(scene, "", status="sending")
    _send_twilio(scene, "Hello back")

    scene.backfill(hours=1)

    assert Message.objects.filter(channel=scene.channel, direction="out").count() == 1


def test_who_said_stop_while_we_were_down_is_known(on_twilio):
    from inbox.models import OptOut

    scene = on_twilio
    scene.go_down()
    scene.writes("STOP")

    scene.backfill(hours=1)

    assert OptOut.objects.get(channel=scene.channel).opted_out_at is not None


# --- What is refused ------------------------------------------------------------------------------------------


def test_a_wrong_key_is_told_in_words_and_the_mark_stays(scene):
    key = "api_key" if scene.is_kapso else "auth_tokens"
    scene.channel.credentials = {key: "wrong" if scene.is_kapso else ["wrong"]}
    scene.channel.save(update_fields=["credentials"])
    key, _ = services.ask_for(scene.channel, datetime.now(UTC) - timedelta(hours=1))
    scene.work()

    job = Job.objects.get(key=key)
    assert job.status == "failed"
    assert job.last_error.startswith("ProviderError: ")
    assert gaps.complete_until(scene.channel.pk) is None


def test_a_throttle_is_waited_for(on_kapso, monkeypatch):
    from jobs import http

    answer = http.Response(
        429, httpx.Headers({"Retry-After": "77"}), b'{"error":"Rate limit exceeded"}', "kapso", False
    )
    monkeypatch.setattr(kapso.http, "request", lambda *_args, **_more: answer)
    key, _ = services.ask_for(on_kapso.channel, None)
    on_kapso.work()

    job = Job.objects.get(key=key)
    assert job.status == "pending"
    assert (job.next_attempt - datetime.now(UTC)).total_seconds() > 60


@pytest.mark.parametrize("days", [-1, 400], ids=["ahead", "years_ago"])
def test_a_time_that_makes_no_sense_is_refused(on_kapso, days):
    with pytest.raises(Invalid):
        services.ask_for(on_kapso.channel, datetime.now(UTC) - timedelta(days=days))


def test_a_channel_that_is_paused_is_left_alone(on_kapso):
    on_kapso.channel.is_active = False
    on_kapso.channel.save(update_fields=["is_active"])

    assert on_kapso.backfill(hours=1) == {"paused": True}


def _send_kapso(scene, body, **more):
    url = f"{scene.simulator.url}/meta/whatsapp/v24.0/{scene.channel.identifier}/messages"
    data = {"messaging_product": "whatsapp", "to": "+6281255500199", "type": "text", "text": {"body": body}, **more}
    response = scene.simulator.http.post(url, json=data, headers={"X-API-Key": scene.channel.credentials["api_key"]})
    provider_id = response.json()["messages"][0]["id"]
    wait_for(lambda: scene.simulator.accepted(id=provider_id)[0]["states"] == ["sent", "delivered", "read"])
    return provider_id


def _send_twilio(scene, body):
    account = scene.channel.identifier
    sid = scene.simulator.http.post(
        f"{scene.simulator.url}/2010-04-01/Accounts/{account}/Messages.json",
        data={"To": "+6281255500199", "From": scene.channel.phone, "Body": body},
        auth=(account, scene.channel.credentials["auth_tokens"][0]),
    ).json()["sid"]
    wait_for(lambda: scene.simulator.accepted(id=sid)[0]["states"] == ["sent", "delivered"])
    return sid


def _sent(scene, provider_id, *, status="sent"):
    """One of ours, as the outbox left it when everything stopped."""
    return Message.objects.create(
        workspace=scene.channel.workspace,
        conversation=scene.conversation(),
        channel=scene.channel,
        direction="out",
        sender_kind="member",
        body="Hello back",
        provider_id=provider_id,
        status=status,
    )
