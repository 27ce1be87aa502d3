"""An old system to import from: a database of its own on the tests' server, with tables as Supabase has them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.core.management import call_command
from psycopg import sql
from psycopg.types.json import Jsonb

from config.run.embedded import Postgres
from tests.cast import unique

SCHEMA = """
create table workspaces (id uuid primary key, name text, slug text, timezone text, country text,
    created_at timestamptz default now());
create table workspace_members (id uuid primary key, workspace_id uuid, user_id text, role text, email text, name text,
    created_at timestamptz default now());
create table contacts (id uuid primary key, workspace_id uuid, phone text, name text, email text, lead_status text,
    lead_score numeric, tags text[], metadata jsonb, owner_id uuid, created_at timestamptz, updated_at timestamptz,
    deleted_at timestamptz, first_name text, zip text, burnout_score numeric, burnout_band text,
    pressure_zones jsonb, historical_summary text, total_interactions int, profile jsonb,
    stripe_customer_id text, subscription_status text, trial_end timestamptz);
create table conversations (id uuid primary key, workspace_id uuid, contact_id uuid, channel text, status text,
    scope text, assigned_agent_id uuid, priority text, created_at timestamptz, updated_at timestamptz,
    ended_at timestamptz, deleted_at timestamptz);
create table messages (id uuid primary key, conversation_id uuid, direction text, sender_type text, sender_id uuid,
    type text, content text, attachments jsonb, reply_to uuid, external_id text, status text, is_private boolean,
    error_message text, read_at timestamptz, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz);
create table contact_notes (id uuid primary key, contact_id uuid, author_id uuid, body text, created_at timestamptz,
    deleted_at timestamptz);
"""
TABLES = ("workspaces", "workspace_members", "contacts", "conversations", "messages", "contact_notes")
BEGAN = datetime(2024, 3, 1, 9, 0, tzinfo=UTC)


class OldSystem:
    """One workspace to begin with. `add` gives the row's id."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.connection = psycopg.connect(url, autocommit=True)
        self.connection.execute(SCHEMA)
        self.slug = unique("old")
        self.clock = BEGAN
        self.workspace = self.add("workspaces", name="Old Desk", slug=self.slug, country="ES")

    def later(self, **delta: float) -> datetime:
        self.clock += timedelta(**(delta or {"minutes": 1}))
        return self.clock

    def add(self, table: str, **values: Any) -> UUID:
        row = {"id": uuid4(), "created_at": self.later(), **values}
        names = sql.SQL(", ").join(map(sql.Identifier, row))
        slots = sql.SQL(", ").join(sql.Placeholder() * len(row))
        self.connection.execute(
            sql.SQL("insert into {} ({}) values ({})").format(sql.Identifier(table), names, slots),
            [Jsonb(value) if isinstance(value, dict) else value for value in row.values()],
        )
        return row["id"]

    def change(self, table: str, id_: UUID, **values: Any) -> None:
        for name, value in values.items():
            statement = sql.SQL("update {} set {} = %s where id = %s").format(
                sql.Identifier(table), sql.Identifier(name)
            )
            self.connection.execute(statement, [value, id_])

    def member(self, role: str = "agent", **values: Any) -> UUID:
        user = uuid4()
        self.add(
            "workspace_members",
            **{"workspace_id": self.workspace, "user_id": str(user), "role": role, "email": f"{user}@old.example"}
            | values,
        )
        return user

    def contact(self, phone: str | None = None, **values: Any) -> UUID:
        return self.add("contacts", **{"workspace_id": self.workspace, "phone": phone} | values)

    def conversation(self, contact: UUID, status: str = "active", **values: Any) -> UUID:
        return self.add(
            "conversations", **{"workspace_id": self.workspace, "contact_id": contact, "status": status} | values
        )

    def message(self, conversation: UUID, content: str = "Hola", direction: str = "inbound", **values: Any) -> UUID:
        return self.add("messages", conversation_id=conversation, direction=direction, content=content, **values)

    def export(self, folder: Path, *, form: str) -> Path:
        """As the dashboard exports: CSV with empty fields for NULL, or a JSON object per line."""
        for table in TABLES:
            with (folder / f"{table}.{form}").open("w", encoding="utf-8", newline="") as out:
                if form == "csv":
                    with self.connection.cursor().copy(f"copy {table} to stdout (format csv, header)") as copy:
                        for data in copy:
                            out.write(bytes(data).decode())
                else:
                    for (row,) in self.connection.execute(f"select row_to_json(t) from {table} t"):
                        out.write(json.dumps(row, ensure_ascii=False) + "\n")
        return folder


@contextmanager
def old_system() -> Iterator[OldSystem]:
    sockets = Path(os.environ["SB_TEST_SOCKETS"])
    postgres = Postgres(sockets.parent / "pg", sockets)
    name = unique("old_system").replace("-", "_")
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
    system = OldSystem(postgres.url_for(name))
    try:
        yield system
    finally:
        system.connection.close()
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")


def run_import(system: OldSystem | None = None, **options: Any) -> str:
    """What it printed."""
    out = StringIO()
    source = {"dsn": system.url} if system else {}
    call_command("import_supabase", stdout=out, verbosity=0, **(source | options))
    return out.getvalue()
