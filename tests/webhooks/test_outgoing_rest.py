"""REST of outgoing webhooks: who may, what is refused, what is shown, and that pulled and pushed are the same."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from config.live import topics
from config.live.identity import Identity
from config.live.models import LiveEvent
from inbox.services.messages import send_message
from jobs import http
from jobs.models import Job
from tests.api import Api
from tests.cast import receive
from tests.jobs_at_hand import run_job
from tests.webhooks.receiver import receiving
from webhooks.models import Call, Subscription
from webhooks.services import fanout

SOME_ID = "5b0a1f52-9a3c-4b55-8f65-0f6f0d1f2a3b"


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def ada(cast):
    return Api(cast.ada).of(cast.workspace.slug)


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver
    http.close()


def subscribe(ada, url: str, **given) -> dict[str, Any]:
    answer = ada.post("webhook-subscriptions/", {"url": url, **given})
    assert answer.status_code == 201, answer.content
    return answer.json()


def deliver(cast, subscription: dict[str, Any]) -> None:
    fanout.dispatch(workspace_id=cast.workspace.pk)
    waiting = Job.objects.filter(lane=f"hook:{subscription['id']}", status="pending").order_by("id")
    for job_id in list(waiting.values_list("pk", flat=True)):
        run_job(job_id)


def test_the_secret_is_shown_once(ada, receiver):
    made = subscribe(ada, receiver.url, description="CRM", event_types=["message.created"])
    assert made["secret"].startswith("whsec_")
    assert (made["kind"], made["is_active"], made["event_types"]) == ("push", True, ["message.created"])
    path = f"webhook-subscriptions/{made['id']}/"
    shown = ada.get(path).json()
    assert shown == {name: value for name, value in made.items() if name != "secret"}
    assert ada.get("webhook-subscriptions/").json() == {"results": [shown], "next": None, "previous": None}
    rotated = ada.post(f"{path}rotate-secret").json()
    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    assert made["secret"] not in Subscription.objects.values_list("secrets", flat=True)


def test_an_event_right_after_the_answer_is_told(cast, ada, receiver):
    made = subscribe(ada, receiver.url)
    receive(cast, "at once")
    deliver(cast, made)
    assert "message.created" in receiver.types
    assert all(got.verified_by(made["secret"]) for got in receiver.got)


def test_changes(cast, ada, receiver):
    made = subscribe(ada, receiver.url)
    path = f"webhook-subscriptions/{made['id']}/"
    off = ada.patch(path, {"is_active": False, "description": "x", "event_types": ["note.created"]}).json()
    assert (off["is_active"], off["description"], off["event_types"]) == (False, "x", ["note.created"])
    assert off["disabled_reason"] == "Switched off by an administrator."
    assert off["url"] == receiver.url
    on = ada.patch(path, {"is_active": True, "resume": "now"}).json()
    assert (on["is_active"], on["disabled_reason"]) == (True, "")
    assert ada.delete(path).status_code == 204
    assert ada.get(path).status_code == 404
    assert ada.get("webhook-subscriptions/").json()["results"] == []


def test_a_test_is_sent_and_stands_in_the_log(cast, ada, receiver):
    made = subscribe(ada, receiver.url)
    path = f"webhook-subscriptions/{made['id']}/"
    call = ada.post(f"{path}test")
    assert call.status_code == 202
    assert (call.json()["type"], call.json()["state"], call.json()["seq"]) == ("test.ping", "pending", None)
    assert call.json()["next_attempt"] is not None
    ada.post(f"{path}test")
    deliver(cast, made)
    assert receiver.types == ["test.ping", "test.ping"]
    assert receiver.got[0].verified_by(made["secret"])
    log = ada.get(f"{path}calls/").json()
    assert [row["state"] for row in log["results"]] == ["delivered", "delivered"]
    assert "body" not in log["results"][0]
    detail = ada.get(f"{path}calls/{call.json()['id']}/").json()
    assert detail["status_code"] == 200
    assert detail["body"].encode() == receiver.got[0].raw


def test_the_log_pages_narrows_and_redelivers(cast, ada, receiver):
    made = subscribe(ada, receiver.url)
    path = f"webhook-subscriptions/{made['id']}/calls/"
    receiver.answers = [(200, {}), (500, {})]
    receive(cast, "Hola")
    deliver(cast, made)
    first = ada.get(path, limit=2).json()
    rest = Api(cast.ada).get(first["next"]).json()
    assert [row["seq"] for row in first["results"] + rest["results"]] == [3, 2, 1]
    (waiting,) = ada.get(path, state="pending").json()["results"]
    assert (waiting["seq"], waiting["status_code"], waiting["attempts"]) == (2, 500, 1)
    assert waiting["next_attempt"]
    again = ada.post(f"{path}{waiting['id']}/redeliver")
    assert (again.status_code, again.json()["redeliveries"]) == (202, 1)
    deliver(cast, made)
    assert receiver.numbers == [1, 2, 3, 2]


def test_pulled_and_pushed_are_the_same(cast, ada, receiver):
    made = subscribe(ada, receiver.url)
    start = ada.get("events/").json()
    assert start == {
        "results": [],
        "next": None,
        "previous": None,
        "live": {"topic": f"workspace.{cast.workspace.slug}", "seq": 0},
        "read_to": 0,
        "is_open": True,
    }
    thread = receive(cast, "naïve 你好 😀")
    ben = cast.actor(cast.ben)
    send_message(actor=ben, conversation_id=thread.pk, client_id=uuid4(), body="leise", note=True)
    send_message(actor=ben, conversation_id=thread.pk, client_id=uuid4(), body="Ja")
    deliver(cast, made)
    pulled, url = [], "events/?after=0&limit=2"
    answer = ada.get(url)
    while True:
        pulled += answer.json()["results"]
        if answer.json()["next"] is None:
            break
        answer = Api(cast.ada).get(answer.json()["next"])
    pushed = [
        {"seq": got.body["seq"], "type": got.body["type"], "at": got.body["timestamp"], "data": got.body["data"]}
        for got in receiver.got
    ]
    assert pulled == pushed
    assert not any(event["type"].startswith("note.") for event in pulled)
    notes = ada.get("events/", types="note.created").json()["results"]
    assert [event["data"]["body"] for event in notes] == ["leise"]


def test_a_subscription_without_an_address_opens_the_feed_for_pulling(cast, ada):
    assert ada.get("events/").json()["is_open"] is False
    made = subscribe(ada, "")
    assert made["kind"] == "pull"
    receive(cast, "Hola")
    answer = ada.get("events/", after=0).json()
    assert [event["seq"] for event in answer["results"]] == [1, 2, 3]
    fanout.dispatch(workspace_id=cast.workspace.pk)
    assert not Call.objects.filter(subscription=made["id"]).exists()
    refused = ada.post(f"webhook-subscriptions/{made['id']}/test")
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_call")


def test_a_number_that_cannot_be_resumed_from_is_reset(cast, ada):
    subscribe(ada, "")
    receive(cast, "Hola")
    LiveEvent.objects.filter(topic=f"workspace.{cast.workspace.slug}", seq=1).delete()
    gone = ada.get("events/", after=0)
    assert (gone.status_code, gone.json()["code"]) == (410, "reset")
    assert (gone.json()["seq"], gone.json()["oldest"], gone.json()["head"]) == (0, 2, 3)
    assert ada.get("events/", after=4).status_code == 410
    assert [event["seq"] for event in ada.get("events/", after=1).json()["results"]] == [2, 3]
    assert [event["seq"] for event in ada.get("events/").json()["results"]] == [2, 3]
    LiveEvent.objects.filter(topic=f"workspace.{cast.workspace.slug}").delete()
    assert ada.get("events/", after=2).status_code == 410
    assert ada.get("events/", after=3).json()["results"] == []


# --- Addresses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://testserver/webhooks/kapso/demo-kapso",
        "https://testserver/elsewhere",
        "http://127.0.0.1:8000/webhooks/stripe",
        "http://localhost:8000/",
        "http://10.0.0.1/hook",
        "https://192.168.1.10/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/hook",
        "https://[fd00::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://0.0.0.0/hook",
        "https://0x7f000001/",
        "http://93.184.216.34/plain-http",
        "ftp://93.184.216.34/",
        "https://user:password@93.184.216.34/",
        "https://",
        "not an address",
        "javascript:alert(1)",
        "https://93.184.216.34/" + "x" * 2000,
    ],
)
def test_an_address_that_may_not_be_called_is_refused(ada, url):
    answer = ada.post("webhook-subscriptions/", {"url": url})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), answer.content
    assert "url" in answer.json()["errors"]
    assert ada.get("webhook-subscriptions/").json()["results"] == []


def test_a_change_of_address_is_checked_as_well(ada, receiver):
    made = subscribe(ada, receiver.url)
    answer = ada.patch(f"webhook-subscriptions/{made['id']}/", {"url": "https://10.0.0.1/"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_target")


def test_a_public_address_is_taken(ada):
    assert subscribe(ada, "https://93.184.216.34/hook")["url"] == "https://93.184.216.34/hook"


def test_what_we_send_is_refused_at_our_own_roads():
    import asyncio

    from webhooks.kapso.road import kapso

    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/webhooks/kapso/x",
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"switchboard-hops", b"1")],
    }

    async def receive_nothing() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(kapso(scope, receive_nothing, send))
    assert sent[0]["status"] == 508


# --- Who may, and bad input ----------------------------------------------------------------------------------

EVERYTHING = [
    ("get", "webhook-subscriptions/", None),
    ("post", "webhook-subscriptions/", {"url": ""}),
    ("get", "webhook-subscriptions/{id}/", None),
    ("patch", "webhook-subscriptions/{id}/", {"description": "x"}),
    ("delete", "webhook-subscriptions/{id}/", None),
    ("post", "webhook-subscriptions/{id}/rotate-secret", None),
    ("post", "webhook-subscriptions/{id}/test", None),
    ("get", "webhook-subscriptions/{id}/calls/", None),
    ("get", "webhook-subscriptions/{id}/calls/{call}/", None),
    ("post", "webhook-subscriptions/{id}/calls/{call}/redeliver", None),
    ("get", "events/", None),
]


def call(api: Api, method: str, path: str, body: object, made: dict[str, Any]):
    path = path.format(id=made["id"], call=made.get("call", SOME_ID))
    return getattr(api, method)(path, *([body] if method in {"post", "patch"} else []))


@pytest.fixture
def made(cast, ada, receiver):
    made = subscribe(ada, receiver.url)
    return {**made, "call": ada.post(f"webhook-subscriptions/{made['id']}/test").json()["id"]}


@pytest.mark.parametrize(("method", "path", "body"), EVERYTHING)
@pytest.mark.parametrize("who", ["ben", "vic", "tia"])
def test_only_those_who_manage_may(cast, made, who, method, path, body):
    answer = call(Api(getattr(cast, who)).of(cast.workspace.slug), method, path, body, made)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(("method", "path", "body"), EVERYTHING)
def test_who_is_not_signed_in_is_401(cast, made, method, path, body):
    assert call(Api().of(cast.workspace.slug), method, path, body, made).status_code == 401


@pytest.mark.parametrize(("method", "path", "body"), EVERYTHING)
def test_a_stranger_cannot_tell_whether_the_workspace_exists(cast, made, method, path, body):
    assert call(Api(cast.cleo).of(cast.workspace.slug), method, path, body, made).status_code == 404


@pytest.mark.parametrize(("method", "path", "body"), [entry for entry in EVERYTHING if "{id}" in entry[1]])
def test_another_workspaces_subscription_is_not_found(cast, made, method, path, body):
    assert call(Api(cast.cleo).of(cast.elsewhere.slug), method, path, body, made).status_code == 404


def test_the_feed_may_be_heard_by_those_who_manage(cast):
    def may(user) -> bool:
        return topics.may_listen(Identity(subject=f"user:{user.pk}", user_id=user.pk), topic)

    topic = f"workspace.{cast.workspace.slug}"
    assert [may(user) for user in (cast.ada, cast.ben, cast.vic, cast.cleo)] == [True, False, False, False]
    assert not topics.may_listen(None, topic)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"url": None},
        {"url": 7},
        {"url": "", "event_types": "message.created"},
        {"url": "", "event_types": ["nothing.happened"]},
        {"url": "", "description": "x" * 201},
        {"url": "https://93.184.216.34/\x00"},
    ],
    ids=repr,
)
def test_a_malformed_subscription_is_400(ada, body):
    answer = ada.post("webhook-subscriptions/", body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("body", [{"is_active": "perhaps"}, {"resume": "never"}, {"event_types": [1, None]}], ids=repr)
def test_a_malformed_change_is_400(ada, made, body):
    assert ada.patch(f"webhook-subscriptions/{made['id']}/", body).status_code == 400


@pytest.mark.parametrize(
    "query", [{"after": "-1"}, {"after": "x"}, {"after": "9" * 30}, {"limit": "0"}, {"after": "٣"}], ids=repr
)
def test_a_malformed_pull_is_400(ada, query):
    assert ada.get("events/", **query).status_code == 400


def test_a_malformed_log_query_is_400(ada, made):
    assert ada.get(f"webhook-subscriptions/{made['id']}/calls/", state="x").status_code == 400
    assert ada.get(f"webhook-subscriptions/{made['id']}/calls/", cursor="x").status_code == 400


def test_a_workspace_has_no_more_than_twenty(ada, monkeypatch):
    from webhooks.services import subscriptions

    monkeypatch.setattr(subscriptions, "MOST", 1)
    subscribe(ada, "")
    answer = ada.post("webhook-subscriptions/", {"url": ""})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_subscriptions")


def test_a_switched_off_subscription_is_not_redelivered_to(cast, ada, receiver):
    made = subscribe(ada, receiver.url)
    receive(cast, "Hola")
    deliver(cast, made)
    ada.patch(f"webhook-subscriptions/{made['id']}/", {"is_active": False})
    (row, *_) = ada.get(f"webhook-subscriptions/{made['id']}/calls/").json()["results"]
    answer = ada.post(f"webhook-subscriptions/{made['id']}/calls/{row['id']}/redeliver")
    assert (answer.status_code, answer.json()["code"]) == (409, "subscription_switched_off")


def test_an_older_secret_keeps_its_time_when_another_follows(ada):
    from webhooks.outgoing import signing

    now = timezone.now()
    once = signing.rotated(signing.first("whsec_a"), "whsec_b", now)
    twice = signing.rotated(once, "whsec_c", now + timedelta(hours=12))
    assert signing.signing_secrets(twice, now + timedelta(hours=13)) == ["whsec_c", "whsec_b", "whsec_a"]
    assert signing.signing_secrets(twice, now + timedelta(hours=25)) == ["whsec_c", "whsec_b"]
    assert signing.signing_secrets(twice, now + timedelta(hours=37)) == ["whsec_c"]
