"""The import from an old Postgres: messages a second, beside a bare COPY of the same rows into a plain table."""

import sys
import time

from processes import ROOT
from report import Result, Row, rate
from stage import Stage

LEAST = 5_000  # messages a second
CONTACTS = 20_000
EACH = 5  # messages a contact, in one conversation
SECONDS = 900
OLD = """
create table workspaces (id uuid primary key, name text, slug text, created_at timestamptz);
create table contacts (id uuid primary key, workspace_id uuid, phone text, name text, created_at timestamptz);
create table conversations (id uuid primary key, workspace_id uuid, contact_id uuid, status text,
    created_at timestamptz);
create table messages (id uuid primary key, conversation_id uuid, direction text, content text, external_id text,
    created_at timestamptz);
insert into workspaces values (gen_random_uuid(), 'Old', 'bench-old', now() - interval '3 years');
insert into contacts select gen_random_uuid(), w.id, '+62812' || (10000000 + n), 'Person ' || n,
    now() - interval '2 years' from workspaces w, generate_series(1, {contacts}) n;
insert into conversations select gen_random_uuid(), workspace_id, id, 'ended', created_at from contacts;
insert into messages select gen_random_uuid(), c.id, case when n % 2 = 1 then 'inbound' else 'outbound' end,
    'Halo, apakah pesanan ' || n || ' saya sudah dikirim? Saya butuh sebelum hari Jumat.',
    'wamid.' || gen_random_uuid(),
    c.created_at + n * interval '1 hour' from conversations c, generate_series(1, {each}) n;
analyze
"""


def take(stage: Stage) -> Result:
    contacts = CONTACTS // 10 if stage.quick else CONTACTS
    messages = contacts * EACH
    database = stage.database("importing")
    with stage.connect("postgres") as connection:
        connection.execute("create database old_supabase")
    with stage.connect("old_supabase") as connection:
        for statement in OLD.format(contacts=contacts, each=EACH).split(";\n"):
            connection.execute(statement)
    bare = _bare(stage, messages)
    stage.checkpoint()
    others = [
        word for name in ("workspaces", "members", "contacts", "notes", "conversations") for word in ("--only", name)
    ]
    before = _import(stage, database, *others)
    took = _import(stage, database, "--only", "messages")
    again = _import(stage, database, "--only", "messages")
    result = Result("import", "import_supabase from a Postgres beside it; start of the process included")
    result.rows = [
        Row(
            "messages",
            rate(messages / took),
            rate(bare),
            f"{messages / took / bare:.2f}",
            f">= {LEAST:,}/s",
            messages / took >= LEAST,
        ),
        Row("messages, a second time", rate(messages / again), rate(bare), f"{messages / again / bare:.2f}"),
        Row("contacts with their conversations", rate(contacts / before)),
    ]
    result.notes.append(f"{contacts:,} contacts and conversations, {messages:,} messages")
    result.raw = {"messages": messages, "seconds": took, "again": again, "contacts": before, "bare": bare}
    return result


def _import(stage: Stage, database: str, *words: str) -> float:
    began = time.monotonic()
    process = stage.start(
        "import",
        [sys.executable, "manage.py", "import_supabase", "--dsn", stage.postgres.url_for("old_supabase"), *words],
        environment=stage.product_environment(database, port=1),
        folder=ROOT,
    )
    process.finish(SECONDS)
    stage.stop(process)
    return time.monotonic() - began


def _bare(stage: Stage, messages: int) -> float:
    """Rows a second out of the old table and into a new one, with nothing checked and nothing indexed."""
    with stage.connect("old_supabase") as source, stage.connect("old_supabase") as target:
        target.execute("create table bare (like messages)")
        began = time.monotonic()
        with (
            source.cursor().copy("copy messages to stdout") as reading,
            target.cursor().copy("copy bare from stdin") as writing,
        ):
            for data in reading:
                writing.write(data)
        took = time.monotonic() - began
        target.execute("drop table bare")
    return messages / took
