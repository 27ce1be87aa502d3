"""Replies of every kind over both providers: what leaves, what is refused before anybody is asked, what is shown."""

import io
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.utils import timezone

from inbox.models import Attachment, Channel, ChannelPace, Message, MessageTemplate, OptOut
from inbox.services import outbox
from inbox.services.attachments import upload
from inbox.services.presence import tell_typing
from inbox.states import ChannelKind
from jobs.models import Job
from tests.api import Api
from tests.cast import Cast, long_ago, make_channel, receive, sender, unique
from tests.inbox.providers import Providers, providers
from tests.jobs_at_hand import run_job

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xdc\xccY\xe7\x00\x00\x00\x00IEND\xaeB`\x82"
)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def world(settings) -> Iterator[Providers]:
    with providers(settings) as made:
        yield made


@pytest.fixture
def twilio(cast: Cast) -> Channel:
    channel = make_channel(cast.workspace, ChannelKind.TWILIO)
    channel.identifier, channel.phone = "AC00000000000000000000000000000001", "+15550100002"
    channel.credentials = {"auth_tokens": ["first-token", "old-token"]}
    channel.save()
    return channel


def sms(cast: Cast, channel: Channel, **given):
    who = sender()
    return receive(cast, channel=channel, who=who, peer_address=f"+{who.whatsapp}", **given)


def whatsapp(cast: Cast, channel: Channel, **given):
    who = sender()
    return receive(cast, channel=channel, who=who, peer_address=f"whatsapp:+{who.whatsapp}", **given)


def post(cast: Cast, conversation, **body):
    api = Api(cast.ben).of(cast.workspace.slug)
    return api.post(f"conversations/{conversation.pk}/messages/", {"client_id": str(uuid4()), **body})


def run(message_id: str) -> Message:
    run_job(Job.objects.filter(key__startswith=f"send:{message_id}:").latest("id").pk)
    return Message.objects.get(pk=message_id)


def file(cast: Cast, content: bytes = PNG, name: str = "p.png", kind: str = "image/png") -> str:
    made = upload(actor=cast.actor(cast.ben), content=io.BytesIO(content), size=len(content), name=name, declared=kind)
    return str(made.pk)


def template(channel: Channel, **given) -> MessageTemplate:
    values = {
        "name": unique("reminder"),
        "language": "en_US",
        "provider_id": "HX00000000000000000000000000000001",
        "status": "approved",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Class {{1}}"},
            {"type": "BODY", "text": "Hi {{1}}, see you {{2}}."},
            {"type": "FOOTER", "text": "The school"},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "More", "url": "https://s.example/{{1}}"}]},
        ],
        "variables": [
            {"key": "header.1", "where": "header", "name": "1", "example": "A1"},
            {"key": "body.1", "where": "body", "name": "1", "example": "Ada"},
            {"key": "body.2", "where": "body", "name": "2", "example": "at nine"},
            {"key": "button.0", "where": "button", "name": "url", "index": 0, "sub_type": "url", "example": ""},
        ],
        **given,
    }
    return MessageTemplate.objects.create(
        workspace_id=channel.workspace_id, channel=channel, synced_at=timezone.now(), **values
    )


# --- Twilio -------------------------------------------------------------------------------------------------


def test_an_sms_leaves_as_twilio_documents_it(cast, twilio, world):
    conversation = sms(cast, twilio)
    answer = post(cast, conversation, body="Sí, claro & más")

    message = run(answer.json()["id"])

    (call,) = world.asked
    assert call["path"] == f"/2010-04-01/Accounts/{twilio.identifier}/Messages.json"
    assert call["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert (call["From"], call["To"], call["Body"]) == ("+15550100002", conversation.peer_address, "Sí, claro & más")
    assert call["StatusCallback"].endswith(f"/webhooks/twilio/{twilio.slug}/status#rc=5&rp=all")
    assert call["headers"]["authorization"].startswith("Basic ")
    assert (message.status, message.provider_id) == ("sent", world.accepted[0]["sid"])


def test_whatsapp_at_twilio_speaks_from_a_whatsapp_address_and_has_a_window(cast, twilio, world):
    run(post(cast, whatsapp(cast, twilio), body="Hola").json()["id"])
    assert world.asked[0]["From"] == "whatsapp:+15550100002"

    late = whatsapp(cast, twilio, at=long_ago(hours=25))
    template(twilio)
    refused = post(cast, late, body="Hola")
    assert (refused.status_code, refused.json()["code"]) == (409, "window_closed")
    assert refused.json()["closes_at"]
    assert [one["language"] for one in refused.json()["templates"]] == ["en_US"]
    assert post(cast, sms(cast, twilio, at=long_ago(hours=25)), body="Hola").status_code == 201


def test_a_messaging_service_and_an_api_key_take_the_place_of_number_and_token(cast, twilio, world):
    twilio.settings = {"messaging_service_sid": "MG00000000000000000000000000000001"}
    twilio.credentials = {"api_key_sid": "SK1", "api_key_secret": "s", "auth_tokens": ["t"]}
    twilio.save()

    run(post(cast, sms(cast, twilio), body="Hola").json()["id"])

    assert world.asked[0]["MessagingServiceSid"] == "MG00000000000000000000000000000001"
    assert "From" not in world.asked[0]
    assert world.asked[0]["headers"]["authorization"] == "Basic U0sxOnM="


def test_a_content_template_leaves_by_its_sid_with_its_variables(cast, twilio, world):
    known = template(
        twilio,
        components={"twilio/text": {"body": "Hi {{1}}, at {{2}}"}},
        variables=[
            {"key": "body.1", "where": "body", "name": "1", "example": "Ada"},
            {"key": "body.2", "where": "body", "name": "2", "example": ""},
        ],
    )
    conversation = whatsapp(cast, twilio, at=long_ago(hours=30))
    chosen = {"name": known.name, "language": known.language, "variables": {"1": "Lucía", "body.2": "nine"}}

    answer = post(cast, conversation, type="template", template=chosen)

    assert answer.status_code == 201, answer.json()
    assert (answer.json()["type"], answer.json()["body"]) == ("template", "Hi Lucía, at nine")
    assert run(answer.json()["id"]).status == "sent"
    assert (world.asked[0]["ContentSid"], world.asked[0]["ContentVariables"]) == (
        known.provider_id,
        '{"1":"Lucía","2":"nine"}',
    )
    assert "Body" not in world.asked[0]


def test_one_sms_carries_all_files_by_links_that_open(cast, twilio, world):
    ids = [file(cast), file(cast, PDF, "a.pdf", "application/pdf")]
    answer = post(cast, sms(cast, twilio), type="image", body="Two", attachments=ids)
    assert [one["id"] for one in answer.json()["attachments"]] == ids

    run(answer.json()["id"])

    assert len(world.asked[0]["MediaUrl"]) == 2
    assert all(link.startswith("http") for link in world.asked[0]["MediaUrl"])
    assert world.asked[0]["Body"] == "Two"


def test_the_provider_s_stop_is_remembered(cast, twilio, world):
    conversation = sms(cast, twilio)
    world.plan = ["21610"]
    message = run(post(cast, conversation, body="Hola").json()["id"])
    assert (message.status, message.error_code) == ("failed", "21610")

    refused = post(cast, conversation, body="Hola?")
    assert (refused.status_code, refused.json()["code"]) == (409, "opted_out")
    assert world.calls == 1
    OptOut.objects.filter(channel=twilio).update(opted_in_at=timezone.now())
    assert post(cast, conversation, body="Hola!").status_code == 201


# --- Kapso ----------------------------------------------------------------------------------------------------


def test_a_file_is_uploaded_and_sent_by_its_id(cast, world):
    conversation = receive(cast)
    answer = post(cast, conversation, type="image", body="Look", attachments=[file(cast)])

    run(answer.json()["id"])

    uploaded, sent = world.asked
    assert uploaded["path"].endswith("/100000000000001/media")
    assert PNG in uploaded["body"]
    assert b'name="messaging_product"\r\n\r\nwhatsapp' in uploaded["body"]
    assert (sent["type"], sent["image"]) == ("image", {"id": "media-1", "caption": "Look"})


def test_several_files_are_several_messages_in_order_and_all_leave(cast, world):
    ids = [file(cast), file(cast, PDF, "a.pdf", "application/pdf"), file(cast)]
    client_id = str(uuid4())
    conversation = receive(cast)
    answer = post(cast, conversation, type="image", body="All", attachments=ids, client_id=client_id)
    again = post(cast, conversation, type="image", body="All", attachments=ids, client_id=client_id)
    other = post(cast, conversation, type="image", body="All", attachments=ids[:2], client_id=client_id)

    assert (answer.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert again.json()["id"] == answer.json()["id"]
    made = list(Message.objects.filter(conversation=conversation, direction="out").order_by("pk"))
    assert [(one.type, one.body) for one in made] == [("image", "All"), ("document", ""), ("image", "")]
    for message in made:
        assert run(str(message.pk)).status == "sent"
    sent = [one for one in world.asked if "type" in one and "to" in one]
    assert [one["type"] for one in sent] == ["image", "document", "image"]
    assert sent[1]["document"]["filename"] == "a.pdf"


def test_a_file_belongs_to_who_uploaded_it_and_goes_once(cast, world):
    attachment = file(cast)
    conversation = receive(cast)
    stranger = Api(cast.bea).of(cast.workspace.slug)
    body = {"client_id": str(uuid4()), "type": "image", "attachments": [attachment]}
    assert stranger.post(f"conversations/{conversation.pk}/messages/", body).status_code == 400
    assert post(cast, conversation, type="image", attachments=[attachment]).status_code == 201
    assert post(cast, conversation, type="image", attachments=[attachment]).status_code == 400


def test_a_reply_and_a_reaction_name_the_message_they_are_about(cast, world):
    conversation = receive(cast)
    asked = Message.objects.get(conversation=conversation)

    reply = post(cast, conversation, body="Sí", reply_to=str(asked.pk))
    run(reply.json()["id"])
    reaction = post(cast, conversation, type="reaction", body="👍", reply_to=str(asked.pk))
    run(reaction.json()["id"])
    gone = post(cast, conversation, type="reaction", body="", reply_to=str(asked.pk))
    run(gone.json()["id"])

    assert reply.json()["reply_to"] == str(asked.pk)
    assert world.asked[0]["context"] == {"message_id": asked.provider_id}
    assert world.asked[1]["reaction"] == {"message_id": asked.provider_id, "emoji": "👍"}
    assert world.asked[2]["reaction"] == {"message_id": asked.provider_id, "emoji": ""}
    conversation.refresh_from_db()
    assert str(conversation.last_message_id) == reply.json()["id"]
    shown = Message.objects.filter(conversation=conversation, type="reaction", deleted_at=None)
    assert not shown.exists()  # the last one took the first one back


def test_a_template_leaves_with_every_blank_where_it_belongs(cast, world):
    known = template(cast.channel)
    conversation = receive(cast, at=long_ago(hours=30))
    variables = {"header.1": "B2", "body.1": "Ada", "body.2": "at nine", "button.0": "42"}

    answer = post(
        cast, conversation, type="template", template={"name": known.name, "language": "en_US", "variables": variables}
    )
    run(answer.json()["id"])

    assert answer.json()["body"] == "Class B2\nHi Ada, see you at nine.\nThe school"
    assert world.asked[0]["template"] == {
        "name": known.name,
        "language": {"code": "en_US"},
        "components": [
            {"type": "header", "parameters": [{"type": "text", "text": "B2"}]},
            {"type": "body", "parameters": [{"type": "text", "text": "Ada"}, {"type": "text", "text": "at nine"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "42"}]},
        ],
    }


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"body.2": ""}, "body.2"),
        ({"body.2": "  "}, "body.2"),
        ({"body.2": "one\ntwo"}, "body.2"),
        ({"body.2": "one\ttwo"}, "body.2"),
        ({"body.2": "one     two"}, "body.2"),
        ({"body.9": "x"}, "body.9"),
    ],
)
def test_a_template_that_is_not_filled_in_is_refused_blank_by_blank(cast, changes, key):
    known = template(cast.channel)
    variables = {"header.1": "B2", "body.1": "Ada", "body.2": "at nine", "button.0": "42"} | changes
    chosen = {"name": known.name, "language": "en_US", "variables": variables}
    answer = post(cast, receive(cast), type="template", template=chosen)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [key])


def test_reading_and_typing_reach_the_customer_once(cast, world):
    conversation = receive(cast)
    asked = Message.objects.get(conversation=conversation)
    api = Api(cast.ben).of(cast.workspace.slug)
    api.post(f"conversations/{conversation.pk}/read", {})
    api.post(f"conversations/{conversation.pk}/read", {})
    for _ in range(3):
        assert api.post(f"conversations/{conversation.pk}/typing").status_code == 204
    for job in Job.objects.filter(
        workspace_id=cast.workspace.pk, type__in=["inbox.mark_read_at_provider", "inbox.show_typing"]
    ):
        run_job(job.pk)

    read = {"messaging_product": "whatsapp", "status": "read", "message_id": asked.provider_id}
    said = [{name: one[name] for name in one if name not in {"path", "headers"}} for one in world.asked]
    assert said == [read, read | {"typing_indicator": {"type": "text"}}]


def test_a_channel_may_keep_its_reading_to_itself(cast, world):
    cast.channel.settings = {"send_read_receipts": False}
    cast.channel.save()
    conversation = receive(cast)
    Api(cast.ben).of(cast.workspace.slug).post(f"conversations/{conversation.pk}/read", {})
    tell_typing(actor=cast.actor(cast.ben), conversation_id=conversation.pk)
    assert not Job.objects.filter(
        workspace_id=cast.workspace.pk, type__in=["inbox.mark_read_at_provider", "inbox.show_typing"]
    ).exists()


# --- Refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"type": "text", "body": ""},
        {"type": "image"},
        {"type": "template"},
        {"type": "reaction", "body": "👍"},
        {"type": "carrier-pigeon", "body": "x"},
        {"type": "image", "attachments": ["0198de30-0000-7000-8000-000000000001"]},
        {"type": "text", "body": "x", "template": {"name": "a", "language": "en"}},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(cast, body):
    assert post(cast, receive(cast), **body).status_code == 400


def test_a_file_that_the_channel_does_not_take_is_refused_before_it_is_sent(cast):
    attachment = file(cast)
    Attachment.objects.filter(pk=attachment).update(size=200 * 1024 * 1024)
    answer = post(cast, receive(cast), type="image", attachments=[attachment])
    assert answer.status_code == 400
    assert "attachments" in answer.json()["errors"]


def test_a_throttled_channel_waits_and_others_do_not(cast, twilio, world):
    first, second = (post(cast, sms(cast, twilio), body=f"Hola {n}").json()["id"] for n in range(2))
    world.plan = ["429"]
    assert run(first).status == "queued"
    assert run(second).status == "queued"
    assert world.calls == 1
    job = Job.objects.get(key=f"send:{first}:0")
    assert (job.status, job.attempts) == ("pending", 0)
    assert run(post(cast, receive(cast), body="Elsewhere").json()["id"]).status == "sent"
    ChannelPace.objects.filter(pk=twilio.pk).update(held_until=None)
    assert run(first).status == "sent"


def test_a_channel_keeps_its_own_pace_in_the_order_of_asking(cast, world):
    cast.channel.settings = {"rate": 0.5}
    cast.channel.save()
    ids = [post(cast, receive(cast), body=f"Hola {n}").json()["id"] for n in range(3)]
    assert [run(one).status for one in ids] == ["sent", "queued", "queued"]
    turns = list(Message.objects.filter(pk__in=ids).order_by("pk").values_list("send_after", flat=True))
    assert turns[0] is None
    assert 1.5 < (turns[2] - turns[1]).total_seconds() < 2.5
    assert world.calls == 1
    Message.objects.filter(pk=ids[1]).update(send_after=long_ago(seconds=1))
    assert run(ids[1]).status == "sent"


def test_what_was_queued_in_time_is_not_sent_when_the_window_closed_meanwhile(cast, world):
    conversation = receive(cast)
    answer = post(cast, conversation, body="Hola")
    type(conversation).objects.filter(pk=conversation.pk).update(last_inbound_at=long_ago(hours=25))
    message = run(answer.json()["id"])
    assert (message.status, message.error_code, world.calls) == ("failed", "window_closed", 0)


@pytest.mark.parametrize("kind", [ChannelKind.KAPSO, ChannelKind.TWILIO])
def test_killed_between_acceptance_and_commit_it_is_looked_up_and_not_sent_twice(cast, twilio, world, kind):
    conversation = receive(cast) if kind == ChannelKind.KAPSO else sms(cast, twilio)
    message_id = post(cast, conversation, body=unique("Hola")).json()["id"]
    plan = outbox.begin(message_id=message_id, attempt=0)
    assert plan
    plan.client.send(plan.outgoing)  # accepted, and the worker is gone

    message = run(message_id)

    assert (message.status, message.provider_id) == ("sent", world.accepted[0]["sid"])
    assert (world.calls, world.lists) == (1, 1)
