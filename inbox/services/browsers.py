"""Browsers that a person has let us wake. Their addresses work without any other credential, so they are secrets."""

import hashlib
from typing import Any
from urllib.parse import urlsplit

from config.errors import Conflict, Invalid
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Member
from crm.models import User
from crm.roles import Action
from inbox.models import PushSubscription
from inbox.notices import webpush

MOST = 20  # of a person; the oldest goes
LONGEST = 2000  # characters of an address


class PushNotSetUp(Conflict):
    code = "push_not_set_up"
    message = "Push is not set up on this server."


@unit_of_work
def remember_browser(*, actor: Member, endpoint: str, p256dh: str, auth: str) -> None:
    """Known already: the newest keys count, and whoever is signed in there now."""
    check(actor, Action.READ_INBOX)
    if not webpush.is_set_up():
        raise PushNotSetUp
    subscription: dict[str, Any] = {"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}}
    _check(subscription)
    User.objects.select_for_update(no_key=True).get(pk=actor.user_id)  # one at a time, or there would be more
    PushSubscription.objects.update_or_create(
        digest=_digest(endpoint), defaults={"user_id": actor.user_id, "subscription": subscription, "failed_at": None}
    )
    newest = PushSubscription.objects.filter(user_id=actor.user_id).order_by("-pk").values_list("pk", flat=True)
    PushSubscription.objects.filter(pk__in=list(newest[MOST:])).delete()


@unit_of_work
def forget_browser(*, actor: Member, endpoint: str) -> None:
    PushSubscription.objects.filter(user_id=actor.user_id, digest=_digest(endpoint)).delete()


def knows_browser(actor: Member, endpoint: str) -> bool:
    return PushSubscription.objects.filter(user_id=actor.user_id, digest=_digest(endpoint)).exists()


def _check(subscription: dict[str, Any]) -> None:
    try:
        parts = urlsplit(str(subscription["endpoint"]))
        is_address = parts.scheme == "https" and bool(parts.hostname) and not parts.username
        webpush.browser(subscription)
    except ValueError:
        is_address = False
    if not is_address:
        raise Invalid(errors={"endpoint": "What a browser's push service answers: an https address and its keys."})


def _digest(endpoint: str) -> bytes:
    return hashlib.sha256(endpoint.encode()).digest()
