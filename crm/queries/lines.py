"""Rows of the list of contacts as REST tells them: in one statement, which joins nothing to those that a page has no
room for, and without models, which cost more than all the rest of the request."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from crm.payloads import INSIDE, ContactPayload

_INSIDE = [str(kind) for kind in INSIDE]


class ContactRowPayload(ContactPayload):
    last_seen: datetime | None


# Names as `User.display_name` has them. In the order of `contact_payload`, but for the owner's two columns.
_LINES = """
with asked as materialized (select page.id, row_number() over () as place from ({page}) as page)
select c.id, c.phone, c.phone_normalized, c.name, c.email, c.lead_status, c.lead_score, c.tags, c.metadata,
    c.attributes, u.id, coalesce(nullif(u.name, ''), nullif(split_part(u.email, '@', 1), ''), 'Someone'),
    (
        select jsonb_agg(jsonb_build_object('kind', i.kind, 'value', i.value)
            order by i.kind collate "C", i.value collate "C")
        from crm_contactidentity i where i.contact_id = c.id and i.kind <> all(%s)
    ),
    c.created_at, c.updated_at, c.deleted_at, m.last_message_at
from asked
join crm_contact c on c.id = asked.id
left join crm_user u on u.id = c.owner_id
left join crm_contactmemory m on m.contact_id = c.id
order by asked.place
"""


def lines(contacts: "QuerySet[Any, Any]") -> list[ContactRowPayload]:
    """`contacts`: those that the caller may be shown, ordered, as `values` with an `id`."""
    try:
        page, given = contacts.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_LINES.format(page=page), [*given, _INSIDE])
        return [_line(*row) for row in cursor.fetchall()]


def name_of(line: ContactRowPayload) -> str:
    """As `Contact.display_name`."""
    return line["name"] or line["phone_normalized"] or line["phone"] or line["email"] or "Someone"


def _line(
    id_: UUID,
    phone: str,
    phone_normalized: str,
    name: str,
    email: str,
    lead_status: str,
    lead_score: int | None,
    tags: list[str],
    metadata: str,
    attributes: str,
    owner_id: UUID | None,
    owner_name: str,
    identities: str | None,
    created_at: datetime,
    updated_at: datetime,
    deleted_at: datetime | None,
    last_seen: datetime | None,
) -> ContactRowPayload:
    return {
        "id": id_,
        "phone": phone,
        "phone_normalized": phone_normalized,
        "name": name,
        "email": email,
        "lead_status": lead_status,
        "lead_score": lead_score,
        "tags": tags,
        "metadata": _json(metadata),
        "attributes": _json(attributes),
        "owner": {"id": owner_id, "name": owner_name} if owner_id else None,
        "identities": _json(identities) if identities else [],
        "created_at": created_at,
        "updated_at": updated_at,
        "deleted_at": deleted_at,
        "last_seen": last_seen,
    }


def _json(text: str) -> Any:
    """As Postgres writes it: Django has its connections leave JSON as text."""
    return {} if text == "{}" else orjson.loads(text)
