"""Contacts that may be one person: the same address, the same number written in two ways, or names that are nearly
equal and numbers that end alike. Indexed by what they share; a group that everybody is in is no hint.
"""

from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

from django.db import connection

from config.errors import Invalid
from crm.access import contact_for, visible_contacts
from crm.actors import Actor
from crm.models import Contact
from crm.payloads import ContactPayload, contact_payload

# As digits, less what Brazil, Mexico and Argentina write in two ways
_NUMBER = r"""
regexp_replace(regexp_replace(regexp_replace(ltrim({0}.phone_normalized, '+'),
    '^521(\d{{10}})$', '52\1'), '^(55\d\d)9([6-9]\d{{7}})$', '\1\2'), '^549(\d{{10}})$', '54\1')
"""
_NEAR = 0.35  # of pg_trgm's similarity: "Lucía García" and "Garcia Lucia" are near, two first names alike are not
_LARGEST_GROUP = 20
_ALIKE = f"({_NUMBER.format('one')} = {_NUMBER.format('other')})"
_NAMED_ALIKE = f"similarity(upper(one.name), upper(other.name)) >= {_NEAR}"
_ALIVE = "{0}.workspace_id = %(workspace)s and {0}.deleted_at is null"
_PAIRS = f"""
with mailed as (
    select lag(one.id) over (partition by lower(one.email) order by one.id) as first, one.id as second
    from crm_contact one where {_ALIVE.format("one")} and one.email <> ''
), ending as (
    select one.id, one.name, one.phone_normalized, right(one.phone_normalized, 7) as digits,
        count(*) over (partition by right(one.phone_normalized, 7)) as size
    from crm_contact one where {_ALIVE.format("one")} and one.phone_normalized <> ''
), alike as (
    select one.id as first, other.id as second, case when {_ALIKE} then 'phone' else 'name' end as reason
    from ending one join ending other on one.digits = other.digits and one.id < other.id
    where one.size between 2 and {_LARGEST_GROUP} and ({_ALIKE} or {_NAMED_ALIKE})
), pairs as (
    select first, second, 'email' as reason from mailed where first is not null
    union all select first, second, reason from alike
)
"""  # noqa: S608 - constants only
_OF_ONE = f"""
with pairs as (
    select one.id as first, other.id as second, 'email' as reason from crm_contact one
    join crm_contact other on {_ALIVE.format("other")} and lower(other.email) = lower(one.email) and other.email <> ''
    where one.id = %(contact)s and other.id <> one.id
    union all
    select one.id, other.id, case when {_ALIKE} then 'phone' else 'name' end from crm_contact one
    join crm_contact other on {_ALIVE.format("other")}
        and right(other.phone_normalized, 7) = right(one.phone_normalized, 7) and other.phone_normalized <> ''
    where one.id = %(contact)s and other.id <> one.id and ({_ALIKE} or {_NAMED_ALIKE})
)
"""  # noqa: S608
_PAGE = """
select first, second, array_agg(distinct reason order by reason) from pairs
where (%(second)s::uuid is null or (second, first) < (%(second)s::uuid, %(first)s::uuid))
    and not exists (
        select from crm_contactmerge apart where apart.undone_at is not null
            and ((apart.winner_id = first and apart.loser_id = second)
                or (apart.winner_id = second and apart.loser_id = first))
    )
group by first, second order by second desc, first desc limit %(limit)s
"""


class DuplicatePayload(TypedDict):
    contacts: list[ContactPayload]
    reasons: list[str]  # email, phone, name


@dataclass(frozen=True, slots=True)
class Found:
    rows: list[DuplicatePayload]
    next: str | None


def list_duplicates(
    actor: Actor, *, contact_id: UUID | None = None, cursor: str | None = None, limit: int = 50
) -> Found:
    """Newest first. Pairs that somebody said are two people are left out, and merges that were undone."""
    if contact_id is not None:
        contact_for(actor, contact_id)
    after = _read(cursor)
    with connection.cursor() as db:
        db.execute(
            (_OF_ONE if contact_id else _PAIRS) + _PAGE,
            {
                "workspace": actor.workspace_id,
                "contact": contact_id,
                "first": after[0],
                "second": after[1],
                "limit": limit + 1,
            },
        )
        pairs = db.fetchall()
    shown = pairs[:limit]
    known = _contacts(actor, [one for pair in shown for one in pair[:2]])
    rows: list[DuplicatePayload] = [
        {"contacts": [contact_payload(known[first]), contact_payload(known[second])], "reasons": reasons}
        for first, second, reasons in shown
        if first in known and second in known
    ]
    more = f"{shown[-1][0]},{shown[-1][1]}" if len(pairs) > limit else None
    return Found(rows, more)


def _contacts(actor: Actor, ids: list[UUID]) -> dict[UUID, Contact]:
    rows = visible_contacts(actor).filter(pk__in=ids).select_related("owner").prefetch_related("identities")
    return {contact.pk: contact for contact in rows.defer("search")}


def _read(cursor: str | None) -> tuple[UUID | None, UUID | None]:
    if not cursor:
        return None, None
    try:
        first, second = cursor.split(",")
        return UUID(first), UUID(second)
    except ValueError:
        raise Invalid("The cursor is not one of ours.", errors={"cursor": "Start again without it."}) from None
