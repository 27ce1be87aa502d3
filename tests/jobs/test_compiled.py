"""A compiled queryset answers what the queryset answers, for any values."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from inbox.models import Conversation, Message
from jobs import rows, statements
from jobs.compiled import Compiled
from tests.cast import receive, sender, unique

LINES = Compiled(
    lambda workspace, pk: (
        Conversation.objects.select_related("contact", "channel", "assignee")
        .defer("channel__credentials")
        .filter(workspace_id=workspace, pk=pk)
    ),
    UUID,
    UUID,
)
LOCKED = Compiled(lambda pk: Conversation.objects.select_for_update(of=("self",)).filter(pk=pk), UUID)
SINCE = Compiled(
    lambda body, at: Message.objects.filter(body=body, created_at__gt=at).values_list("id", "detail"),
    str,
    type(timezone.now()),
)


def test_it_finds_what_the_queryset_finds_with_all_that_is_joined(cast, assert_queries):
    first, second = (receive(cast, who=sender(f"628123456780{last}")) for last in (1, 2))
    for row in (first, second, first):
        with assert_queries(1):
            found = LINES.first(cast.workspace.pk, row.pk)
            assert found is not None
            assert (found.pk, found.contact.pk, found.channel.pk) == (row.pk, row.contact_id, row.channel_id)
            assert found.assignee is None
        assert found.get_deferred_fields() == set()
        assert "credentials" in found.channel.get_deferred_fields()
        assert not found._state.adding
    assert LINES.first(cast.elsewhere.pk, first.pk) is None


def test_without_anybody_counting_it_is_the_same_prepared(cast):
    row = receive(cast)
    assert LINES.first(cast.workspace.pk, row.pk) == row
    assert LINES.first(cast.workspace.pk, uuid4()) is None


def test_the_server_plans_it_once_and_not_with_every_question(cast):
    row = receive(cast)
    with transaction.atomic():  # one connection for all of it
        for _ in range(3):
            assert LINES.first(cast.workspace.pk, row.pk) == row
        with connection.cursor() as cursor:
            cursor.execute(
                "select generic_plans + custom_plans from pg_prepared_statements where statement = %s",
                [_as_sent(LINES)],
            )
            assert [plans >= 3 for (plans,) in cursor.fetchall()] == [True]


def test_the_statements_of_every_job_are_prepared_and_those_of_others_are_not():
    with transaction.atomic():
        for _ in range(2):
            statements.execute("select %(what)s::text as of_jobs", {"what": "x"})
            with connection.cursor() as cursor:
                cursor.execute("select %s::text as of_others", ["x"])
        with connection.cursor() as cursor:
            cursor.execute("select statement from pg_prepared_statements where statement like '%%as of_%%'", [])
            assert [statement for (statement,) in cursor.fetchall()] == ["select $1::text as of_jobs"]


def _as_sent(one: Compiled[Any]) -> str:
    """With numbered places, as Postgres has it."""
    pieces = one._planned().sql.split("%s")
    return "".join(f"{piece}${place}" for place, piece in enumerate(pieces[:-1], start=1)) + pieces[-1]


def test_who_times_statements_meets_it_too(cast):
    row, seen = receive(cast), []

    def watch(execute, sql, params, many, context):
        seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert LINES.first(cast.workspace.pk, row.pk) == row
    assert seen == [LINES._planned().sql]


def test_a_lock_is_taken(cast):
    row = receive(cast)
    with transaction.atomic():
        assert LOCKED.first(row.pk) == row


def test_values_are_converted_as_their_fields_say(cast):
    words = unique("words")
    message = receive(cast, words).last_message
    assert message is not None
    before = message.created_at - timedelta(seconds=1)
    assert SINCE.tuples(words, before) == [(message.pk, {})]
    assert SINCE.tuples(words, message.created_at) == []
    with pytest.raises(TypeError, match="no instances"):
        SINCE.first(words, before)


def test_a_value_that_is_no_parameter_is_refused():
    with pytest.raises(TypeError, match="not a parameter"):
        Compiled(lambda pk: Conversation.objects.all(), UUID).first(uuid4())


def test_a_row_is_written_as_save_would_and_only_once(cast):
    row = receive(cast)
    given = {"conversation": row, "channel_id": row.channel_id, "direction": "note", "sender_kind": "system"}
    given |= {"workspace_id": row.workspace_id, "status": "received", "detail": {"activity": {"said": 'so "they" say'}}}
    client_id = uuid4()
    note = Message(client_id=client_id, body="Words, 100 % of them", search="words", **given)
    assert rows.insert(note)
    found = Message.objects.get(pk=note.pk)
    assert (found.body, found.detail, found.client_id) == (note.body, note.detail, client_id)
    assert found.created_at == note.created_at
    assert not note._state.adding
    assert not rows.insert(Message(client_id=client_id, body="Others", **given))
    note.body, before = "Changed", found.updated_at
    rows.update(note, ["body", "updated_at"])
    found.refresh_from_db()
    assert (found.body, found.search) == ("Changed", "'words'")
    assert found.updated_at > before
    with pytest.raises(DatabaseError):
        rows.update(Message(body="Nobody's", **given), ["body"])
    with pytest.raises(TypeError, match="for the database"):
        rows.insert(Conversation(workspace_id=row.workspace_id))
