"""People as the identity provider's events tell of them: made, changed, gone. Whatever the order of the events, the
same rows come out, and nobody who is gone comes back by an event that was late."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from config.live.unit import unit_of_work
from crm.models import BrowserSession, PaymentAttempt, User, UserIdentity
from crm.services.roles import LastAdmin, deactivate_user, reactivate_user

SUPABASE = "supabase"


@dataclass(frozen=True, slots=True)
class ProviderUser:
    """Addresses only where the provider has verified them."""

    provider: str
    subject: str
    at: datetime
    is_new: bool
    email: str = ""
    phone: str = ""
    name: str = ""
    is_barred: bool = False


@unit_of_work
def keep_user(*, told: ProviderUser) -> dict[str, Any]:
    """Makes, links or changes the user. What is older than what is known changes nothing."""
    identity = _locked(told.provider, told.subject)
    if identity is None:
        identity, is_new = _make(told)
        if is_new:
            return _said(identity, made=True)
    if identity.removed_at is not None or not _is_later(identity, told):
        return _said(identity, stale=True)
    identity.provider_time = told.at
    _take_over(identity, told)
    _bar(identity, told)
    identity.save(update_fields=["provider_time", "barred_at"])
    return _said(identity)


@unit_of_work
def remove_user(*, provider: str, subject: str, at: datetime) -> dict[str, Any]:
    """The user stays, deactivated, with all they did. Somebody who never came is remembered as gone."""
    identity = _locked(provider, subject) or _make(ProviderUser(provider, subject, at, is_new=False), gone=True)[0]
    if identity.removed_at is None:
        identity.removed_at = at
        identity.save(update_fields=["removed_at"])
    return _said(identity, **_deactivate(identity.user_id))


def _is_later(identity: UserIdentity, told: ProviderUser) -> bool:
    known = identity.provider_time
    # Made and changed at the same moment: the change is the later.
    return known is None or told.at > known or (told.at == known and not told.is_new)


def _locked(provider: str, subject: str) -> UserIdentity | None:
    identities = UserIdentity.objects.select_for_update(no_key=True).select_related(None)
    return identities.filter(provider=provider, subject=subject).first()


def _make(told: ProviderUser, *, gone: bool = False) -> tuple[UserIdentity, bool]:
    """Two at once meet at the unique key, and the second one finds the first one's row."""
    user = None if gone else _linked(told)
    if user is None:
        user = User(name=told.name[:200], email=told.email, phone=told.phone)
        if told.provider == SUPABASE:
            user.pk = UUID(told.subject)
        User.objects.bulk_create([user], ignore_conflicts=True)
    identity = UserIdentity(user_id=user.pk, provider=told.provider, subject=told.subject)
    identity.provider_time = None if gone else told.at
    UserIdentity.objects.bulk_create([identity], ignore_conflicts=True)
    stored = _locked(told.provider, told.subject)
    assert stored is not None  # noqa: S101 - by the statement before
    if stored.pk != identity.pk:
        User.objects.filter(pk=user.pk, identities=None).delete()  # the other one made theirs
        return stored, False
    if not gone:
        _bar(stored, told)
        stored.save(update_fields=["barred_at"])
    _hand_over_payments(stored)
    return stored, True


def _linked(told: ProviderUser) -> User | None:
    """The one user with this address, which the provider has verified. Two are no reason to guess."""
    if not told.email:
        return None
    found = User.objects.filter(email__iexact=told.email, is_anonymous=False, deactivated_at=None)
    users = list(found.exclude(identities__provider=told.provider)[:2])
    return users[0] if len(users) == 1 else None


def _hand_over_payments(identity: UserIdentity) -> None:
    """What they paid before it was told who they are."""
    PaymentAttempt.objects.filter(provider=identity.provider, payer_id=identity.subject, user=None).update(
        user_id=identity.user_id
    )


def _take_over(identity: UserIdentity, told: ProviderUser) -> None:
    """Who is known by another provider too keeps what that one says; gaps are filled."""
    user = User.objects.select_for_update(no_key=True).get(pk=identity.user_id)
    is_shared = UserIdentity.objects.filter(user=user).exclude(pk=identity.pk).exists()
    given = {"name": told.name[:200], "email": told.email, "phone": told.phone}
    changed = {
        name: value
        for name, value in given.items()
        if value and value != getattr(user, name) and not (is_shared and getattr(user, name))
    }
    for name, value in changed.items():
        setattr(user, name, value)
    if changed:
        user.save(update_fields=list(changed))


def _bar(identity: UserIdentity, told: ProviderUser) -> None:
    """Banned at the provider is deactivated here, until it is taken back there. Who was deactivated here stays so."""
    if told.is_barred and identity.barred_at is None:
        was_active = User.objects.filter(pk=identity.user_id, deactivated_at=None).exists()
        _deactivate(identity.user_id)
        identity.barred_at = told.at if was_active else None
    elif not told.is_barred and identity.barred_at is not None:
        identity.barred_at = None
        reactivate_user(by=None, user_id=identity.user_id)


def _deactivate(user_id: UUID) -> dict[str, Any]:
    try:
        deactivate_user(by=None, user_id=user_id)
    except LastAdmin:
        # Nobody could let anybody in again. Signed out all the same; the operator sees it in the outcome.
        BrowserSession.objects.filter(user_id=user_id).delete()
        return {"kept_last_admin": True}
    return {"deactivated": True}


def user_for(provider: str, subject: str) -> UUID | None:
    identity = UserIdentity.objects.filter(provider=provider, subject=subject).values_list("user_id", flat=True)
    return identity.first() if subject else None


def _said(identity: UserIdentity, **more: Any) -> dict[str, Any]:
    return {"user_id": str(identity.user_id), **more}
