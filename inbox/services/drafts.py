"""What somebody has begun to write, the same on all their devices. A row stays when its draft is gone: its version goes
on, so that a device that slept through it cannot bring an old text back."""

from typing import Any
from uuid import UUID

from config.errors import Forbidden
from config.live.unit import unit_of_work
from crm.actors import Member
from crm.roles import Action
from inbox.access import conversation_for
from inbox.errors import DraftChanged
from inbox.events import announce_draft
from inbox.models import Draft
from inbox.payloads import DraftPayload, draft_payload
from jobs.compiled import Compiled

MOST_LISTED = 500


def get_draft(*, actor: Member, conversation_id: UUID) -> DraftPayload:
    conversation = conversation_for(actor, conversation_id)
    draft = Draft.objects.filter(user_id=actor.user_id, conversation=conversation).first()
    return draft_payload(draft) if draft else _none(conversation.pk)


def list_drafts(*, actor: Member) -> list[DraftPayload]:
    """Those with something in them, the newest first."""
    rows = Draft.objects.filter(user_id=actor.user_id, workspace_id=actor.workspace_id).order_by("-updated_at", "-id")
    return [draft_payload(row) for row in rows.exclude(body="", detail={})[:MOST_LISTED]]


@unit_of_work
def save_draft(
    *, actor: Member, conversation_id: UUID, version: int, body: str, is_note: bool, detail: dict[str, Any]
) -> Draft:
    """`version` is the one that this device knows, 0 for none. DraftChanged, with the newer one, when there is one."""
    conversation = conversation_for(actor, conversation_id)
    if not actor.may(Action.NOTE if is_note else Action.REPLY):
        raise Forbidden
    draft, created = Draft.objects.select_for_update(no_key=True).get_or_create(
        user_id=actor.user_id,
        conversation=conversation,
        defaults={"workspace_id": conversation.workspace_id, "version": 0},
    )
    wanted = (body, is_note, detail)
    if not created and (draft.body, draft.is_note, draft.detail) == wanted:
        return draft  # the same device again, whose answer was lost
    if draft.version != version:
        raise DraftChanged(draft=draft_payload(draft))
    draft.body, draft.is_note, draft.detail = wanted
    return _next(draft)


@unit_of_work
def delete_draft(*, actor: Member, conversation_id: UUID, version: int | None = None) -> None:
    """Of any version, unless one is named."""
    conversation = conversation_for(actor, conversation_id)
    if not (actor.may(Action.REPLY) or actor.may(Action.NOTE)):
        raise Forbidden
    rows = Draft.objects.select_for_update(no_key=True).filter(user_id=actor.user_id, conversation=conversation)
    draft = rows.first()
    if draft is None or (not draft.body and not draft.detail):
        return
    if version is not None and draft.version != version:
        raise DraftChanged(draft=draft_payload(draft))
    _empty(draft)


def clear(*, user_id: UUID, conversation_id: UUID) -> None:
    """It was sent. Inside the unit of work of the message."""
    draft = _LOCKED.first(user_id, conversation_id)
    if draft is not None and (draft.body or draft.detail):
        _empty(draft)


# Asked with every message.
_LOCKED = Compiled(
    lambda user, conversation: Draft.objects.select_for_update(no_key=True).filter(
        user_id=user, conversation_id=conversation
    ),
    UUID,
    UUID,
)


def _empty(draft: Draft) -> None:
    draft.body, draft.detail = "", {}
    _next(draft)


def _next(draft: Draft) -> Draft:
    draft.version += 1
    draft.save(update_fields=["body", "is_note", "detail", "version", "updated_at"])
    announce_draft(draft.user_id, draft_payload(draft))
    return draft


def _none(conversation_id: UUID) -> DraftPayload:
    return {
        "conversation": conversation_id,
        "body": "",
        "is_note": False,
        "detail": {},
        "version": 0,
        "updated_at": None,
    }
