"""Saved replies and macros: whose they are, what they say, and doing what a macro says."""

from collections.abc import Sequence
from typing import Any, TypedDict, TypeVar
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from config.errors import Conflict, Forbidden, Invalid, NotFound, Said
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor, Caller, System
from crm.models import Team, ViewAudience
from crm.roles import Action
from inbox.access import conversation_for
from inbox.events import announce_setting
from inbox.models import Conversation, Macro, Message, SavedReply
from inbox.services.amending import Known, Wanted, amend
from inbox.services.messages import send_message
from inbox.steps import Doing
from inbox.variables import Filled, fill, unknown_in

MOST = 1000  # of a workspace
MOST_STEPS = 20
Shared = TypeVar("Shared", SavedReply, Macro)


class ShortcutTaken(Conflict):
    code = "shortcut_taken"
    message = "There is a saved reply of this shortcut."


class Fields(TypedDict, total=False):
    shortcut: str
    title: str
    body: str
    name: str
    steps: list[dict[str, Any]]
    audience: str
    team: UUID | None


def visible(actor: Actor, rows: "QuerySet[Shared]") -> "QuerySet[Shared]":
    """One's own, those of one's teams, and everybody's."""
    check(actor, Action.READ_INBOX)
    rows = rows.filter(workspace_id=actor.workspace_id).select_related("team", "owner")
    if isinstance(actor, System):
        return rows
    mine = Q(audience=ViewAudience.MINE, owner_id=actor.user_id)
    ours = Q(audience=ViewAudience.TEAM, team__members__user_id=actor.user_id)
    return rows.filter(Q(audience=ViewAudience.EVERYONE) | mine | ours).distinct()


def one_of(actor: Actor, rows: "QuerySet[Shared]", pk: UUID) -> Shared:
    found = visible(actor, rows).filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


@unit_of_work
def save_reply(*, actor: Caller, fields: Fields, reply_id: UUID | None = None) -> SavedReply:
    row = one_of(actor, SavedReply.objects.all(), reply_id) if reply_id else SavedReply(**_new(actor, SavedReply))
    _check_may_write(actor, row)
    for name in ("shortcut", "title", "body"):
        setattr(row, name, fields.get(name, getattr(row, name)))
    if unknown := unknown_in(row.body):
        raise Invalid(errors={"body": Said("There is nothing to fill in for {blank}.", blank=f"{{{{{unknown[0]}}}}}")})
    _address(actor, row, fields)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise ShortcutTaken from None
    _announce(row)
    return row


@unit_of_work
def save_macro(*, actor: Caller, fields: Fields, macro_id: UUID | None = None) -> Macro:
    """`steps` have been read at the edge."""
    row = one_of(actor, Macro.objects.all(), macro_id) if macro_id else Macro(**_new(actor, Macro))
    _check_may_write(actor, row)
    row.name = fields.get("name", row.name)
    row.steps = fields.get("steps", row.steps)
    _address(actor, row, fields)
    row.save()
    _announce(row)
    return row


@unit_of_work
def delete(*, actor: Caller, row: SavedReply | Macro) -> None:
    _check_may_write(actor, row)
    _announce(row)
    row.delete()


def _announce(row: SavedReply | Macro) -> None:
    """Also of one's own alone: it says which, not what."""
    announce_setting(row.workspace.slug, "macro" if isinstance(row, Macro) else "saved_reply", row.pk)


def _new(actor: Caller, model: type[SavedReply] | type[Macro]) -> dict[str, Any]:
    check(actor, Action.REPLY)
    if model.objects.filter(workspace_id=actor.workspace_id).count() >= MOST:
        raise Invalid(errors={"name": Said("At most {most}.", most=f"{MOST:,}")})
    return {"workspace_id": actor.workspace_id, "owner_id": actor.user_id, "audience": ViewAudience.EVERYONE}


def _check_may_write(actor: Caller, row: SavedReply | Macro) -> None:
    """Everybody's by who made it or an admin; a team's by the team."""
    check(actor, Action.REPLY)
    is_own = row.owner_id == actor.user_id
    if row.audience == ViewAudience.EVERYONE and not is_own and not actor.may(Action.MANAGE_SETTINGS):
        raise Forbidden("What is for everyone is changed by who made it, or by an admin.")


def _address(actor: Caller, row: SavedReply | Macro, fields: Fields) -> None:
    row.audience = fields.get("audience", row.audience)
    if row.audience != ViewAudience.TEAM:
        row.team = None
    elif "team" in fields or row.team_id is None:
        teams = Team.objects.filter(workspace_id=actor.workspace_id, pk__in=[fields.get("team")])
        if not actor.may(Action.MANAGE_SETTINGS):
            teams = teams.filter(members__user_id=actor.user_id)
        row.team = teams.first()
        if row.team is None:
            raise Invalid(errors={"team": "Not a team of yours."})
    if row.audience == ViewAudience.MINE:
        row.owner_id = row.owner_id or actor.user_id


def preview_reply(*, actor: Caller, reply_id: UUID, conversation_id: UUID) -> Filled:
    reply = one_of(actor, SavedReply.objects.all(), reply_id)
    return fill(actor, conversation_for(actor, conversation_id), reply.body)


@unit_of_work
def use_reply(*, actor: Caller, reply_id: UUID, conversation_id: UUID) -> Filled:
    """The same, and it counts as used, so that lists can show what is used most."""
    filled = preview_reply(actor=actor, reply_id=reply_id, conversation_id=conversation_id)
    check(actor, Action.REPLY)
    SavedReply.objects.filter(pk=reply_id).update(uses=F("uses") + 1)
    return filled


# --- Macros -----------------------------------------------------------------------------------------------------


@unit_of_work
def apply_macro(
    *, actor: Caller, conversation_id: UUID, steps: Sequence[Doing], client_id: UUID
) -> tuple[Conversation, list[Message]]:
    """All of it or nothing, each step with the person's own rights. `client_id` makes its messages once."""
    conversation = conversation_for(actor, conversation_id, for_update=True)
    messages, known, wanted = [], Known(actor.workspace_id), Wanted()
    labels = frozenset(row.pk for row in conversation.labels.all())
    for position, step in enumerate(steps):
        if step.text is not None:
            sent, _ = send_message(
                actor=actor,
                conversation_id=conversation_id,
                client_id=uuid5(client_id, str(position)),
                body=step.text.text,
                note=step.do == "note",
            )
            messages.append(sent)
        wanted.update(step.wanted)
        if step.add or step.remove:
            labels = (labels | step.add) - step.remove
            wanted["labels"] = labels
    conversation = conversation_for(actor, conversation_id, for_update=True)
    amend(actor, conversation, wanted, known)
    return conversation, messages
