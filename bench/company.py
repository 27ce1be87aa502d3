"""A company of 100,000 contacts, 200,000 conversations and a million messages in many languages: filled once, and kept
for all benchmarks that only read it."""

import hashlib
from dataclasses import dataclass
from typing import Any

from processes import BENCH, ROOT
from stage import Stage

CONTACTS = 100_000  # with two conversations each
MESSAGES = 5  # a conversation
KEY = "sb_" + "b" * 43
LATE_INDEXES = ["message_search", "contact_search", "contact_trigrams", "contact_note_search"]


@dataclass(frozen=True)
class Company:
    database: str
    contacts: int
    note: str


def company(stage: Stage) -> Company:
    contacts = CONTACTS // 50 if stage.quick else CONTACTS
    texts = sorted((ROOT / "config/run/demo/texts").glob("*.txt"))
    made_of = [BENCH / "company_seed.sql", BENCH / "company.py", ROOT / "crm/search.py", *texts]
    database, took = stage.kept_database("company", lambda name: _fill(stage, name, contacts), *made_of, size=contacts)
    note = (
        f"{contacts:,} contacts, {2 * contacts:,} conversations, {2 * contacts * MESSAGES:,} messages in {len(texts)} "
        f"languages; " + (f"put there in {took:.0f} s" if took else "kept from an earlier run")
    )
    return Company(database, contacts, note)


def _fill(stage: Stage, database: str, contacts: int) -> None:
    environment = stage.product_environment(database, port=1)
    words = stage.ask("words", "product_search.py", {"do": "words", "root": str(ROOT)}, environment=environment)
    given: dict[str, Any] = {
        **stage.cast,
        "contacts": contacts,
        "messages": MESSAGES,
        "digest": hashlib.sha256(KEY.encode()).digest(),
    }
    with stage.connect(database) as connection:
        connection.execute("create temp table phrase (place bigint, text text, vector text)")
        connection.execute("create temp table name (number bigint, text text, vector text)")
        for table, rows in (("phrase", words["phrases"]), ("name", words["names"])):
            with connection.cursor().copy(f"copy {table} from stdin") as copy:
                for place, (text, vector) in enumerate(rows):
                    copy.write_row((place, text, vector))
            connection.execute(f"analyze {table}")
        # Built once over all rows, as after an import
        indexes = connection.execute(
            "select indexname, indexdef from pg_indexes where indexname = any(%s)", [LATE_INDEXES]
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"drop index {name}")
        for statement in (BENCH / "company_seed.sql").read_text().split(";\n"):
            if statement.strip():
                connection.execute(statement, given)
        connection.execute("set maintenance_work_mem = '256MB'")
        for _, definition in indexes:
            connection.execute(definition)
        connection.execute("vacuum (analyze)")
        connection.execute("checkpoint")
