"""Browsers that chat: their tokens, who they say they are, and who somebody else has signed that they are."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from config.live.identity import publish_access_change
from config.live.unit import unit_of_work
from crm.actors import System
from crm.ids import uuid7
from crm.models import Contact
from crm.services.contacts import alive, guest_contact, new_guest, tell_more
from crm.services.merging import merge_contacts
from inbox.chats import tokens
from inbox.models import Channel, Conversation, Participant, ParticipantRole, Visitor
from inbox.services.chats.signed import Signed

KEPT = timedelta(days=365)
SOURCE = "web chat"
# A browser that was let in and never wrote is forgotten after this, one whose token is worth nothing at once.
NEVER_WROTE = timedelta(days=30)
PRUNED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class About:
    """What a browser says of itself."""

    name: str = ""
    email: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    page_url: str = ""
    language: str = ""


@unit_of_work
def admit_visitor(
    *,
    channel: Channel,
    about: About,
    signed: Signed | None = None,
    known: Visitor | None = None,
    back: Conversation | None = None,
) -> tuple[Visitor, str]:
    """A visitor and its token. `known`: who the browser was until now, if it was somebody on this channel; its token is
    replaced, so one that was copied from here before is worth nothing. `back`: the chat that a link from our mail leads
    to, with its contact; the browser takes part in it from now on, beside the one it was begun on."""
    visitor = _same_browser(channel, signed, known)
    if visitor is not None and back is not None and visitor.contact_id != back.contact_id:
        visitor = None
    if visitor is None:
        visitor = Visitor(id=uuid7(), workspace_id=channel.workspace_id, channel=channel)
    else:
        publish_access_change(tokens.subject_of(visitor.pk))
    token, visitor.digest = tokens.new_token(visitor.pk)
    visitor.expires_at = timezone.now() + KEPT
    visitor.last_seen_at = timezone.now()
    _set(visitor, about)
    if signed is not None:
        visitor.external_id, visitor.user_id = signed.id, signed.user_id
        visitor.name = signed.name or visitor.name
        visitor.email = signed.email or visitor.email
    visitor.save()
    if signed is not None:
        _become(visitor, signed)
    elif back is not None:
        _come_back(visitor, back)
    return visitor, token


def _same_browser(channel: Channel, signed: Signed | None, known: Visitor | None) -> Visitor | None:
    """Somebody else at the same browser is somebody else: nobody reads on in what another has written."""
    if known is None or known.channel_id != channel.pk:
        return None
    if known.external_id and (signed is None or signed.id != known.external_id):
        return None
    return Visitor.objects.select_for_update(no_key=True).filter(pk=known.pk).first()


def _set(visitor: Visitor, about: About) -> None:
    visitor.name = about.name[:200] or visitor.name
    visitor.email = about.email or visitor.email
    visitor.answers = {**visitor.answers, **about.answers}
    visitor.page_url = about.page_url[:500] or visitor.page_url
    visitor.language = about.language[:20] or visitor.language


def _become(visitor: Visitor, signed: Signed) -> None:
    """The contact that the site's customer is. What the browser wrote as nobody comes along."""
    actor = System(visitor.workspace_id, SOURCE)
    contact = guest_contact(
        actor=actor, key=signed.key, name=signed.name, email=signed.email, trusted_email=signed.is_email_vouched
    )
    tell_more(contact=contact, name=signed.name, email=signed.email)
    before = visitor.contact
    if before is not None and before.pk != contact.pk and before.merged_into_id is None and _is_own(visitor, before):
        merge_contacts(actor=actor, winner_id=contact.pk, loser_id=before.pk)
    visitor.contact = contact
    visitor.save(update_fields=["contact"])
    _take_part_in_all(visitor, contact)


def _is_own(visitor: Visitor, contact: Contact) -> bool:
    """Made when this browser first wrote. One that was there before it came by a link from a mail, or from a merge: it
    has more to it than this browser may hand on to whoever signs in next."""
    return contact.created_at >= visitor.created_at


def _come_back(visitor: Visitor, chat: Conversation) -> None:
    visitor.contact = alive(System(visitor.workspace_id, SOURCE), chat.contact)
    visitor.email = visitor.email or chat.contact.email
    visitor.save(update_fields=["contact", "email"])
    Participant.objects.get_or_create(
        conversation=chat,
        role=ParticipantRole.VISITOR,
        visitor=visitor,
        defaults={"workspace_id": visitor.workspace_id},
    )


def _take_part_in_all(visitor: Visitor, contact: Contact) -> None:
    """History on every browser: signed, so it is theirs."""
    rows = Conversation.objects.filter(
        contact=contact, channel_id=visitor.channel_id, deleted_at=None, merged_into=None
    ).values_list("pk", flat=True)
    Participant.objects.bulk_create(
        [
            Participant(
                workspace_id=visitor.workspace_id, conversation_id=pk, role=ParticipantRole.VISITOR, visitor=visitor
            )
            for pk in rows
        ],
        ignore_conflicts=True,
    )


@unit_of_work
def describe_visitor(*, visitor_id: UUID, about: About) -> Visitor:
    """More of itself, later: an address while nobody answers, answers to what was asked before the chat."""
    visitor = Visitor.objects.select_for_update(no_key=True).get(pk=visitor_id)
    _set(visitor, about)
    visitor.save(update_fields=["name", "email", "answers", "page_url", "language"])
    if visitor.contact is not None:
        contact = alive(System(visitor.workspace_id, SOURCE), visitor.contact)
        tell_more(contact=contact, name=about.name, email=about.email, placeholder=placeholder_of(visitor.pk))
    return visitor


@unit_of_work
def revoke_visitor(*, visitor_id: UUID) -> None:
    """The token is worth nothing from now on, on sockets that are open too."""
    Visitor.objects.filter(pk=visitor_id, revoked_at=None).update(revoked_at=timezone.now())
    publish_access_change(tokens.subject_of(visitor_id))


def prune_visitors() -> int:
    """What their chats say stays with their contacts. As many as a run takes; the next one goes on."""
    now = timezone.now()
    worthless = Q(expires_at__lt=now) | Q(revoked_at__lt=now)
    silent = Q(contact=None, last_seen_at__lt=now - NEVER_WROTE)
    ids = Visitor.objects.filter(worthless | silent).order_by("pk").values_list("pk", flat=True)[:PRUNED_AT_ONCE]
    return Visitor.objects.filter(pk__in=list(ids)).delete()[1].get(Visitor._meta.label, 0)


def contact_of_visitor(visitor_id: UUID) -> Contact:
    """Made when they first write: pages are looked at by many who never do. Locks the visitor."""
    # Without a join: it would show the contact as of before the wait for the lock.
    visitor = Visitor.objects.select_for_update(no_key=True).get(pk=visitor_id)
    actor = System(visitor.workspace_id, SOURCE)
    if visitor.contact is not None:
        contact = alive(actor, visitor.contact)
    else:
        contact = new_guest(actor=actor, name=visitor.name or placeholder_of(visitor.pk), email=visitor.email)
    if visitor.contact_id != contact.pk:
        visitor.contact = contact
        visitor.save(update_fields=["contact"])
    return contact


def placeholder_of(visitor_id: UUID) -> str:
    """Somebody to tell from others until there is a name."""
    return _("Visitor %(code)s") % {"code": visitor_id.hex[-4:].upper()}
