"""Killed at any moment and started again: whole rows only, none twice. A dry run leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from config.live.events import heads
from crm.models import Contact, Workspace
from inbox.models import Channel, Conversation, Message
from inbox.topics import conversation as conversation_topic
from inbox.topics import inbox
from tests.cast import receive
from tests.inbox.old_system import OldSystem, old_system, run_import

ROOT = Path(__file__).resolve().parents[2]
PEOPLE, EACH = 60, 20
PATIENCE = 60.0  # seconds


@pytest.fixture
def old():
    with old_system() as system:
        yield system


def fill(old: OldSystem) -> None:
    """Many, made over there."""
    old.connection.execute(
        """
        insert into contacts (id, workspace_id, phone, name, created_at)
            select gen_random_uuid(), %(workspace)s, '+3460' || (1000000 + n), 'Person ' || n, now() - interval '1 year'
            from generate_series(1, %(people)s) n
        """,
        {"workspace": old.workspace, "people": PEOPLE},
    )
    old.connection.execute(
        """
        insert into conversations (id, workspace_id, contact_id, status, created_at)
            select gen_random_uuid(), workspace_id, id, 'active', created_at from contacts
        """
    )
    old.connection.execute(
        """
        insert into messages (id, conversation_id, direction, content, created_at)
            select gen_random_uuid(), c.id, case when n %% 2 = 0 then 'inbound' else 'outbound' end, 'Line ' || n,
                c.created_at + n * interval '1 minute'
            from conversations c, generate_series(1, %(each)s) n
        """,
        {"each": EACH},
    )


def arrived(old: OldSystem) -> int:
    return Message.objects.filter(workspace__supabase_id=old.workspace).count()


def started(old: OldSystem, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "import_supabase", "--dsn", old.url, "--batch", "2", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
        # A suite that a shell put into the background hands down that Ctrl-C is not for it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def check_whole(old: OldSystem) -> None:
    """Every conversation says of itself what its messages say."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select count(*) from inbox_conversation c join crm_workspace w on w.id = c.workspace_id
            left join lateral (
                select count(*) filter (where direction = 'in') as inbound from inbox_message m
                where m.conversation_id = c.id
            ) said on true
            left join lateral (
                select id from inbox_message m where m.conversation_id = c.id order by id desc limit 1
            ) newest on true
            where w.supabase_id = %s
              and (c.inbound_count <> said.inbound or c.last_message_id is distinct from newest.id)
            """,
            [old.workspace],
        )
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=["kill", "ctrl-c", "term"])
def test_stopped_midway_it_goes_on_from_there(old, how):
    fill(old)
    process = started(old)
    try:
        deadline = time.monotonic() + PATIENCE
        while arrived(old) < 100 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(how)
        _, said = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert 100 <= arrived(old) < PEOPLE * EACH, "it was not stopped midway"
    check_whole(old)
    if how != signal.SIGKILL:
        assert process.returncode == 130
        assert b"Stopped" in said
    _wait_for_lock()
    run_import(old)
    assert arrived(old) == PEOPLE * EACH
    assert Contact.objects.filter(workspace__supabase_id=old.workspace).count() == PEOPLE
    check_whole(old)


def _wait_for_lock() -> None:
    """The server may take a moment to see that the other side is dead."""
    from inbox.old_data.alone import LOCK

    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        while time.monotonic() < deadline:
            if other.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone() == (True,):
                return
            time.sleep(0.05)
    raise AssertionError("the import still runs")


def test_two_at_once_are_refused(old):
    from inbox.old_data.alone import LOCK

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", [LOCK])
        with pytest.raises(Exception, match="Another import is running"):
            run_import(old)


def test_a_dry_run_checks_everything_and_writes_nothing(old):
    fill(old)
    lost = old.message(old.workspace, "of no conversation")
    said = run_import(old, dry_run=True)
    assert not Workspace.objects.filter(supabase_id=old.workspace).exists()
    assert not Channel.objects.filter(slug=f"imported-{old.slug}").exists()
    assert "nothing was written" in said
    assert str(lost) in said
    assert f"{PEOPLE * EACH:,}" in said
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_class where relname like 'old\\_%' and relpersistence = 't'")
        assert cursor.fetchone() == (0,)


def test_open_pages_are_sent_back_to_their_snapshot(cast, old):
    theirs = receive(cast, "Hola")
    old.change("workspaces", old.workspace, slug=cast.workspace.slug)
    row = old.conversation(old.contact(theirs.contact.phone_normalized), "ended")
    old.message(row, "From before")
    run_import(old, adopt=True)
    found = Conversation.objects.get(supabase_id=row)
    topics = [inbox(cast.workspace.slug), conversation_topic(theirs.pk)]
    before = heads(topics)
    old.message(row, "One more")
    run_import(old)
    after = heads(topics)
    # A number that no event has: whoever is at the one before cannot resume.
    assert after[topics[0]] == before[topics[0]] + 1
    assert after[topics[1]] == before[topics[1]]
    assert found.contact == theirs.contact
