"""The old database is read again and again: who was erased here stays away, and what it folded can come apart."""

import os

import psycopg
import pytest

from crm.access import member_for
from crm.models import Contact, ContactMerge, ContactNote, ErasedTrace, Workspace
from crm.services.erasure import erase_contact
from crm.services.merging import undo_merge
from inbox.models import Conversation, Message
from inbox.old_data.alone import LOCK, OldDataComing
from tests.inbox.old_system import OldSystem, old_system, run_import


@pytest.fixture
def old():
    with old_system() as system:
        yield system


@pytest.fixture
def owner(old: OldSystem):
    return old.member("owner")


def refusals(said: str) -> list[tuple[str, ...]]:
    """Table, reason, rows."""
    lines = (line.split() for line in said.splitlines())
    return sorted((words[0], words[2], words[3]) for words in lines if words[1:2] == ["refused"] and len(words) > 4)


def test_who_was_erased_is_not_brought_back(old, owner):
    contact = old.contact("600 123 456", name="Lucía")
    again = old.contact("+34 600 123 456", name="Lucía again")  # folded into her
    conversation = old.conversation(contact)
    old.message(conversation, "Hola")
    old.message(old.conversation(again, "ended"), "Soy yo")
    old.add("contact_notes", contact_id=contact, author_id=owner, body="Prefers mornings")
    stays = old.message(old.conversation(old.contact("600 999 999")), "Still here")
    run_import(old)
    workspace = Workspace.objects.get(supabase_id=old.workspace)
    erase_contact(actor=member_for(owner, old.slug), contact_id=Contact.objects.get(supabase_id=contact).pk)
    # What is written to her over there since is hers as well.
    old.message(conversation, "¿Sigue ahí?")
    old.conversation(contact, "waiting")
    old.add("contact_notes", contact_id=again, author_id=owner, body="Called again")
    said = run_import(old)
    assert Contact.objects.filter(workspace=workspace).count() == 1
    assert [row.supabase_id for row in Message.objects.filter(workspace=workspace)] == [stays]
    assert Conversation.objects.filter(workspace=workspace).count() == 1
    assert not ContactNote.objects.filter(workspace=workspace).exists()
    assert refusals(said) == [
        ("contacts", "erased", "2"),
        ("conversations", "erased", "3"),
        ("messages", "erased", "3"),
        ("notes", "erased", "2"),
    ]


def test_what_is_kept_of_the_old_ids_names_nobody(old, owner):
    contact = old.contact("600 123 456")
    run_import(old)
    workspace = Workspace.objects.get(supabase_id=old.workspace)
    erase_contact(actor=member_for(owner, old.slug), contact_id=Contact.objects.get(supabase_id=contact).pk)
    [trace] = ErasedTrace.objects.filter(workspace=workspace)
    assert (trace.kind, len(bytes(trace.digest))) == ("old_contact", 32)
    assert contact.bytes not in bytes(trace.digest)


def test_nobody_is_erased_while_an_import_may_bring_them_back(old, owner):
    contact = old.contact("600 123 456")
    run_import(old)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", [LOCK])
        with pytest.raises(OldDataComing):
            erase_contact(actor=member_for(owner, old.slug), contact_id=Contact.objects.get(supabase_id=contact).pk)
    assert Contact.objects.filter(supabase_id=contact).exists()


def test_what_the_import_folded_comes_apart_again(old, owner):
    first = old.contact("+34 600 123 456", name="Lucía")
    second = old.contact("600123456", name="Her mother")
    hers, mothers = old.conversation(first, "ended"), old.conversation(second, "ended")
    note = old.add("contact_notes", contact_id=second, author_id=owner, body="Same phone, another person")
    run_import(old)
    winner, loser = Contact.objects.get(supabase_id=first), Contact.objects.get(supabase_id=second)
    assert Conversation.objects.get(supabase_id=mothers).contact == winner
    merge = ContactMerge.objects.get(loser=loser, undone_at=None)
    undo_merge(actor=member_for(owner, old.slug), merge_id=merge.pk)
    loser.refresh_from_db()
    assert (loser.merged_into, loser.deleted_at, loser.name) == (None, None, "Her mother")
    assert Conversation.objects.get(supabase_id=hers).contact == winner
    assert Conversation.objects.get(supabase_id=mothers).contact == loser
    assert ContactNote.objects.get(supabase_id=note).contact == loser
    run_import(old)
    loser.refresh_from_db()
    assert (loser.merged_into, loser.deleted_at) == (None, None)
