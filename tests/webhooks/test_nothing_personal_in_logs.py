"""Marked names, numbers, bodies and addresses go down every path, well and badly; what is logged holds none of them.

Our own loggers are heard from DEBUG on, libraries from INFO on, as the product writes them and with all they carry.
"""

import asyncio
import base64
import gc
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import stripe
from asgiref.sync import sync_to_async
from django.db import transaction
from standardwebhooks import Webhook

from config.asgi import application
from config.live import pool
from config.logs import Formatter, hear_threads
from crm.ids import uuid7
from crm.models import ContactIdentity
from inbox.services.messages import send_message
from jobs import http
from jobs.models import Job
from tests.api import Api
from tests.cast import KAPSO_SECRET, make_cast, receive, sender, unique
from tests.jobs_at_hand import run_job
from tests.webhooks import twilio_calls
from webhooks.kapso.signature import kapso_signature
from webhooks.models import Delivery
from webhooks.services import fanout, subscriptions

NAME, DIGITS, BODY, EMAIL = "Markname Zebulon", "34600987654", "geheimtext 4711", "marked.person@private.example"
MARKS = ("Markname", "Zebulon", "600987654", "geheimtext", "marked.person", "verschlusssache")
OURS = ("config", "crm", "inbox", "jobs", "proctoring", "webhooks")
PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request"}
STRIPE_SECRET = "whsec_test_stripe"
STANDARD_SECRET = "whsec_" + base64.b64encode(b"m" * 32).decode()


class Heard(logging.Handler):
    """Every line as the product would write it, and beside it whatever else the record carries."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(Formatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        extra = {name: value for name, value in vars(record).items() if name not in PLAIN}
        self.lines.append(f"{record.name} {self.format(record)} {extra!r}")

    def has(self, words: str) -> bool:
        return any(words in line for line in self.lines)


@pytest.fixture(autouse=True)
def heard() -> Iterator[Heard]:
    handler, root = Heard(), logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in OURS}
    level = root.level
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    found = [line for line in handler.lines if any(mark in line for mark in MARKS)]
    assert not found, "\n".join(found)


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """A provider, or anybody, who answers with everything they were told and more."""
    words = {"error": {"code": 131009, "message": f"{BODY} to {DIGITS}", "error_data": {"details": f"{NAME} {EMAIL}"}}}
    twilio = {"code": 21211, "message": f"The 'To' number +{DIGITS} is not valid", "more_info": BODY, "status": status}
    answer = json.dumps({**words, **twilio}).encode()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        http.close()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def provider(settings) -> Iterator[None]:
    """Nobody's provider works here: media cannot be fetched, nothing can be sent."""
    with refusing(400) as url:
        settings.KAPSO_API_URL = settings.TWILIO_API_URL = settings.STRIPE_API_URL = url
        settings.STRIPE_WEBHOOK_SECRETS = [STRIPE_SECRET]
        settings.IDENTITY_WEBHOOK_SECRETS = settings.SCORES_SECRETS = [STANDARD_SECRET]
        settings.SUPABASE_URL = ""
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
        yield


@pytest.fixture
async def client():
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client
    await pool.close_hot_pool()


@pytest.fixture
async def people():
    return await sync_to_async(make_cast)()


def run_everything(workspace_id: UUID, rounds: int = 4) -> set[str]:
    """Every job of the workspace, and those they make, tried a few times; the types that ran."""
    ran = set()
    for _ in range(rounds):
        for job in Job.objects.filter(workspace_id=workspace_id, status="pending").order_by("id"):
            run_job(job.pk)
            ran.add(job.type)
    return ran


# --- What comes in -----------------------------------------------------------------------------------------------


def kapso(**message: Any) -> dict[str, Any]:
    return {
        "message": {
            "id": unique("wamid"),
            "timestamp": str(int(datetime.now(UTC).timestamp())),
            "type": "text",
            "from": DIGITS,
            "text": {"body": BODY},
            "kapso": {"direction": "inbound", "status": "received", "origin": "cloud_api"},
            **message,
        },
        "conversation": {"phone_number": f"+{DIGITS}", "kapso": {"contact_name": NAME}},
        "phone_number_id": "100000000000001",
    }


IMAGE = {"type": "image", "image": {"id": "1", "caption": BODY, "mime_type": "image/png", "filename": f"{NAME}.png"}}
CARDS = {"type": "contacts", "contacts": [{"name": {"formatted_name": NAME}, "phones": [{"phone": DIGITS}]}]}
KAPSO = {
    "text": json.dumps(kapso()),
    "image": json.dumps(kapso(**IMAGE)),
    "contacts": json.dumps(kapso(**CARDS)),
    "nothing we know": json.dumps(kapso(type=BODY, **{BODY: NAME})),
    "odd time": json.dumps(kapso(timestamp=BODY)),
    "odd text": json.dumps(kapso(text=[NAME, BODY])),
    "no sender": json.dumps(kapso(**{"from": NAME})),
    "a NUL": json.dumps(kapso(text={"body": BODY + "\x00"})),
    "half a character": json.dumps(kapso(text={"body": BODY + "\ud83d"})),
    "no object": json.dumps([BODY, NAME]),
    "cut off": json.dumps(kapso())[:-9],
    "not UTF-8": json.dumps(kapso()).encode() + b"\xff",
}


@pytest.mark.parametrize("body", KAPSO.values(), ids=list(KAPSO))
async def test_kapso(client, people, heard, body):
    raw = body if isinstance(body, bytes) else body.encode()
    channel = people.channel
    headers = {"X-Webhook-Event": "whatsapp.message.received", "X-Idempotency-Key": unique(NAME)}
    for signature in (kapso_signature(KAPSO_SECRET, raw), "0" * 64):
        for slug in (channel.slug, unique("geheimtext")):
            given = {**headers, "X-Webhook-Signature": signature}
            await client.post(f"/webhooks/kapso/{slug}", content=raw, headers=given)
    assert await sync_to_async(Delivery.objects.filter(channel_id=channel.pk).count)() == 1
    await sync_to_async(run_everything)(people.workspace.pk)


TWILIO = {
    "sms": {"Body": BODY, "From": f"+{DIGITS}"},
    "media": {"Body": BODY, "From": f"+{DIGITS}", "NumMedia": "1", "MediaContentType0": "image/png"},
    "odd": {"Body": BODY, "From": NAME, "NumMedia": BODY},
    "stop": {"Body": "STOP", "From": f"+{DIGITS}", "OptOutType": "STOP"},
    "status": {"To": f"+{DIGITS}", "MessageStatus": "failed", "ErrorCode": "30003", "ErrorMessage": BODY},
}


@pytest.mark.parametrize("form", TWILIO.values(), ids=list(TWILIO))
async def test_twilio(client, people, form):
    line = await sync_to_async(twilio_calls.make_line)(people)
    media = {"MediaUrl0": f"https://93.184.216.34/{BODY}"} if form.get("NumMedia") == "1" else {}
    await twilio_calls.call(client, line, twilio_calls.sms(ProfileName=NAME, **{**form, **media}))
    await client.post(f"/webhooks/twilio/{line.slug}", data=form, headers={"X-Twilio-Signature": BODY})
    assert await sync_to_async(Delivery.objects.filter(channel_id=line.pk).count)() == 1
    await sync_to_async(run_everything)(people.workspace.pk)


def standard(body: bytes) -> dict[str, str]:
    now, message_id = datetime.now(UTC), unique("msg")
    signature = Webhook(STANDARD_SECRET).sign(message_id, now, body.decode("latin-1"))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }


def by_stripe(body: bytes) -> dict[str, str]:
    now = int(datetime.now(UTC).timestamp())
    signature = stripe.WebhookSignature._compute_signature(f"{now}.{body.decode('latin-1')}", STRIPE_SECRET)
    return {"Stripe-Signature": f"t={now},v1={signature}"}


PERSON = {
    "id": "user_marked",
    "first_name": NAME,
    "email_addresses": [{"id": "idn_1", "email_address": EMAIL, "verification": {"status": "verified"}}],
    "primary_email_address_id": "idn_1",
    "phone_numbers": [{"id": "idn_2", "phone_number": f"+{DIGITS}"}],
    "private_metadata": {"note": BODY},
    "updated_at": 1763668790000,
    "created_at": 1763668790000,
}
CUSTOMER = {"id": "cus_1", "object": "customer", "email": EMAIL, "name": NAME, "phone": f"+{DIGITS}"}
INVOICE = {"id": "in_1", "object": "invoice", "customer": "cus_1", "customer_email": EMAIL, "customer_name": NAME}
SCORE = {"submission_id": "s-1", "quiz_code": "MARKED", "exam_id": "e", "nickname": NAME, "score": 1, "max_score": 2}


def stripe_event(kind: str, about: object) -> dict[str, Any]:
    return {"id": unique("evt"), "object": "event", "type": kind, "created": 1763668790, "data": {"object": about}}


INSTALLATION: dict[str, tuple[str, Any]] = {
    "a user": ("identity", {"type": "user.created", "object": "event", "data": PERSON}),
    "a user without an id": ("identity", {"type": "user.updated", "object": "event", "data": {**PERSON, "id": None}}),
    "an odd user": ("identity", {"type": "user.updated", "data": [NAME, EMAIL]}),
    "identity, no object": ("identity", BODY),
    "a customer": (
        "stripe",
        {"id": "evt_1", "object": "event", "type": "customer.updated", "data": {"object": CUSTOMER}},
    ),
    "an invoice": ("stripe", stripe_event("invoice.payment_failed", INVOICE)),
    "an odd event": ("stripe", stripe_event("customer.created", NAME)),
    "stripe, no object": ("stripe", [BODY]),
    "a score": ("scores", {**SCORE, "submitted_at": "2026-01-01T00:00:00Z"}),
    "an odd score": ("scores", {**SCORE, "score": BODY, "submitted_at": NAME}),
    "scores, no object": ("scores", [BODY]),
}


@pytest.mark.parametrize(("road", "event"), INSTALLATION.values(), ids=list(INSTALLATION))
async def test_stripe_identity_and_scores(client, people, settings, road, event):
    settings.STRIPE_WORKSPACE = settings.IDENTITY_WORKSPACE = people.workspace.slug
    for body in (json.dumps(event).encode(), json.dumps(event).encode()[:-3]):
        signed = by_stripe(body) if road == "stripe" else standard(body)
        answer = await client.post(f"/webhooks/{road}", content=body, headers=signed)
        if answer.status_code == 404:
            pytest.skip("this road is not there")
        assert answer.status_code in {200, 400}
        await client.post(f"/webhooks/{road}", content=body)
    await sync_to_async(run_everything)(people.workspace.pk)


# --- What breaks ----------------------------------------------------------------------------------------------------


def quoting() -> Exception:
    try:
        raise KeyError(NAME)
    except KeyError as cause:
        error = ValueError(f"cannot use {BODY} of {NAME} ({DIGITS}, {EMAIL})")
        error.__cause__ = cause
        return error


def twice_the_same_number(*_: object, **__: object) -> None:
    """The database's own words quote the row."""
    cast = make_cast()
    thread = receive(cast)
    with transaction.atomic():
        for _attempt in range(2):
            ContactIdentity.objects.create(
                workspace=cast.workspace, contact=thread.contact, kind="phone", value=f"+{DIGITS}"
            )


def raise_it(*_: object, **__: object) -> None:
    raise quoting()


@pytest.mark.parametrize("breaks", [raise_it, twice_the_same_number])
async def test_a_job_that_raises(client, people, heard, monkeypatch, breaks):
    monkeypatch.setattr("webhooks.services.kapso.receive", breaks)
    raw = json.dumps(kapso()).encode()
    signed = {"X-Webhook-Signature": kapso_signature(KAPSO_SECRET, raw)}
    await client.post(f"/webhooks/kapso/{people.channel.slug}", content=raw, headers=signed)
    await sync_to_async(run_everything)(people.workspace.pk, 9)
    assert heard.has("job_put_back")
    assert heard.has("job_failed")


async def test_a_road_that_raises(client, people, heard, monkeypatch):
    monkeypatch.setattr("webhooks.kapso.road.keep", raise_it)
    raw = json.dumps(kapso()).encode()
    signed = {"X-Webhook-Signature": kapso_signature(KAPSO_SECRET, raw)}
    answer = await client.post(f"/webhooks/kapso/{people.channel.slug}", content=raw, headers=signed)
    assert answer.status_code == 500
    assert heard.has("hot road failed")


@pytest.mark.parametrize("breaks", [raise_it, twice_the_same_number])
def test_a_view_that_raises(cast, heard, monkeypatch, breaks):
    monkeypatch.setattr("inbox.services.messages.send_message", breaks)
    thread = receive(cast, BODY)
    answer = (
        Api(cast.ben)
        .of(cast.workspace.slug)
        .post(f"conversations/{thread.pk}/messages/", {"client_id": str(uuid4()), "body": BODY})
    )
    assert answer.status_code == 500
    assert BODY not in answer.content.decode()
    assert heard.has("Internal Server Error")


def test_requests_that_are_refused(cast):
    ben = Api(cast.ben).of(cast.workspace.slug)
    thread = receive(cast, BODY, who=sender(DIGITS, NAME))
    ben.post(f"conversations/{thread.pk}/messages/", {"client_id": BODY, "body": BODY})
    ben.post(f"conversations/{thread.pk}/messages/", f'{{"body": "{BODY}')
    ben.post(f"conversations/{uuid7()}/messages/", {"client_id": str(uuid4()), "body": BODY})
    ben.get("conversations/", search=BODY, status=NAME)
    ben.get("contacts/by-phone", phone=f"+{DIGITS}")
    Api().of(cast.workspace.slug).get("contacts/context", phone=f"+{DIGITS}")
    Api(cast.cleo).of(cast.workspace.slug).get("conversations/", search=BODY)
    Api()._client.post("/login", {"email": EMAIL, "password": "verschlusssache"})
    Api()._client.post("/auth/v1/token?grant_type=password", {"email": EMAIL, "password": "verschlusssache"})


@pytest.mark.parametrize("kind", ["kapso", "twilio"])
def test_a_send_that_the_provider_refuses(cast, kind):
    channel = cast.channel if kind == "kapso" else twilio_calls.make_line(cast)
    thread = receive(cast, BODY, channel=channel, who=sender(DIGITS, NAME))
    try:
        send_message(actor=cast.actor(cast.ben), conversation_id=thread.pk, client_id=uuid4(), body=BODY)
    except Exception as refused:
        pytest.skip(f"this channel cannot send: {type(refused).__name__}")
    assert "inbox.deliver_message" in run_everything(cast.workspace.pk, 9)


@pytest.mark.parametrize("status", [500, 410, 200])
def test_a_subscriber_who_refuses(cast, heard, status):
    with refusing(status) as url:
        subscriptions.create_subscription(actor=cast.actor(cast.ada), url=f"{url}/{EMAIL}?token=verschlusssache")
        receive(cast, BODY, who=sender(DIGITS, NAME))
        fanout.dispatch(workspace_id=cast.workspace.pk)
        ran = run_everything(cast.workspace.pk)
    assert fanout.CALL in ran
    assert heard.has("provider_called")


def test_the_database_texts_are_left_out_and_the_place_is_told(heard):
    for breaks in (raise_it, twice_the_same_number):
        try:
            breaks()
        except Exception:
            logging.getLogger("config").exception("broken")
    assert heard.has("ValueError at")
    assert heard.has("IntegrityError 23505")
    assert heard.has("KeyError")


def test_what_ends_a_thread_is_told_in_the_same_form(heard, monkeypatch):
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    hear_threads()
    thread = threading.Thread(target=raise_it)
    thread.start()
    thread.join()
    assert heard.has("a thread ended")
    assert heard.has("ValueError at")


async def test_what_ends_a_task_is_told_without_its_words(heard):
    loop = asyncio.get_running_loop()
    task = loop.create_task(sync_to_async(raise_it)())
    await asyncio.wait([task])
    del task
    gc.collect()
    assert heard.has("Task exception was never retrieved")
