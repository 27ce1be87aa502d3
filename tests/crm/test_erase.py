"""Everything about one contact is handed out and erased, and nothing of it returns."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone

from config.live.models import LiveEvent
from crm.models import AuditEntry, Contact, ContactImport, ContactNote, ErasedTrace, Erasure, ImportState
from crm.services.erasure import erase_contact
from crm.services.merging import merge_contacts
from inbox.models import Attachment, AttachmentState, Conversation, Message, PlannedMessage
from inbox.services import changes
from inbox.services.inbound import receive_message
from jobs import engine
from jobs.models import Job
from tests.api import Api
from tests.cast import incoming, receive, sender, unique
from tests.jobs_at_hand import hold, run_job
from webhooks.models import Delivery, DeliveryState
from webhooks.services import kapso

pytestmark = pytest.mark.usefixtures("own_issuer")


@pytest.fixture
def ada(cast):
    return Api(cast.ada).of(cast.workspace.slug)


def tables_with(text: str) -> list[str]:
    """Every table of ours with the text in one of its rows, whatever the column."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_name from information_schema.tables "
            "where table_schema = 'public' and table_type = 'BASE TABLE'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'select count(*) from "{table}" as held where held::text like %s', [f"%{text}%"])
            if cursor.fetchone()[0]:
                found.append(table)
    return found


def keep_delivery(cast, who, provider_id: str, words: str) -> Delivery:
    body = {
        "message": {
            "id": provider_id,
            "timestamp": str(int(timezone.now().timestamp())),
            "type": "text",
            "text": {"body": words},
            "from": who.whatsapp,
            "kapso": {"direction": "inbound", "status": "received"},
        },
        "conversation": {"id": "c", "phone_number": f"+{who.whatsapp}", "contact_name": "Lucía"},
        "phone_number_id": cast.channel.identifier,
    }
    return Delivery.objects.create(
        provider="kapso",
        channel_id=cast.channel.pk,
        workspace_id=cast.workspace.pk,
        event_key=unique("key"),
        event="whatsapp.message.received",
        headers={"x-webhook-event": "whatsapp.message.received"},
        body=json.dumps(body).encode(),
        state=DeliveryState.APPLIED,
    )


def run_jobs(cast, *types: str) -> None:
    for job in Job.objects.filter(workspace_id=cast.workspace.pk, type__in=types, status="pending").order_by("id"):
        run_job(job.pk)


AFTER_AN_ERASURE = ("crm.forget_events", "crm.remove_files", "webhooks.blank_journal")


def test_nothing_of_an_erased_contact_is_left_and_a_replay_brings_nothing_back(cast, ada):
    word = f"secret{uuid4().hex[:10]}"
    who, other = sender(name=f"Name {word}"), sender(name=f"Other {word}")
    provider_id = unique("wamid")
    delivery = keep_delivery(cast, who, provider_id, word)
    assert "message_id" in kapso.receive(delivery_id=delivery.pk, position=0)
    conversation = Conversation.objects.get(messages__provider_id=provider_id)
    contact = conversation.contact
    receive(cast, word, who=other)
    merged = Contact.objects.get(identities__kind="whatsapp", identities__value=other.whatsapp)
    merge_contacts(actor=cast.actor(cast.ada), winner_id=contact.pk, loser_id=merged.pk)
    ContactNote.objects.create(workspace=cast.workspace, contact=contact, body=word)
    stored = default_storage.save(f"{cast.workspace.pk}/{uuid4().hex}", ContentFile(b"picture"))
    Attachment.objects.create(
        workspace=cast.workspace,
        message=conversation.messages.first(),
        kind="image",
        state=AttachmentState.STORED,
        storage_name=stored,
        position=5,
    )
    assert {"crm_contact", "inbox_message", "live_event", "webhooks_delivery"} <= set(tables_with(word)) | {
        "webhooks_delivery"
    }

    answer = ada.post(f"contacts/{contact.pk}/erase", {"confirm": "erase"})
    assert answer.status_code == 200, answer.content
    run_jobs(cast, *AFTER_AN_ERASURE)

    assert tables_with(word) == []
    assert tables_with(who.whatsapp) == []
    assert tables_with(provider_id) == []
    delivery.refresh_from_db()
    assert (bytes(delivery.body), delivery.outcome["erased"]) == (b"", True)
    assert not default_storage.exists(stored)
    assert not Job.objects.filter(workspace_id=cast.workspace.pk, type="webhooks.blank_journal").exclude(payload={})
    erasure = Erasure.objects.get(workspace=cast.workspace)
    assert erasure.contact_ref == contact.pk
    assert erasure.rows["inbox_message"] == 2
    assert AuditEntry.objects.filter(workspace=cast.workspace, action="contact.erased").count() == 1

    again = keep_delivery(cast, who, provider_id, word)
    assert kapso.receive(delivery_id=again.pk, position=0) == {"erased": True}
    assert not Contact.objects.filter(workspace=cast.workspace).exists()
    # A new message from the same number begins anew.
    fresh = receive(cast, "hello again", who=who)
    assert fresh.contact_id != contact.pk
    assert fresh.inbound_count == 1


def test_what_is_said_later_of_an_erased_message_changes_nothing(cast):
    who = sender()
    message = receive_message(actor=cast.system, channel=cast.channel, incoming=incoming(who=who))
    contact_id = message.conversation.contact_id
    erase_contact(actor=cast.actor(cast.ada), contact_id=contact_id)
    change = changes.Change(provider_id=message.provider_id, at=timezone.now())
    unseen = incoming(who=who, provider_id=message.provider_id)
    assert not changes.edit_message(actor=cast.system, channel=cast.channel, change=change, body="x", unseen=unseen)
    assert not changes.edit_message(actor=cast.system, channel=cast.channel, change=change, body="x", unseen=None)
    assert not changes.delete_message(actor=cast.system, channel=cast.channel, change=change, person=who)
    assert not Contact.objects.filter(workspace=cast.workspace).exists()
    assert ErasedTrace.objects.filter(workspace=cast.workspace).count() == 1


def test_other_peoples_rows_and_events_stay(cast):
    mine, other = receive(cast, "mine"), receive(cast, "other")
    erase_contact(actor=cast.actor(cast.ada), contact_id=mine.contact_id)
    run_jobs(cast, *AFTER_AN_ERASURE)
    assert list(Message.objects.filter(workspace=cast.workspace)) == [other.messages.get()]
    events = LiveEvent.objects.filter(topic=f"inbox.{cast.workspace.slug}")
    assert any(str(other.pk) in event.data for event in events)
    gone = [event for event in events if str(mine.pk) in event.data]
    assert [json.loads(event.data)["deleted"] for event in gone] == [True]


def test_an_erasure_is_for_admins_and_says_what_it_waits_for(cast, ada):
    conversation = receive(cast)
    path = f"contacts/{conversation.contact_id}/erase"
    slug = cast.workspace.slug
    assert Api(cast.cleo).of(slug).post(path, {"confirm": "erase"}).status_code == 404
    assert Api(cast.ben).of(slug).post(path, {"confirm": "erase"}).status_code == 403
    assert Api(cast.vic).of(slug).post(path, {"confirm": "erase"}).status_code == 403
    assert ada.post(path, {}).status_code == 400
    running = ContactImport.objects.create(
        workspace=cast.workspace, filename="x", storage_name="x", size=1, state=ImportState.RUNNING
    )
    refused = ada.post(path, {"confirm": "erase"})
    assert (refused.status_code, refused.json()["code"]) == (409, "import_running")
    running.delete()
    message = Message.objects.create(
        workspace=cast.workspace,
        conversation=conversation,
        channel=conversation.channel,
        direction="out",
        sender_kind="member",
        status="sending",
        sending_since=timezone.now() - timedelta(seconds=1),
    )
    refused = ada.post(path, {"confirm": "erase"})
    assert (refused.status_code, refused.json()["code"]) == (409, "message_under_way")
    message.delete()
    assert ada.post(path, {"confirm": "erase"}).status_code == 200
    assert ada.post(path, {"confirm": "erase"}).status_code == 404


def test_a_queued_message_of_an_erased_contact_is_not_sent(cast):
    from inbox.services.messages import send_message

    conversation = receive(cast)
    message, _ = send_message(
        actor=cast.actor(cast.ben), conversation_id=conversation.pk, client_id=uuid4(), body="later"
    )
    job = Job.objects.get(key=f"send:{message.pk}:0")
    erase_contact(actor=cast.actor(cast.ada), contact_id=conversation.contact_id)
    engine.run(hold(job.pk))
    job.refresh_from_db()
    assert job.status == "completed"


def test_a_delivery_that_was_erased_is_not_read_anew(cast, ada):
    delivery = keep_delivery(cast, sender(), unique("wamid"), "x")
    Delivery.objects.filter(pk=delivery.pk).update(body=b"", outcome={"erased": True})
    refused = ada.post(f"deliveries/{delivery.pk}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "delivery_erased")


# --- Handed out -------------------------------------------------------------------------------------------------


def archive_of(ada: Api, contact_id: Any) -> zipfile.ZipFile:
    made = ada.post(f"contacts/{contact_id}/exports/").json()
    assert made["state"] == "pending"
    path = f"contacts/{contact_id}/exports/{made['id']}"
    run_job(Job.objects.get(key=f"crm.export_contact:{made['id']}").pk)
    ready = ada.get(path).json()
    assert ready["state"] == "ready", ready
    answer = Client().get(ready["url"].split("/", 3)[3].join(["/", ""]))
    assert answer.status_code == 200
    return zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))


def test_an_archive_has_all_that_is_known_and_its_files(cast, ada):
    who = sender(name="Lucía")
    conversation = receive(cast, "Hola", who=who)
    ContactNote.objects.create(workspace=cast.workspace, contact=conversation.contact, body="prefers mornings")
    stored = default_storage.save(f"{cast.workspace.pk}/{uuid4().hex}", ContentFile(b"picture"))
    Attachment.objects.create(
        workspace=cast.workspace,
        message=conversation.messages.first(),
        kind="image",
        name="me/../x.png",
        state=AttachmentState.STORED,
        storage_name=stored,
    )
    for state, body in (("waiting", "Hasta mañana"), ("taken_back", "")):
        PlannedMessage.objects.create(
            workspace=cast.workspace,
            conversation=conversation,
            user=cast.ben,
            client_id=uuid4(),
            body=body,
            send_at=timezone.now(),
            state=state,
        )
    archive = archive_of(ada, conversation.contact_id)
    assert json.loads(archive.read("contact.json"))[0]["name"] == "Lucía"
    assert who.whatsapp in {one["value"] for one in json.loads(archive.read("identities.json"))}
    assert json.loads(archive.read("notes.json"))[0]["body"] == "prefers mornings"
    (talk,) = json.loads(archive.read("conversations.json"))
    (message,) = talk["messages"]
    assert message["body"] == "Hola"
    (planned,) = talk["planned"]
    assert (planned["body"], planned["sender_name"], planned["status"]) == ("Hasta mañana", "Ben", "waiting")
    assert archive.read(message["files"][0]) == b"picture"
    assert ".." not in message["files"][0].replace("...", "").split("/")


def test_archives_are_for_admins_and_their_links_cannot_be_guessed(cast, ada):
    conversation = receive(cast)
    made = ada.post(f"contacts/{conversation.contact_id}/exports/").json()
    slug = cast.workspace.slug
    for user, status in ((cast.cleo, 404), (cast.ben, 403), (cast.vic, 403), (cast.tia, 404)):
        api = Api(user).of(slug)
        assert api.post(f"contacts/{conversation.contact_id}/exports/").status_code == status
        assert api.get(f"contacts/{conversation.contact_id}/exports/{made['id']}").status_code == status
    other = receive(cast).contact_id
    assert ada.get(f"contacts/{other}/exports/{made['id']}").status_code == 404
    assert Client().get("/contact-exports/x~y.z:1").status_code == 404


# --- Merging over REST ------------------------------------------------------------------------------------------


def test_duplicates_are_listed_merged_undone_and_dismissed(cast):
    ben = Api(cast.ben).of(cast.workspace.slug)
    digits = f"{uuid4().int % 10**7:07d}"
    one = Contact.objects.create(
        workspace=cast.workspace, name="Lucía García", email="l@x.example", phone_normalized=f"+3460{digits}"
    )
    two = Contact.objects.create(
        workspace=cast.workspace, name="Lucia Garcia", email="other@x.example", phone_normalized=f"+3491{digits}"
    )
    three = Contact.objects.create(workspace=cast.workspace, name="L", email="L@x.example")
    Contact.objects.create(workspace=cast.workspace, name="Nobody Else", phone_normalized=f"+4491{digits}")
    found = ben.get("contacts/duplicates").json()
    pairs = {tuple(contact["id"] for contact in row["contacts"]): row["reasons"] for row in found["results"]}
    assert pairs == {(str(one.pk), str(two.pk)): ["name"], (str(one.pk), str(three.pk)): ["email"]}
    assert len(ben.get("contacts/duplicates", contact=str(three.pk)).json()["results"]) == 1
    first_page = ben.get("contacts/duplicates", limit="1").json()
    assert (len(first_page["results"]), first_page["next"] is not None) == (1, True)
    assert (
        len(
            ben.get(
                "contacts/duplicates", limit="1", cursor=first_page["next"].split("cursor=")[1].replace("%2C", ",")
            ).json()["results"]
        )
        == 1
    )

    made = ben.post(f"contacts/{one.pk}/merge", {"from": str(three.pk)})
    assert made.status_code == 201, made.content
    merge = made.json()
    assert (merge["winner"]["id"], merge["collisions"][0]["column"]) == (str(one.pk), "name")
    assert ben.post(f"contacts/{three.pk}/merge", {"into": str(one.pk)}).status_code == 409
    assert ben.get(f"contacts/{three.pk}/").status_code == 404
    assert len(ben.get("contacts/merges/").json()["results"]) == 1
    assert ben.post(f"contacts/merges/{merge['id']}/undo").status_code == 200
    assert ben.post(f"contacts/merges/{merge['id']}/undo").status_code == 409
    # Whoever told them apart is not asked again.
    assert len(ben.get("contacts/duplicates").json()["results"]) == 1
    assert ben.post("contacts/duplicates/dismiss", {"contacts": [str(one.pk), str(two.pk)]}).status_code == 204
    assert ben.get("contacts/duplicates").json()["results"] == []
    assert len(ben.get("contacts/merges/").json()["results"]) == 1


@pytest.mark.parametrize("body", [{}, {"into": "x"}, {"into": str(uuid4()), "from": str(uuid4())}, {"onto": "x"}])
def test_a_wrong_merge_is_refused(cast, body):
    contact = receive(cast).contact
    assert Api(cast.ben).of(cast.workspace.slug).post(f"contacts/{contact.pk}/merge", body).status_code == 400


def test_strangers_and_readers_merge_nothing(cast):
    one, two = receive(cast).contact, receive(cast).contact
    slug = cast.workspace.slug
    ben = Api(cast.ben).of(slug)
    merge = ben.post(f"contacts/{one.pk}/merge", {"from": str(two.pk)}).json()
    assert ben.post(f"contacts/{one.pk}/merge", {"from": str(one.pk)}).status_code == 400
    for user, status in ((cast.cleo, 404), (cast.vic, 403), (cast.tia, 404)):
        api = Api(user).of(slug)
        assert api.post(f"contacts/merges/{merge['id']}/undo").status_code == status
    assert Api(cast.cleo).of(slug).get("contacts/merges/").status_code == 404
    assert Api(cast.cleo).of(slug).get("contacts/duplicates").status_code == 404
    assert Api(cast.tia).of(slug).get("contacts/duplicates").json()["results"] == []
    assert (
        Api(cast.cleo).of(cast.elsewhere.slug).post(f"contacts/{one.pk}/merge", {"from": str(two.pk)}).status_code
        == 404
    )
