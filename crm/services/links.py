"""Links to Stripe's hosted pages: paying for something, and managing what one pays for.

Called inside a request, since somebody waits for the link: three seconds at most and no transaction open.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings

from config.errors import Invalid, NotFound, Said
from crm import access
from crm.actors import Caller
from crm.clients import stripe
from crm.models import BillingAccount, Contact, Member, User
from crm.roles import Action

# Who clicks twice gets one checkout; who comes back later a fresh one.
SAME_CLICK_SECONDS = 300
HOME = "/inbox"


@dataclass(frozen=True, slots=True)
class Wanted:
    price: str
    quantity: int
    success_url: str
    cancel_url: str
    contact_id: UUID | None = None
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Link:
    id: str
    url: str
    expires_at: datetime | None


def create_checkout(*, actor: Caller, wanted: Wanted, idempotency_key: str = "") -> Link:
    """For a contact, for a user, or for the workspace itself when neither is named."""
    access.check(actor, Action.MANAGE)
    form = _checkout_form(actor, wanted)
    answer = stripe.create_checkout(form, idempotency_key=_once(actor, form, idempotency_key))
    expires = answer.get("expires_at")
    return Link(
        id=str(answer.get("id") or ""),
        url=str(answer["url"]),
        expires_at=datetime.fromtimestamp(expires, UTC) if isinstance(expires, int) else None,
    )


def create_portal(*, actor: Caller, account_id: UUID, return_url: str, idempotency_key: str = "") -> Link:
    access.check(actor, Action.MANAGE)
    account = BillingAccount.objects.filter(workspace_id=actor.workspace_id, pk=account_id).first()
    if account is None:
        raise NotFound
    form = {"customer": account.stripe_customer_id, "return_url": own_url("return_url", return_url)}
    answer = stripe.create_portal(form, idempotency_key=_once(actor, form, idempotency_key))
    return Link(id=str(answer.get("id") or ""), url=str(answer["url"]), expires_at=None)


def _checkout_form(actor: Caller, wanted: Wanted) -> dict[str, str]:
    form = {
        "mode": "subscription",
        "line_items[0][price]": wanted.price,
        "line_items[0][quantity]": str(wanted.quantity),
        "success_url": own_url("success_url", wanted.success_url),
        "cancel_url": own_url("cancel_url", wanted.cancel_url),
    }
    names, email, accounts = _payer(actor, wanted)
    # On the session and on the subscription: Stripe copies neither to the other.
    for name, value in names.items():
        form |= {f"metadata[{name}]": value, f"subscription_data[metadata][{name}]": value}
    form["client_reference_id"] = names.get("contact_id") or names.get("user_id") or names["workspace"]
    customer = (
        BillingAccount.objects.filter(workspace_id=actor.workspace_id, **accounts).order_by("-created_at").first()
    )
    if customer is not None:
        form["customer"] = customer.stripe_customer_id
    elif email:
        form["customer_email"] = email
    return form


def _payer(actor: Caller, wanted: Wanted) -> tuple[dict[str, str], str, dict[str, UUID | bool]]:
    """How the metadata names who pays, their address, and which accounts are theirs."""
    names = {"workspace": actor.workspace_slug}
    if wanted.contact_id and wanted.user_id:
        raise Invalid(errors={"user": "Either a contact or a user pays, not both."})
    if wanted.contact_id:
        contact: Contact = access.contact_for(actor, wanted.contact_id)
        return {**names, "contact_id": str(contact.pk)}, contact.email, {"contact_id": contact.pk}
    if wanted.user_id:
        user = _member(actor, wanted.user_id)
        return {**names, "user_id": str(user.pk)}, user.email, {"user_id": user.pk}
    return names, "", {"is_workspace": True}


def _member(actor: Caller, user_id: UUID) -> User:
    found = Member.objects.filter(workspace_id=actor.workspace_id, user_id=user_id).select_related("user").first()
    if found is None:
        raise NotFound
    return found.user


def own_url(field: str, value: str) -> str:
    """A path or an address of our own: who has paid must not be led to somebody else's page."""
    home = urlsplit(settings.PUBLIC_URL)
    plain = value.isprintable() and "\\" not in value and " " not in value
    if plain and not value:
        return f"{settings.PUBLIC_URL}{HOME}"
    if plain and value.startswith("/") and not value.startswith("//"):
        return f"{settings.PUBLIC_URL}{value}"
    try:
        target = urlsplit(value)
    except ValueError:
        target = urlsplit("")
    if not plain or (target.scheme, target.netloc) != (home.scheme, home.netloc):
        raise Invalid(errors={field: Said("Only addresses of {home} are taken.", home=home.netloc)})
    return value


def _once(actor: Caller, form: dict[str, str], given: str) -> str:
    said = given or f"{urlencode(form)}:{int(time.time() // SAME_CLICK_SECONDS)}"
    return hashlib.sha256(f"{actor.workspace_id}:{actor.user_id}:{said}".encode()).hexdigest()
