"""The issuer's accounts: making one, checking a password, and what the person may change about it."""

import json
from typing import Any, TypeGuard
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError, transaction
from django.db.models.functions import Lower
from django.utils import timezone

from config.errors import Conflict
from crm.issuer import errors
from crm.issuer.errors import IssuerError
from crm.models import IssuerAccount, IssuerSession

SHORTEST_PASSWORD = 6
LONGEST_PASSWORD = 72  # as Supabase's, whose hash reads no further
LARGEST_METADATA = 16 * 1024


class EmailTaken(Conflict):
    code = "email_exists"
    message = "Another account has this e-mail."


def create_account(user_id: UUID, email: str, password: str, name: str = "") -> IssuerAccount:
    """Confirmed at once. `user_id` becomes the `sub` of its tokens."""
    metadata = {"full_name": name} if name else {}
    try:
        with transaction.atomic():
            return IssuerAccount.objects.create(
                user_id=user_id,
                email=normalised(email),
                password=make_password(password),
                metadata=metadata,
                confirmed_at=timezone.now(),
            )
    except IntegrityError:
        raise EmailTaken from None


def authenticate(email: str, password: str) -> IssuerAccount:
    """Takes as long for an unknown address as for a wrong password, so that neither can be told from the other."""
    account = by_email(email)
    if not 0 < len(password) <= LONGEST_PASSWORD * 4:
        raise errors.invalid_credentials()
    if account is None:
        make_password(password)
        raise errors.invalid_credentials()
    if not check_password(password, account.password):
        raise errors.invalid_credentials()
    if account.banned:
        raise errors.banned(400)
    if account.confirmed_at is None:
        raise IssuerError(400, "email_not_confirmed", "Email not confirmed")
    return account


def by_email(email: str) -> IssuerAccount | None:
    return IssuerAccount.objects.annotate(address=Lower("email")).filter(address=normalised(email)).first()


def normalised(email: str) -> str:
    return email.strip().lower()


def is_text(value: object) -> TypeGuard[str]:
    """Text that Postgres and the hasher can take: JSON may carry NUL and half a character."""
    if not isinstance(value, str) or "\x00" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def update_account(*, session: IssuerSession, password: str | None, data: dict[str, Any] | None) -> IssuerAccount:
    """A new password ends the account's other sessions."""
    with transaction.atomic():
        account = IssuerAccount.objects.select_for_update(no_key=True).get(pk=session.account_id)
        if password is not None:
            _check_new_password(account, password)
            account.password = make_password(password)
            account.sessions.exclude(pk=session.pk).delete()
        if data is not None:
            account.metadata = _merged(account.metadata, data)
        account.save()
    return account


def _check_new_password(account: IssuerAccount, password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        reasons = {"reasons": ["length"]}
        message = f"Password should be at least {SHORTEST_PASSWORD} characters."
        raise IssuerError(422, "weak_password", message, weak_password=reasons)
    if len(password.encode()) > LONGEST_PASSWORD:
        raise IssuerError(400, "validation_failed", f"Password cannot be longer than {LONGEST_PASSWORD} characters")
    if check_password(password, account.password):
        raise IssuerError(422, "same_password", "New password should be different from the old password.")


def _merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """A null takes a name away."""
    merged = {name: value for name, value in (old | new).items() if value is not None}
    written = json.dumps(merged)
    # Postgres keeps neither NUL nor half a character in jsonb
    if len(written) > LARGEST_METADATA or "\\u0000" in written or not is_text(json.dumps(merged, ensure_ascii=False)):
        raise IssuerError(400, "validation_failed", "The user data cannot be kept")
    return merged
