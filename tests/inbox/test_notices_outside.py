"""Notices that leave the page: by mail and by push, only to who is not here, and once."""

import base64
import time
from collections.abc import Mapping

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core import mail

from config.live import presence
from crm.presence import shown_as, topic_of
from inbox.models import Notice, PushSubscription
from inbox.notices import webpush
from jobs import http
from jobs.models import Job
from tests.cast import receive, sender, unique
from tests.jobs_at_hand import run_job

VAPID = webpush.encoded((7).to_bytes(32, "big"))


@pytest.fixture
def mailing(settings):
    settings.EMAIL_URL = "memory://"
    mail.outbox.clear()
    return mail.outbox


def jobs_of(cast, type_):
    rows = Job.objects.filter(workspace_id=cast.workspace.pk, type=type_, status="pending").order_by("pk")
    return list(rows.values_list("pk", flat=True))


def run_all(cast, type_):
    for pk in jobs_of(cast, type_):
        run_job(pk)


def arrive(cast, user, state=presence.ACTIVE):
    topic = topic_of("workspace", cast.workspace.slug)
    presence.touch(presence.Here(topic, unique("tab"), shown_as(cast.actor(user)), state))


def give(cast, desk, *, who=None, body="Hello there"):
    conversation = receive(cast, body, who=who or sender())
    desk.ben.post(f"conversations/{conversation.pk}/assign", {"assignee": str(cast.bea.pk)})
    return conversation


def test_several_go_in_one_mail_and_each_once(cast, desk, mailing):
    who = sender()
    conversation = give(cast, desk, who=who)
    receive(cast, "Are you\nthere?", who=who)
    run_all(cast, "inbox.mail_notices")
    (sent,) = [one for one in mailing if one.to == [cast.bea.email]]
    assert "Ben gave you the conversation with Lucía" in sent.body
    assert "> Are you there?" in sent.body
    assert f"/inbox/{conversation.pk}" in sent.body
    assert f"2 notices for you · {cast.workspace.name}" == sent.subject
    receive(cast, "Hello?", who=who)
    run_all(cast, "inbox.mail_notices")
    assert len([one for one in mailing if one.to == [cast.bea.email]]) == 1


@pytest.mark.parametrize("state", [presence.ACTIVE, presence.IDLE])
def test_who_has_a_page_open_gets_no_mail(cast, desk, mailing, state):
    arrive(cast, cast.bea, state)
    give(cast, desk)
    run_all(cast, "inbox.mail_notices")
    assert mailing == []
    assert Notice.objects.filter(user=cast.bea, mailed_at=None).exists()


def test_what_was_read_meanwhile_or_is_not_wanted_by_mail_is_not_mailed(cast, desk, mailing):
    desk.bea.patch("notices/preferences", {"kinds": {"assigned": {"email": False}}})
    give(cast, desk)
    assert jobs_of(cast, "inbox.mail_notices") == []
    desk.bea.patch("notices/preferences", {"kinds": {"assigned": {"email": True}}})
    give(cast, desk)
    desk.bea.post("notices/read", {"all": True})
    run_all(cast, "inbox.mail_notices")
    assert mailing == []


def test_a_mail_server_that_fails_is_asked_again(cast, desk, mailing, monkeypatch):
    give(cast, desk)
    from django.core.mail import EmailMessage

    def fail(self):
        raise ConnectionRefusedError(self.to[0])

    (job,) = jobs_of(cast, "inbox.mail_notices")
    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", fail)
        run_job(job)
    row = Job.objects.get(pk=job)
    assert (row.status, cast.bea.email in str(row.last_error)) == ("pending", False)
    run_job(job)
    assert len(mailing) == 1


# --- Push ------------------------------------------------------------------------------------------------------------


class Peer:
    """A browser, and the service that carries messages to it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.auth = b"0123456789abcdef"
        self.endpoint = f"https://push.example/{unique('to')}"
        self.status = 201
        self.got: list[tuple[Mapping[str, str], bytes]] = []

    @property
    def subscription(self):
        keys = {"p256dh": webpush.encoded(self.point), "auth": webpush.encoded(self.auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def request(self, method, url, *, content, headers, **_):
        assert (method, url) == ("POST", self.endpoint)
        self.got.append((headers, content))
        return http.Response(self.status, {}, b"", "push.example", True)  # type: ignore[arg-type]

    def opened(self, body: bytes) -> bytes:
        salt, size, ours, sealed = body[:16], body[20], body[21:86], body[86:]
        assert (int.from_bytes(body[16:20], "big"), size) == (4096, 65)
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), ours)
        secret = derived(self.key.exchange(ec.ECDH(), theirs), self.auth, b"WebPush: info\0" + self.point + ours, 32)
        key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        return AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\2")


def derived(secret, salt, info, length):
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


@pytest.fixture
def peer(settings, monkeypatch):
    settings.VAPID_PRIVATE_KEY = VAPID
    peer = Peer()
    monkeypatch.setattr(http, "request", peer.request)
    return peer


def test_a_closed_browser_is_woken_with_what_only_it_can_read(cast, desk, peer):
    assert desk.bea.post("notices/push", peer.subscription).json() == {"public_key": webpush.public_key()}
    who = sender()
    conversation = give(cast, desk, who=who)
    receive(cast, "Are you there?", who=who)
    run_all(cast, "inbox.push_notice")
    first, second = [orjson.loads(peer.opened(body)) for _, body in peer.got]
    assert first["title"] == "Ben gave you the conversation with Lucía"
    assert (second["title"], second["body"]) == ("Lucía wrote", "Are you there?")
    assert second["url"] == f"/inbox/{conversation.pk}"
    headers = peer.got[0][0]
    assert (headers["content-encoding"], headers["topic"]) == ("aes128gcm", conversation.pk.hex)
    scheme, token, key = headers["authorization"].replace(",", "").split()
    assert (scheme, key) == ("vapid", f"k={webpush.public_key()}")
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), webpush.decoded(webpush.public_key()))
    claims = jwt.decode(token[2:], public, algorithms=["ES256"], audience="https://push.example")
    assert claims["sub"].startswith("mailto:")
    assert time.time() < claims["exp"] < time.time() + 24 * 3600
    for job in Job.objects.filter(workspace_id=cast.workspace.pk, type="inbox.push_notice"):
        assert "Are you there" not in f"{job.payload}{job.result}"


def test_a_note_about_a_contact_wakes_it_too_and_leads_there(cast, desk, peer):
    desk.bea.post("notices/push", peer.subscription)
    contact = receive(cast).contact
    desk.ben.post(f"contacts/{contact.pk}/notes/", {"body": "See this", "mentions": [str(cast.bea.pk)]})
    run_all(cast, "inbox.push_notice")
    (words,) = [orjson.loads(peer.opened(body)) for _, body in peer.got]
    assert (words["title"], words["body"]) == ("Ben mentioned you about Lucía", "See this")
    assert words["url"] == f"/contacts/{contact.pk}"


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(cast, desk, peer, status):
    desk.bea.post("notices/push", peer.subscription)
    peer.status = status
    give(cast, desk)
    run_all(cast, "inbox.push_notice")
    assert not PushSubscription.objects.filter(user=cast.bea).exists()


def test_a_service_that_is_busy_is_asked_again(cast, desk, peer):
    desk.bea.post("notices/push", peer.subscription)
    peer.status = 429
    give(cast, desk)
    (job,) = jobs_of(cast, "inbox.push_notice")
    run_job(job)
    assert Job.objects.get(pk=job).status == "pending"
    peer.status = 201
    run_job(job)
    assert Job.objects.get(pk=job).status == "completed"


def test_who_is_here_is_not_woken(cast, desk, peer):
    desk.bea.post("notices/push", peer.subscription)
    arrive(cast, cast.bea)
    give(cast, desk)
    run_all(cast, "inbox.push_notice")
    assert peer.got == []


def test_a_browser_belongs_to_who_signed_in_there_last(cast, desk, peer):
    desk.bea.post("notices/push", peer.subscription)
    desk.ben.post("notices/push", peer.subscription)
    known = {"endpoint": peer.endpoint}
    assert desk.bea.post("notices/push/known", known).json() == {"subscribed": False}
    assert desk.ben.post("notices/push/known", known).json() == {"subscribed": True}
    assert desk.bea.post("notices/push/off", known).status_code == 204
    assert PushSubscription.objects.get(user=cast.ben).subscription["endpoint"] == peer.endpoint
    assert desk.ben.post("notices/push/off", known).status_code == 204
    assert not PushSubscription.objects.filter(user=cast.ben).exists()


@pytest.mark.parametrize(
    "change",
    [{"endpoint": "http://push.example/x"}, {"keys": {"p256dh": "AAAA", "auth": "AAAA"}}, {"keys": {}}, {"more": 1}],
    ids=["plain", "keys", "no-keys", "more"],
)
def test_what_no_browser_made_is_refused(desk, peer, change):
    assert desk.bea.post("notices/push", {**peer.subscription, **change}).status_code == 400


def test_without_a_key_there_is_no_push(cast, desk, settings):
    settings.VAPID_PRIVATE_KEY = ""
    assert desk.bea.get("notices/push").json() == {"public_key": ""}
    assert desk.bea.post("notices/push", Peer().subscription).json()["code"] == "push_not_set_up"


def test_the_words_are_sealed_as_the_standard_has_it():
    """The example of RFC 8291, appendix A."""
    to = webpush.Browser(
        "",
        webpush.decoded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        webpush.decoded("BTBZMqHH6r4Tts7J_aSIgg"),
    )
    number = int.from_bytes(webpush.decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    sealed = webpush.sealed(
        b"When I grow up, I want to be a watermelon",
        to,
        salt=webpush.decoded("DGv6ra1nlYgDCS1FRnbzlw"),
        key=ec.derive_private_key(number, ec.SECP256R1()),
    )
    assert base64.urlsafe_b64encode(sealed).rstrip(b"=") == (
        b"DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_worker_is_served_at_the_root(desk):
    answer = desk.bea._client.get("/worker.js")
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert b"notificationclick" in answer.content
