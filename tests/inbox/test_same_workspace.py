"""The database itself refuses a row that points into another workspace."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from inbox.models import Conversation
from tests.cast import receive

# Users belong to no workspace; that an assignee is a member is a key of its own to the membership.
GLOBAL = {"crm_user", "crm_workspace"}


def tenant_references():
    """Every (table, column, target) of a tenant table of any app that refers to another tenant table."""
    found = set()
    for model in apps.get_models():
        fields = {field.name: field for field in model._meta.get_fields()}
        if "workspace" not in fields:
            continue
        for field in model._meta.get_fields():
            if not getattr(field, "column", None) or not field.is_relation or field.many_to_many:
                continue
            if field.related_model._meta.db_table not in GLOBAL:
                found.add((model._meta.db_table, field.column, field.related_model._meta.db_table))
    return found


def test_every_reference_between_tenant_tables_is_also_a_composite_key():
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text
            from pg_constraint c
            join lateral unnest(c.conkey, c.confkey) as k(number, target) on true
            join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
            where c.contype = 'f' and c.convalidated and array_length(c.conkey, 1) = 2 and a.attname <> 'workspace_id'
                and exists (
                    select 1 from unnest(c.conkey, c.confkey) as pair(number, target)
                    join pg_attribute own on own.attrelid = c.conrelid and own.attnum = pair.number
                    join pg_attribute theirs on theirs.attrelid = c.confrelid and theirs.attnum = pair.target
                    where own.attname = 'workspace_id' and theirs.attname = 'workspace_id'
                )
            """
        )
        composite = set(cursor.fetchall())
    references = tenant_references()
    assert {table.partition("_")[0] for table, _, _ in references} >= {"crm", "inbox", "proctoring", "webhooks"}
    assert references - composite == set()


def test_a_conversation_cannot_take_a_contact_of_another_workspace(cast):
    from tests.cast import make_channel

    here = receive(cast)
    there = receive(cast, channel=make_channel(cast.elsewhere))
    with pytest.raises(IntegrityError), transaction.atomic():
        Conversation.objects.filter(pk=here.pk).update(contact_id=there.contact_id)


def test_an_assignee_must_be_a_member(cast):
    conversation = receive(cast)
    with pytest.raises(IntegrityError), transaction.atomic():
        Conversation.objects.filter(pk=conversation.pk).update(assignee=cast.cleo)


def test_who_leaves_the_workspace_leaves_its_conversations(cast):
    conversation = receive(cast)
    Conversation.objects.filter(pk=conversation.pk).update(assignee=cast.ben)
    cast.workspace.members.get(user=cast.ben).delete()
    conversation.refresh_from_db()
    assert conversation.assignee is None
