"""A file of contacts, imported into a workspace without any and into one of 100,000: rows a second, and whether what a
row takes grows with the contacts that are there."""

from typing import Any

from processes import BenchError
from report import Result, Row, rate
from stage import Stage

ROWS = 10_000
BESIDE = 100_000  # contacts that are there
LEAST = 0.7  # of the pace without them
CONTACTS = """
    insert into crm_contact (id, workspace_id, phone, phone_normalized, name, email, lead_status, tags, metadata,
        attributes, search, created_at, updated_at)
    select uuidv7(), %(workspace)s, '+1202' || n, '+1202' || n, 'Somebody ' || n, 'somebody' || n || '@bench.example',
        'new', '{}', '{}', '{}', ('somebody' || n || ' 1202' || n)::tsvector, now(), now()
    from generate_series(5000000, 5000000 + %(contacts)s - 1) as n
"""
IDENTITIES = """
    insert into crm_contactidentity (id, workspace_id, contact_id, kind, value, created_at)
    select uuidv7(), workspace_id, id, form.kind, form.value, now()
    from crm_contact, lateral (
        values ('match', ltrim(phone, '+')), ('phone', phone), ('email', email)
    ) as form (kind, value)
"""


def take(stage: Stage) -> Result:
    rows, contacts = (2_000, 5_000) if stage.quick else (ROWS, BESIDE)
    alone, beside = _imported(stage, "filing_alone", rows, 0), _imported(stage, "filing_beside", rows, contacts)
    result = Result("file", "a file of contacts imported in process, its job included")
    result.rows = [
        _row(f"new rows beside {contacts:,} contacts, beside none", rows, beside["new"], alone["new"]),
        _row("the same rows again, as updates", rows, beside["again"], alone["again"]),
    ]
    result.notes.append(f"{rows:,} rows with name, number, address and tag")
    result.raw = {"alone": alone, "beside": beside}
    return result


def _row(name: str, rows: int, beside: dict[str, Any], alone: dict[str, Any]) -> Row:
    ratio = alone["seconds"] / beside["seconds"]
    pace, without = rate(rows / beside["seconds"]), rate(rows / alone["seconds"])
    return Row(name, pace, without, f"{ratio:.2f}", f">= {LEAST}", ratio >= LEAST)


def _imported(stage: Stage, name: str, rows: int, contacts: int) -> dict[str, Any]:
    database = stage.database(name)
    if contacts:
        with stage.connect(database) as connection:
            given = {"workspace": stage.cast["workspace_id"], "contacts": contacts}
            connection.execute(CONTACTS, given)
            connection.execute(IDENTITIES)
            connection.execute("vacuum (analyze)")
    stage.checkpoint()
    environment = stage.product_environment(database, port=1)
    answer: dict[str, Any] = stage.ask("file", "product_file.py", {"rows": rows}, environment=environment, seconds=900)
    counts = [answer["new"][name] for name in ("state", "created")] + [answer["again"]["updated"]]
    if counts != ["completed", rows, rows]:
        raise BenchError(f"the import ended otherwise: {counts}")
    return answer
