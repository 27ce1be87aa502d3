"""The old database comes here: everything once, at its place in time, and nothing that was done here is undone."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection

from crm.access import member_for
from crm.actors import System
from crm.models import Contact, ContactIdentity, ContactNote, Member, User, UserIdentity, Workspace
from crm.services.contacts import contact_for_sender
from inbox.models import Channel, Conversation, Message
from inbox.queries import get_seen_counts
from inbox.services.inbound import receive_message
from tests.cast import incoming, make_workspace, sender, unique
from tests.inbox.old_system import BEGAN, OldSystem, old_system, run_import


@pytest.fixture
def old():
    with old_system() as system:
        yield system


def desk(old: OldSystem) -> Workspace:
    return Workspace.objects.get(supabase_id=old.workspace)


def versions(old: OldSystem) -> list[tuple[object, ...]]:
    """Every row as Postgres has it, with the transaction that wrote it last."""
    tables = [
        *("crm_workspace", "crm_member", "crm_contact", "crm_contactidentity", "crm_contactnote"),
        *("inbox_channel", "inbox_conversation", "inbox_message", "inbox_conversationreader"),
    ]
    found = []
    workspace = desk(old).pk
    with connection.cursor() as cursor:
        for table in tables:
            column = "id" if table == "crm_workspace" else "workspace_id"
            cursor.execute(
                f"select '{table}', ctid::text, xmin::text, id::text from {table} where {column} = %s", [workspace]
            )
            found += cursor.fetchall()
    return sorted(found)


def furnished(old: OldSystem) -> dict[str, Any]:
    agent = old.member("agent", name="Bea Old")
    owner = old.member("owner")
    contact = old.contact(
        "600 123 456", name="Lucía", tags=["vip", "course"], lead_score=80, metadata={"plan": "a"}, owner_id=agent
    )
    conversation = old.conversation(contact, "active", assigned_agent_id=agent, channel="whatsapp")
    first = old.message(conversation, "¿Hay plazas?", external_id="wamid.A")
    reply = old.message(
        conversation, "Sí, quedan dos", "outbound", sender_type="agent", sender_id=agent, status="read", reply_to=first
    )
    last = old.message(conversation, "请问还有名额吗")
    note = old.add("contact_notes", contact_id=contact, author_id=agent, body="Prefers mornings")
    return {
        "agent": agent,
        "owner": owner,
        "contact": contact,
        "conversation": conversation,
        "first": first,
        "reply": reply,
        "last": last,
        "note": note,
    }


def test_everything_comes_with_its_old_id_at_its_place_in_time(old):
    was = furnished(old)
    said = run_import(old)
    workspace = desk(old)
    assert (workspace.slug, workspace.name, workspace.default_region) == (old.slug, "Old Desk", "ES")
    agent = Member.objects.get(workspace=workspace, user_id=was["agent"])
    assert (agent.role, agent.user.name) == ("agent", "Bea Old")
    assert UserIdentity.objects.get(provider="supabase", subject=str(was["agent"])).user_id == was["agent"]
    contact = Contact.objects.get(supabase_id=was["contact"])
    assert (contact.phone, contact.phone_normalized, contact.name) == ("600 123 456", "+34600123456", "Lucía")
    assert (contact.tags, contact.lead_score, contact.metadata) == (["vip", "course"], 80, {"plan": "a"})
    assert contact.owner_id == was["agent"]
    assert ContactIdentity.objects.filter(contact=contact, kind="match", value="34600123456").exists()
    conversation = Conversation.objects.get(supabase_id=was["conversation"])
    assert (conversation.contact, conversation.status, conversation.assignee_id) == (contact, "open", was["agent"])
    rows = list(Message.objects.filter(conversation=conversation).order_by("pk"))
    assert [row.supabase_id for row in rows] == [was["first"], was["reply"], was["last"]]
    assert [(row.direction, row.sender_kind, row.status) for row in rows] == [
        ("in", "contact", "received"),
        ("out", "member", "read"),
        ("in", "contact", "received"),
    ]
    assert rows[1].reply_to == rows[0]
    assert rows[1].sender_user_id == was["agent"]
    assert all(abs(row.created_at - BEGAN) < timedelta(days=1) for row in rows)
    assert [row.pk.int >> 80 for row in rows] == [int(row.created_at.timestamp() * 1000) for row in rows]
    note = ContactNote.objects.get(supabase_id=was["note"])
    assert (note.contact, note.body, note.author_id) == (contact, "Prefers mornings", was["agent"])
    assert "messages" in said


def test_the_list_shows_what_came_as_if_it_had_come_by_itself_but_nobody_has_it_unread(old):
    was = furnished(old)
    run_import(old)
    conversation = Conversation.objects.get(supabase_id=was["conversation"])
    last = Message.objects.get(supabase_id=was["last"])
    assert conversation.last_message == last
    assert (
        conversation.last_activity_at == conversation.last_inbound_at == conversation.waiting_since == last.created_at
    )
    assert conversation.inbound_count == 2
    actor = member_for(was["agent"], old.slug)
    assert get_seen_counts(actor, [conversation])[conversation.pk] == 2
    with connection.cursor() as cursor:
        cursor.execute("select 1 from inbox_message where id = %s and search @@ '名额'::tsquery", [last.pk])
        assert cursor.fetchone()


def test_a_second_run_changes_nothing(old):
    furnished(old)
    run_import(old)
    before = versions(old)
    said = run_import(old)
    assert versions(old) == before
    assert all(line.split()[1:4] == ["0", "0", "0"] for line in said.splitlines()[1:7])


def test_what_changed_over_there_changes_here(old):
    was = furnished(old)
    run_import(old)
    old.change("contacts", was["contact"], name="Lucía Gómez")
    old.change("conversations", was["conversation"], status="ended")
    old.change("messages", was["last"], content="Edited", updated_at=old.later())
    old.change("contact_notes", was["note"], deleted_at=old.later())
    new = old.message(was["conversation"], "One more")
    run_import(old)
    assert Contact.objects.get(supabase_id=was["contact"]).name == "Lucía Gómez"
    conversation = Conversation.objects.get(supabase_id=was["conversation"])
    assert conversation.status == "resolved"
    assert conversation.last_message.supabase_id == new
    assert conversation.waiting_since is None
    assert Message.objects.get(supabase_id=was["last"]).body == "Edited"
    assert ContactNote.objects.get(supabase_id=was["note"]).deleted_at is not None


def test_a_role_that_changed_over_there_changes_here(old):
    agent = old.member("agent")
    run_import(old)
    old.change("workspace_members", Member.objects.get(user_id=agent).supabase_id, role="viewer")
    run_import(old)
    assert Member.objects.get(user_id=agent).role == "viewer"


def test_a_message_deleted_over_there_is_deleted_and_no_longer_counted(old):
    was = furnished(old)
    run_import(old)
    old.change("messages", was["last"], deleted_at=old.later())
    run_import(old)
    conversation = Conversation.objects.get(supabase_id=was["conversation"])
    assert Message.objects.get(supabase_id=was["last"]).deleted_at is not None
    assert (conversation.inbound_count, conversation.waiting_since) == (1, None)
    assert conversation.last_message.supabase_id == was["reply"]


def test_what_was_done_here_since_is_not_undone(old):
    was = furnished(old)
    run_import(old)
    contact = Contact.objects.get(supabase_id=was["contact"])
    contact.name = "Corrected here"
    contact.save(update_fields=["name", "updated_at"])
    run_import(old)
    contact.refresh_from_db()
    assert contact.name == "Corrected here"
    old.change(
        "contacts", was["contact"], name="Later over there", updated_at=contact.updated_at + timedelta(seconds=1)
    )
    run_import(old)
    contact.refresh_from_db()
    assert contact.name == "Later over there"


def test_the_last_owner_stays_one(old):
    owner = old.member("owner")
    run_import(old)
    old.change("workspace_members", Member.objects.get(user_id=owner).supabase_id, role="agent")
    assert "last_owner" in run_import(old)
    assert Member.objects.get(user_id=owner).role == "owner"


def test_of_two_contacts_with_one_number_the_older_is_it_and_the_newer_is_folded(old):
    first = old.contact("+55 11 98765-4321", name="Ana")
    second = old.contact("+55 11 8765-4321", name="Ana again")  # as WhatsApp knew her before the ninth digit
    conversation = old.conversation(second, "ended")
    said = run_import(old)
    winner, loser = Contact.objects.get(supabase_id=first), Contact.objects.get(supabase_id=second)
    assert (loser.merged_into, loser.deleted_at is not None, winner.deleted_at) == (winner, True, None)
    assert Conversation.objects.get(supabase_id=conversation).contact == winner
    assert "folded_same_number" in said
    assert str(second) in said
    before = versions(old)
    run_import(old)
    assert versions(old) == before


def test_a_living_contact_has_the_number_of_a_deleted_one(old):
    gone = old.contact("+34600999888", deleted_at=old.later())
    alive = old.contact("+34 600 999 888")
    run_import(old)
    assert (
        ContactIdentity.objects.get(kind="match", value="34600999888", workspace=desk(old)).contact.supabase_id == alive
    )
    assert Contact.objects.get(supabase_id=gone).deleted_at is not None
    before = versions(old)
    run_import(old)
    assert versions(old) == before


def test_who_wrote_here_before_the_import_is_linked_and_not_doubled(old):
    run_import(old)
    workspace = desk(old)
    known = contact_for_sender(actor=System(workspace.pk, "test"), sender=sender("34600111222", name=""))
    contact = old.contact("600 111 222", name="From before", email="b@old.example")
    run_import(old)
    known.refresh_from_db()
    assert (known.supabase_id, known.name, known.email) == (contact, "From before", "b@old.example")
    assert Contact.objects.filter(workspace=workspace).count() == 1


def test_a_message_that_came_by_webhook_too_is_one_message(old, tmp_path):
    run_import(old)
    workspace = desk(old)
    channel = Channel.objects.create(workspace=workspace, slug=f"kapso-{old.slug}", kind="kapso", name="Reception")
    live = Channel.objects.select_related("workspace").get(pk=channel.pk)
    message = receive_message(
        actor=System(workspace.pk, "test"),
        channel=live,
        incoming=incoming("Hola", who=sender("34600111333"), provider_id="wamid.BOTH"),
    )
    contact = old.contact("600 111 333")
    conversation = old.conversation(contact, "ended", channel="whatsapp")
    row = old.message(conversation, "Hola", external_id="wamid.BOTH")
    mapping = tmp_path / "my.toml"
    mapping.write_text(f'[channels]\nwhatsapp = "{channel.slug}"\n')
    run_import(old, mapping=mapping)
    message.refresh_from_db()
    assert message.supabase_id == row
    assert Message.objects.filter(workspace=workspace).count() == 1


def test_every_sign_of_a_message_comes_as_it_was(old):
    row = old.conversation(old.contact("600 777 888"), "ended")
    bodies = ["\\N", "tab\there", "back\\slash and \\t", "one\r\ntwo\nthree", "\\.", 'quo"te \\" and {}']
    ids = [old.message(row, body, attachments={"path": body}) for body in bodies]
    run_import(old)
    found = {message.supabase_id: message for message in Message.objects.filter(conversation__supabase_id=row)}
    assert [found[id_].body for id_ in ids] == bodies
    assert [found[id_].detail["old"]["attachments"]["path"] for id_ in ids] == bodies


def test_of_two_rows_with_one_provider_id_the_first_is_it_in_whatever_batch_they_come(old):
    row, others = (old.conversation(old.contact(number), "ended") for number in ("600 777 001", "600 777 002"))
    provider_id = unique("wamid")
    first, *twice = (old.message(row, f"No. {n}", external_id=provider_id) for n in range(3))
    old.message(others, "Hi", external_id=unique("wamid"))
    for batch in (2, 5_000):
        said = run_import(old, batch=batch)
        assert "provider_id_twice" in said
        assert list(Message.objects.filter(provider_id=provider_id).values_list("supabase_id", flat=True)) == [first]
        assert not Message.objects.filter(supabase_id__in=twice).exists()


def test_only_the_newest_open_conversation_of_a_contact_stays_open(old):
    contact = old.contact("600 222 333")
    older = old.conversation(contact, "waiting")
    newer = old.conversation(contact, "active")
    said = run_import(old)
    assert Conversation.objects.get(supabase_id=older).status == "resolved"
    assert Conversation.objects.get(supabase_id=newer).status == "open"
    assert "resolved_another_is_open" in said


def test_waiting_is_open_and_nobodys(old):
    agent = old.member()
    conversation = old.conversation(old.contact("600 222 444"), "waiting", assigned_agent_id=agent)
    run_import(old)
    found = Conversation.objects.get(supabase_id=conversation)
    assert (found.status, found.assignee_id) == ("open", None)


def test_nothing_is_sent_through_the_channel_of_old_history(old):
    was = furnished(old)
    run_import(old)
    channel = Conversation.objects.get(supabase_id=was["conversation"]).channel
    assert (channel.name, channel.is_active) == ("Imported", False)


def test_history_that_comes_after_people_joined_is_read_and_their_own_unread_stays(old):
    was = furnished(old)
    run_import(old)
    conversation = Conversation.objects.get(supabase_id=was["conversation"])
    actor = member_for(was["agent"], old.slug)
    # The old system is still in use after people began here.
    old.clock = actor.joined_at
    old.message(was["conversation"], "Written over there after the first import")
    run_import(old)
    conversation.refresh_from_db()
    assert conversation.inbound_count == 3
    assert get_seen_counts(actor, [conversation])[conversation.pk] == 3


def test_some_workspaces_alone(old):
    was = furnished(old)
    other = old.add("workspaces", name="Other", slug=f"{old.slug}-b")
    theirs = old.add("contacts", workspace_id=other, phone="+34600000001")
    old.conversation(theirs, "ended", workspace_id=other)
    said = run_import(old, workspace=[f"{old.slug}-b"])
    assert Contact.objects.filter(supabase_id=theirs).exists()
    assert not Workspace.objects.filter(supabase_id=old.workspace).exists()
    assert not Message.objects.filter(supabase_id=was["first"]).exists()
    assert "refused" in said.splitlines()[0]
    assert "unknown_" not in said


def test_since_reads_no_older_messages(old):
    was = furnished(old)
    run_import(old, since=old.clock.isoformat())
    assert not Message.objects.filter(supabase_id=was["first"]).exists()
    new = old.message(was["conversation"], "Later")
    run_import(old, since=old.clock.isoformat())
    assert Message.objects.filter(supabase_id=new).exists()
    run_import(old)
    assert Message.objects.filter(supabase_id=was["first"]).exists()


def test_a_slug_that_is_taken_is_refused_with_everything_in_it_and_adopted_on_request(old):
    workspace = make_workspace("adopted")
    old.change("workspaces", old.workspace, slug=workspace.slug)
    contact = old.contact("600 222 555")
    said = run_import(old)
    assert "slug_taken" in said
    assert "unknown_workspace" in said
    assert not Contact.objects.filter(supabase_id=contact).exists()
    run_import(old, adopt=True)
    workspace.refresh_from_db()
    assert workspace.supabase_id == old.workspace
    assert Contact.objects.get(supabase_id=contact).workspace == workspace


def test_a_person_known_here_by_their_sub_is_not_made_again(old):
    user = old.member("agent", email="other@old.example")
    User.objects.create(pk=user, email="here@desk.example")
    UserIdentity.objects.create(user_id=user, provider="supabase", subject=str(user))
    run_import(old)
    assert User.objects.get(pk=user).email == "here@desk.example"
    assert Member.objects.filter(user_id=user).count() == 1


def test_without_a_source_it_says_what_to_give(monkeypatch):
    monkeypatch.delenv("SUPABASE_DATABASE_URL", raising=False)
    with pytest.raises(CommandError, match="--dsn or --files"):
        run_import()


def test_a_database_that_is_not_there_is_one_sentence(old):
    with pytest.raises(CommandError, match="cannot be opened"):
        run_import(dsn=old.url.replace("old_system", "nowhere"))


def test_the_source_is_only_read(old):
    furnished(old)
    name = old.url.partition("?")[0].rpartition("/")[2]
    old.connection.execute(f"alter database {name} set default_transaction_read_only = on")
    run_import(old)
    assert desk(old)
