"""Seats kept for addresses: made, sent, taken. The link is shown once; here only its token's digest stays."""

import hashlib
import secrets
from datetime import timedelta
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext

from config.errors import Conflict, Forbidden, Invalid, NotFound
from config.live.unit import unit_of_work
from crm.access import check, member_of
from crm.actors import Actor, Caller
from crm.actors import Member as MemberActor
from crm.encryption import decrypt, encrypt
from crm.models import Invitation, Member, User
from crm.roles import Action, Role
from crm.services import members
from crm.services.audit import record
from jobs.errors import ProviderError
from jobs.queue import enqueue

GOOD_FOR = timedelta(days=7)
MOST_OPEN = 200  # of one workspace: an invitation sends a mail to whoever is named
SMTP_PERMANENT = 500
MAIL_TASK = "crm.mail_invitation"


class AlreadyInvited(Conflict):
    code = "already_invited"
    message = "This address has an open invitation. Send it again, or take it back first."


class TooManyInvitations(Conflict):
    code = "too_many_invitations"
    message = f"A workspace has {MOST_OPEN} open invitations at most."


class InvitationClosed(Conflict):
    code = "invitation_closed"
    message = "This invitation was taken, taken back, or has expired."


class OtherAddress(Forbidden):
    code = "other_address"
    message = "This invitation is for another address. Sign in with the one it was sent to."


# --- The admin's side ---------------------------------------------------------------------------------------


@unit_of_work
def create_invitation(*, actor: Caller, email: str, role: str) -> tuple[Invitation, str]:
    """The invitation and its link. A mail goes out too where a mail server is known."""
    wanted = members.check_may_set(actor, role)
    email = _checked_address(email)
    members.lock_workspace(actor)
    if Member.objects.filter(workspace_id=actor.workspace_id, user__email__iexact=email).exists():
        raise members.AlreadyMember
    now = timezone.now()
    held = Invitation.objects.filter(workspace_id=actor.workspace_id, accepted_at=None, revoked_at=None)
    if held.filter(email__iexact=email, expires_at__gt=now).exists():
        raise AlreadyInvited
    if held.filter(expires_at__gt=now).count() >= MOST_OPEN:
        raise TooManyInvitations
    held.filter(email__iexact=email).update(revoked_at=now)  # one that ran out keeps no seat
    token = _new_token()
    invitation = Invitation.objects.create(
        workspace_id=actor.workspace_id,
        email=email,
        role=wanted,
        digest=token_digest(token),
        invited_by_id=actor.user_id,
        expires_at=now + GOOD_FOR,
    )
    _note(actor, invitation, "created", {"email": email, "role": wanted})
    _mail(invitation, token)
    return invitation, link(token)


@unit_of_work
def resend_invitation(*, actor: Caller, invitation_id: UUID) -> tuple[Invitation, str]:
    """A fresh link and a fresh week; the old link is good for nothing from now on."""
    invitation = _locked(actor, invitation_id)
    members.check_may_set(actor, invitation.role)
    token = _new_token()
    invitation.digest = token_digest(token)
    invitation.expires_at = timezone.now() + GOOD_FOR
    invitation.save(update_fields=["digest", "expires_at"])
    _note(actor, invitation, "resent", {"email": invitation.email})
    _mail(invitation, token)
    return invitation, link(token)


@unit_of_work
def revoke_invitation(*, actor: Actor, invitation_id: UUID) -> None:
    invitation = _locked(actor, invitation_id)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    _note(actor, invitation, "revoked", {"email": invitation.email})


# --- The guest's side ---------------------------------------------------------------------------------------


def invitation_for(user: User, token: str) -> Invitation:
    """What the link is about, for the one it was sent to. NotFound for a token that is none."""
    return _checked_guest(user, _by_token(token))


@unit_of_work
def accept_invitation(*, user: User, token: str) -> MemberActor:
    """The link was mailed to the address, and the issuer says that the guest signs in with that address: both count.

    Who invites may have lost the right to since, so what the inviter may do is asked again.
    """
    found = _by_token(token)
    _checked_guest(user, found)
    inviter = _inviter(found)
    members.lock_workspace(inviter)
    invitation = Invitation.objects.select_for_update(no_key=True).get(pk=found.pk)
    if not _is_open(invitation) or bytes(invitation.digest) != token_digest(token):
        raise InvitationClosed
    members.check_may_set(inviter, invitation.role)
    members.join(actor=inviter, user_id=user.pk, role=Role(invitation.role))
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    guest = member_of(user.pk, invitation.workspace_id)
    _note(guest, invitation, "accepted", {"role": invitation.role})
    return guest


def _inviter(invitation: Invitation) -> MemberActor:
    if invitation.invited_by_id is None:
        raise InvitationClosed
    try:
        inviter = member_of(invitation.invited_by_id, invitation.workspace_id)
        members.check_may_set(inviter, invitation.role)
    except (NotFound, Forbidden):
        raise InvitationClosed from None
    return inviter


def _by_token(token: str) -> Invitation:
    found = Invitation.objects.filter(digest=token_digest(token)).select_related("workspace", "invited_by").first()
    if found is None:
        raise NotFound
    return found


def _checked_guest(user: User, invitation: Invitation) -> Invitation:
    if user.is_anonymous or user.email.lower() != invitation.email.lower():
        raise OtherAddress
    if not _is_open(invitation):
        raise InvitationClosed
    return invitation


# --- Both ---------------------------------------------------------------------------------------------------


def link(token: str) -> str:
    return f"{settings.PUBLIC_URL}/invitations/{token}"


def token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def status_of(invitation: Invitation) -> str:
    if invitation.accepted_at:
        return "accepted"
    if invitation.revoked_at:
        return "revoked"
    return "open" if _is_open(invitation) else "expired"


def _is_open(invitation: Invitation) -> bool:
    closed = invitation.accepted_at or invitation.revoked_at
    return closed is None and invitation.expires_at > timezone.now()


def _locked(actor: Actor, invitation_id: UUID) -> Invitation:
    check(actor, Action.MANAGE_MEMBERS)
    rows = Invitation.objects.select_for_update(no_key=True).filter(workspace_id=actor.workspace_id, pk=invitation_id)
    invitation = rows.first()
    if invitation is None:
        raise NotFound
    if invitation.accepted_at or invitation.revoked_at:
        raise InvitationClosed
    return invitation


def _checked_address(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid(errors={"email": "This is not an e-mail address."}) from None
    return email.lower()


def _note(actor: Actor, invitation: Invitation, what: str, detail: dict[str, str]) -> None:
    record(
        actor=actor,
        action=f"invitation.{what}",
        target_kind="invitation",
        target_id=invitation.pk,
        detail=detail,
    )


# --- Mail -----------------------------------------------------------------------------------------------------


def _mail(invitation: Invitation, token: str) -> None:
    """Sealed, since jobs are read by people who were not invited."""
    if not settings.EMAIL_URL:  # type: ignore[misc]  # set by config.env
        return
    enqueue(
        MAIL_TASK,
        key=f"{MAIL_TASK}:{invitation.pk}:{invitation.expires_at.timestamp()}",
        lane="",
        workspace_id=invitation.workspace_id,
        payload={"invitation": str(invitation.pk), "sealed": encrypt(token)},
    )


def mail_invitation(*, invitation_id: UUID, sealed: str) -> dict[str, str]:
    """For the job. A link that was replaced or closed meanwhile is not sent any more."""
    token = decrypt(sealed)
    invitation = (
        Invitation.objects.filter(pk=invitation_id, digest=token_digest(token))
        .select_related("workspace", "invited_by")
        .first()
    )
    if invitation is None or not _is_open(invitation):
        return {"skipped": "closed"}
    by = invitation.invited_by.display_name if invitation.invited_by else invitation.workspace.name
    words = {"workspace": invitation.workspace.name, "by": by, "link": link(token), "days": GOOD_FOR.days}
    subject = gettext("%(by)s invites you to %(workspace)s") % {name: _one_line(str(words[name])) for name in words}
    message = EmailMessage(subject, render_to_string("crm/invitation.txt", words).strip(), to=[invitation.email])
    try:
        message.send()
    except (SMTPException, OSError) as error:
        # Its own text names the address, and a job's error is read by many.
        raise ProviderError(
            "The mail server did not take it.", permanent=_is_for_good(error), code=type(error).__name__
        ) from None
    return {"sent": "yes"}


def _is_for_good(error: Exception) -> bool:
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= SMTP_PERMANENT for code, _ in error.recipients.values())
    return isinstance(error, SMTPResponseException) and error.smtp_code >= SMTP_PERMANENT


def _one_line(text: str) -> str:
    return " ".join(text.split())
