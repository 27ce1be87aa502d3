"""Everything that happened with a contact, newest first, in one statement, whichever app it happened in.

Apps register what they know in AppConfig.ready(). A source is a SELECT of `at`, `ref` (unique among all sources, text),
`kind` and `data` (jsonb) with the parameters contact, workspace and reader (a user's id; null for the product).
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypedDict
from uuid import UUID

from django.db import connection

from config.errors import Invalid
from crm.access import contact_for
from crm.actors import Actor, System
from crm.models import Contact
from crm.roles import Action


class Source(NamedTuple):
    select: str
    needs: Action


_sources: dict[str, Source] = {}


class TimelineItem(TypedDict):
    id: str
    kind: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    items: list[TimelineItem]
    next: str | None


def tells(kind: str, select: str, *, needs: Action = Action.READ_INBOX) -> None:
    """Registers the source of `kind`. Its rows are visible to whoever may see the contact and do what it `needs`;
    where that goes no further than some rows, the SELECT itself asks who reads."""
    _sources[kind] = Source(select, needs)


def kinds() -> list[str]:
    return sorted(_sources)


def get_timeline(
    actor: Actor, contact_id: UUID, *, wanted: Sequence[str] = (), cursor: str | None = None, limit: int
) -> Stretch:
    """Raises NotFound."""
    return stretch_of(actor, contact_for(actor, contact_id), wanted=wanted, cursor=cursor, limit=limit)


def stretch_of(
    actor: Actor, contact: Contact, *, wanted: Sequence[str] = (), cursor: str | None = None, limit: int
) -> Stretch:
    """Of a contact that the reader has already been given."""
    chosen = list(wanted) or kinds()
    if unknown := [kind for kind in chosen if kind not in _sources]:
        raise Invalid(errors={"kind": f"There is no {unknown[0]}. There are: {', '.join(kinds())}."})
    at, ref = _read(cursor) if cursor else (None, None)
    chosen = [kind for kind in chosen if actor.may(_sources[kind].needs)]
    if not chosen:
        return Stretch([], None)
    reader = None if isinstance(actor, System) else actor.user_id
    told = {"contact": contact.pk, "workspace": contact.workspace_id, "reader": reader}
    with connection.cursor() as db:
        db.execute(
            _statement(chosen, is_first=at is None),
            {**told, "at": at, "ref": ref, "limit": limit + 1},
        )
        rows = db.fetchall()
    items: list[TimelineItem] = [
        {"id": ref, "kind": kind, "at": at, "data": json.loads(data)} for at, ref, kind, data in rows[:limit]
    ]
    return Stretch(items, _write(items[-1]) if len(rows) > limit else None)


def _statement(chosen: Sequence[str], *, is_first: bool) -> str:
    """`at <=` beside the pair, so that an index over the time can begin there."""
    older = "" if is_first else 'where at <= %(at)s and (at < %(at)s or ref collate "C" < %(ref)s)'
    last = 'order by at desc, ref collate "C" desc limit %(limit)s'
    parts = [
        f"(select at, ref, kind, data::text from ({_sources[kind].select}) as of_one {older} {last})"  # noqa: S608  # ours
        for kind in dict.fromkeys(chosen)
    ]
    return f"select * from ({' union all '.join(parts)}) as everything {last}"  # noqa: S608  # constants of ours


def _write(item: TimelineItem) -> str:
    return base64.urlsafe_b64encode(json.dumps([item["at"].isoformat(), item["id"]]).encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[datetime, str]:
    try:
        at, ref = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(ref, str) or "\x00" in ref:
            raise ValueError
        return moment, ref
    except (ValueError, TypeError, binascii.Error):
        raise Invalid("The cursor is not one of ours.", errors={"cursor": "Start again without it."}) from None


# --- What crm itself knows ------------------------------------------------------------------------------------

_NOTES = """
    select note.created_at as at, 'note:' || note.id as ref, 'note' as kind, jsonb_build_object(
        'id', note.id, 'body', note.body, 'mentions', note.mentions, 'updated_at', note.updated_at,
        'author', case when author.id is not null then jsonb_build_object('id', author.id, 'name', author.name) end
    ) as data
    from crm_contactnote note left join crm_user author on author.id = note.author_id
    where note.contact_id = %(contact)s and note.deleted_at is null
"""
# Who set what: lead status, score, owner, tags with before and after; of the rest that it was changed
_CHANGES = """
    select entry.at, 'change:' || entry.id as ref, 'change' as kind, jsonb_build_object(
        'action', entry.action, 'detail', entry.detail - 'request',
        'actor', jsonb_build_object('kind', entry.actor_kind, 'id', entry.actor_id, 'name', entry.actor_name)
    ) as data
    from crm_auditentry entry
    where entry.workspace_id = %(workspace)s and entry.target_kind = 'contact'
        and entry.target_id = %(contact)s::text
"""
_MERGES = """
    select coalesce(merge.undone_at, merge.merged_at) as at, 'merge:' || merge.id as ref, 'merge' as kind,
        jsonb_build_object(
            'id', merge.id, 'undone', merge.undone_at is not null, 'winner', merge.winner_id, 'loser', merge.loser_id,
            'by', case when person.id is not null then jsonb_build_object('id', person.id, 'name', person.name) end
        ) as data
    from crm_contactmerge merge
    left join crm_user person on person.id = coalesce(merge.undone_by_id, merge.merged_by_id)
    where %(contact)s in (merge.winner_id, merge.loser_id) and merge.workspace_id = %(workspace)s
"""
_BILLING = """
    select happened.at, 'billing:' || account.id || ':' || happened.what as ref, 'billing' as kind,
        jsonb_build_object(
            'account', account.id, 'what', happened.what, 'status', account.status, 'period_end', account.period_end
        ) as data
    from crm_billingaccount account, lateral (values
        ('known', account.created_at), ('subscribed', account.subscription_created_at),
        ('cancellation_asked', account.canceled_at), ('ended', account.ended_at),
        ('payment_failed', account.payment_failed_at)
    ) as happened(what, at)
    where account.contact_id = %(contact)s and happened.at is not null
"""
_PAYMENTS = """
    select coalesce(attempt.paid_at, attempt.failed_at, attempt.billed_at, attempt.created_at) as at,
        'payment:' || attempt.id as ref, 'payment' as kind, jsonb_build_object(
            'id', attempt.id, 'status', attempt.status, 'amount', attempt.amount, 'currency', attempt.currency,
            'refunded_amount', attempt.refunded_amount, 'provider', attempt.provider,
            'failure', nullif(attempt.failure_message, ''), 'failure_code', nullif(attempt.failure_code, '')
        ) as data
    from crm_billingaccount account
    join crm_paymentattempt attempt
        on attempt.payer_id = account.stripe_customer_id and attempt.workspace_id = account.workspace_id
    where account.contact_id = %(contact)s and attempt.deleted_at is null
"""


# A file's rows by who ran the import. What was taken off the list of imports keeps its rows here, without their name.
_IMPORTS = """
    select line.at, 'import:' || line.id as ref, 'import' as kind, jsonb_build_object(
        'import', run.id, 'filename', run.filename, 'row', line.row, 'created', line.is_new,
        'by', case when person.id is not null then jsonb_build_object('id', person.id, 'name', person.name) end
    ) as data
    from crm_contactimportline line
    left join crm_contactimport run on run.id = line.contact_import_id
    left join crm_user person on person.id = run.created_by_id
    where line.contact_id = %(contact)s
"""


def register_sources() -> None:
    tells("note", _NOTES)
    tells("change", _CHANGES)
    tells("merge", _MERGES)
    tells("billing", _BILLING)
    tells("payment", _PAYMENTS)
    tells("import", _IMPORTS)
