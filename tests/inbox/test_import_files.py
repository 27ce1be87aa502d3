"""Exported files instead of a database: CSV and JSONL, clean and dirty. What is refused is refused by name, whole."""

import csv
import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError

from crm.models import Contact, Workspace
from inbox.models import Conversation, Message
from tests.cast import unique
from tests.inbox.old_system import OldSystem, old_system, run_import


@pytest.fixture
def old():
    with old_system() as system:
        yield system


def furnished(old: OldSystem) -> tuple[UUID, UUID, UUID]:
    agent = old.member()
    contact = old.contact("600 333 444", name='Comma, "quote"\nand a line', tags=["a", "b"], metadata={"k": [1]})
    conversation = old.conversation(contact, "active", assigned_agent_id=agent)
    old.message(conversation, "Первое; сообщение, с запятой")
    message = old.message(conversation, "Второе\nв две строки", "outbound", sender_id=agent)
    return contact, conversation, message


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_exported_files_say_the_same_as_the_database(old, tmp_path, form):
    contact, conversation, message = furnished(old)
    run_import(files=old.export(tmp_path, form=form))
    found = Contact.objects.get(supabase_id=contact)
    assert (found.phone_normalized, found.name) == ("+34600333444", 'Comma, "quote"\nand a line')
    assert (found.tags, found.metadata) == (["a", "b"], {"k": [1]})
    assert Conversation.objects.get(supabase_id=conversation).last_message.supabase_id == message
    assert Message.objects.get(supabase_id=message).body == "Второе\nв две строки"
    said = run_import(old)  # the database afterwards finds everything here
    assert all(line.split()[1:4] == ["0", "0", "0"] for line in said.splitlines()[1:7])


def folder(path: Path, **tables: list[dict[str, object]]) -> Path:
    for name, rows in tables.items():
        with (path / f"{name}.jsonl").open("w") as out:
            out.writelines(json.dumps(row, default=str) + "\n" for row in rows)
    return path


AT = "2024-03-01 09:00:00+00"


def test_dirty_rows_are_refused_by_name_and_the_others_come(tmp_path):
    desk, contact, conversation = uuid4(), uuid4(), uuid4()
    good, ids = uuid4(), {name: uuid4() for name in ("time", "orphan", "empty", "way", "future", "twice")}
    strange = uuid4()
    report = tmp_path / "report.csv"
    source = folder(
        tmp_path,
        workspaces=[{"id": desk, "name": "Desk", "slug": unique("dirty"), "created_at": AT}],
        contacts=[
            {"id": contact, "workspace_id": desk, "phone": "+34600555666", "email": "not an address", "created_at": AT},
            {"id": "17", "workspace_id": desk, "created_at": AT},
            {"id": uuid4(), "workspace_id": uuid4(), "created_at": AT},
            {"id": strange, "workspace_id": desk, "phone": "ask reception", "lead_score": 900, "created_at": AT},
        ],
        conversations=[
            {"id": conversation, "contact_id": contact, "status": "ended", "created_at": AT},
            {"id": uuid4(), "contact_id": contact, "status": "on fire", "created_at": AT},
        ],
        messages=[
            {"id": good, "conversation_id": conversation, "direction": "in", "content": "ok\u0000", "created_at": AT},
            {
                "id": ids["time"],
                "conversation_id": conversation,
                "direction": "in",
                "content": "x",
                "created_at": "soon",
            },
            {"id": ids["orphan"], "conversation_id": uuid4(), "direction": "in", "content": "x", "created_at": AT},
            {"id": ids["empty"], "conversation_id": conversation, "direction": "in", "content": " ", "created_at": AT},
            {"id": ids["way"], "conversation_id": conversation, "content": "x", "created_at": AT},
            {
                "id": ids["future"],
                "conversation_id": conversation,
                "direction": "in",
                "content": "x",
                "created_at": "2199-01-01",
            },
            {"id": good, "conversation_id": conversation, "direction": "in", "content": "again", "created_at": AT},
        ],
    )
    with (tmp_path / "messages.jsonl").open("a") as out:
        out.write("{broken\n")
    said = run_import(files=source, report=report)
    assert [row.body for row in Message.objects.filter(conversation__supabase_id=conversation)] == ["ok"]
    assert Contact.objects.get(supabase_id=strange).phone == "ask reception"
    with report.open() as lines:
        found = {(row["table"], row["outcome"], row["reason"], row["supabase_id"]) for row in csv.DictReader(lines)}
    assert {
        ("contacts", "changed", "unreadable_email", str(contact)),
        ("contacts", "changed", "unreadable_phone", str(strange)),
        ("contacts", "changed", "score_out_of_range", str(strange)),
        ("contacts", "refused", "id_is_no_uuid", "17"),
        ("messages", "refused", "unreadable_time", str(ids["time"])),
        ("messages", "refused", "unknown_conversation", str(ids["orphan"])),
        ("messages", "refused", "empty", str(ids["empty"])),
        ("messages", "refused", "no_direction", str(ids["way"])),
        ("messages", "refused", "impossible_time", str(ids["future"])),
        ("messages", "refused", "id_twice", str(good)),
        ("messages", "refused", "unreadable_line", ""),
    } <= found
    assert {reason for table, _, reason, _ in found if table == "conversations"} == {"unknown_status"}
    assert "unknown_workspace" in said
    assert "600555666" not in said + report.read_text()


def test_what_belongs_to_a_refused_row_is_refused_with_that_reason(tmp_path):
    desk, contact, conversation, message = (uuid4() for _ in range(4))
    source = folder(
        tmp_path,
        workspaces=[{"id": desk, "name": "Desk", "slug": unique("refused"), "created_at": AT}],
        contacts=[{"id": contact, "workspace_id": desk, "created_at": "never"}],
        conversations=[{"id": conversation, "contact_id": contact, "status": "ended", "created_at": AT}],
        messages=[{"id": message, "conversation_id": conversation, "direction": "in", "body": "x", "created_at": AT}],
    )
    said = run_import(files=source)
    assert "unreadable_time" in said
    assert "unknown_contact" in said
    assert "unknown_conversation" in said
    assert not Message.objects.filter(supabase_id=message).exists()


def test_one_row_that_the_database_refuses_costs_no_other(tmp_path):
    """A NUL deep inside JSON passes every check of ours, and Postgres keeps none."""
    desk, bad = uuid4(), uuid4()
    others = [uuid4() for _ in range(20)]
    slug = unique("halves")
    source = folder(
        tmp_path,
        workspaces=[{"id": desk, "name": "Desk", "slug": slug, "created_at": AT}],
        contacts=[{"id": id_, "workspace_id": desk, "created_at": AT} for id_ in others[:10]]
        + [{"id": bad, "workspace_id": desk, "metadata": {"x": ["\u0000"]}, "created_at": AT}]
        + [{"id": id_, "workspace_id": desk, "created_at": AT} for id_ in others[10:]],
    )
    said = run_import(files=source)
    assert Contact.objects.filter(supabase_id__in=others).count() == 20
    assert not Contact.objects.filter(supabase_id=bad).exists()
    assert "database:22P05" in said


def test_a_csv_with_a_byte_order_mark_wrong_columns_and_broken_characters(tmp_path):
    desk, good = uuid4(), uuid4()
    (tmp_path / "workspaces.csv").write_text(f"\ufeffid,name,slug,created_at\n{desk},Desk,{unique('bom')},{AT}\n")
    lines = [
        f"{good},{desk},Zoë,{AT}".encode(),
        f"{uuid4()},{desk},short".encode(),
        f"{uuid4()},{desk},".encode() + b"\xff\xfe," + AT.encode(),
    ]
    (tmp_path / "contacts.csv").write_bytes(b"id,workspace_id,name,created_at\n" + b"\n".join(lines))
    said = run_import(files=tmp_path)
    assert Contact.objects.get(supabase_id=good).name == "Zoë"
    assert "wrong_number_of_columns" in said
    assert "not_utf8" in said


def test_other_names_and_ids_need_a_mapping_and_no_code(tmp_path):
    slug = unique("mapped")
    source = folder(
        tmp_path,
        firms=[{"nr": 7, "title": "Desk", "handle": slug, "born": 1709283600}],
        clients=[
            {"nr": 1, "firm": 7, "tel": "0600333222", "info": {"mail": "z@old.example"}, "stage": "1", "born": AT}
        ],
        chats=[{"nr": 5, "client": 1, "state": "Done", "born": AT}],
        lines=[{"nr": 9, "chat": 5, "who": "KUNDE", "words": "Bonjour", "born": AT}],
    )
    mapping = tmp_path / "my.toml"
    mapping.write_text("""
ids = "any"
[workspaces]
table = "firms"
fields = { id = "nr", name = "title", slug = "handle", created_at = "born", default_region = { value = "FR" } }
[contacts]
table = "clients"
[contacts.fields]
id = "nr"
workspace = "firm"
phone = "tel"
email = { column = "info", path = "mail" }
lead_status = { column = "stage", map = { "1" = "new" }, other = "contacted" }
created_at = "born"
[conversations]
table = "chats"
[conversations.fields]
id = "nr"
contact = "client"
created_at = "born"
status = { column = "state", map = { done = "resolved" } }
[messages]
table = "lines"
[messages.fields]
id = "nr"
conversation = "chat"
body = "words"
created_at = "born"
sender_kind = { column = "who", map = { kunde = "contact" } }
""")
    run_import(files=source, mapping=mapping)
    workspace = Workspace.objects.get(slug=slug)
    contact = Contact.objects.get(workspace=workspace)
    assert (contact.phone_normalized, contact.email, contact.lead_status) == ("+33600333222", "z@old.example", "new")
    message = Message.objects.get(workspace=workspace)
    assert (message.body, message.direction, message.conversation.status) == ("Bonjour", "in", "resolved")
    before = message.supabase_id
    run_import(files=source, mapping=mapping)
    assert Message.objects.get(workspace=workspace).supabase_id == before


MISTAKES = {
    "unknown table": ("[people]\n", "'people' is not known"),
    "unknown field": ('[contacts.fields]\nfone = "tel"\n', "'fone' is not known"),
    "unknown word": ('[conversations.fields]\nstatus = { column = "s", map = { a = "gone" } }\n', "'gone'"),
    "needed": ("[messages.fields]\nconversation = false\n", "cannot be left out"),
    "no column": ('[contacts.fields]\nname = "nowhere"\n', "there is no column nowhere"),
    "no file": ('[contacts]\ntable = "nowhere"\n', "there is no file nowhere"),
    "not TOML": ("contacts = [\n", "is not TOML"),
    "order": ('[contacts]\norder = ["age"]\n', "'age'"),
    "ids": ('ids = "numbers"\n', "ids must be"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_mapping_is_told_before_anything_is_read(tmp_path, name):
    text, message = MISTAKES[name]
    mapping = tmp_path / "my.toml"
    mapping.write_text(text)
    slug = unique("mistake")
    source = folder(
        tmp_path,
        workspaces=[{"id": uuid4(), "name": "Desk", "slug": slug, "created_at": AT}],
        contacts=[{"id": uuid4(), "workspace_id": uuid4(), "created_at": AT}],
    )
    with pytest.raises(CommandError, match=message):
        run_import(files=source, mapping=mapping)
    assert not Workspace.objects.filter(slug=slug).exists()


def test_the_shipped_mapping_can_be_printed_and_read_again(tmp_path):
    mapping = tmp_path / "shipped.toml"
    mapping.write_text(run_import(print_mapping=True))
    slug = unique("printed")
    source = folder(tmp_path, workspaces=[{"id": uuid4(), "name": "Desk", "slug": slug, "created_at": AT}])
    run_import(files=source, mapping=mapping)
    assert Workspace.objects.filter(slug=slug).exists()


def test_an_empty_folder_is_one_sentence(tmp_path):
    with pytest.raises(CommandError, match="None of the tables"):
        run_import(files=tmp_path)
