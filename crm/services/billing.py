"""Billing accounts, as Stripe's events tell of them. Whatever the order of the events, the same rows come out.

Each fact carries what decides between two tellings of it: the provider's time first, then things that are in the facts
themselves, so that nothing depends on which came in first.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q

from config.errors import NotFound
from config.live.unit import unit_of_work
from crm.models import BillingAccount, Contact, PaymentAttempt, SubscriptionStatus, User, Workspace
from crm.profiles import announce_billing

STRIPE = "stripe"
LONG_AGO = datetime.min.replace(tzinfo=UTC)
# Of two tellings in the same second: what was asked of the provider after a tie beats any event but the end.
CREATED, UPDATED, FETCHED, DELETED = 1, 2, 8, 9
FINAL = (SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED)
# Towards the end of a subscription's life: of two tellings that nothing else decides between, the later in this list.
LIFE = ("none", "incomplete", "trialing", "active", "paused", "past_due", "unpaid", "incomplete_expired", "canceled")
FIELDS = (
    *("status", "price_id", "quantity", "period_end", "trial_ends_at"),
    *("cancels_at", "canceled_at", "ended_at", "collection_paused", "collection_resumes_at"),
)


@dataclass(frozen=True, slots=True)
class Names:
    """Whom an object's metadata names: words as they stand there, "" where it says nothing."""

    workspace: str = ""
    contact_id: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    id: str
    created: datetime | None
    status: str
    price_id: str = ""
    quantity: int | None = None
    period_end: datetime | None = None
    trial_ends_at: datetime | None = None
    cancels_at: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    collection_paused: str = ""
    collection_resumes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    workspace_id: UUID
    contact_id: UUID | None
    user_id: UUID | None
    rank: int  # 0 assumed, 1 the named workspace, 2 the named person


class NoWorkspace(NotFound):
    code = "no_workspace"
    message = "The event names no workspace of ours, and the settings name none for such events."


def lock_customer(customer_id: str) -> None:
    """One event of a customer at a time, also before there is a row to lock."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{STRIPE}:{customer_id}"])


@unit_of_work
def account_for(*, customer_id: str, names: Names, at: datetime, workspace_id: UUID | None) -> BillingAccount:
    """The customer's account, made when need be: found by metadata, then as a known customer, then in `workspace_id`.

    Never by an e-mail address. Raises NoWorkspace.
    """
    lock_customer(customer_id)
    account = _known(customer_id)
    owner = owner_of(names, workspace_id)
    if account is None:
        if owner is None:
            raise NoWorkspace
        account = BillingAccount(stripe_customer_id=customer_id)
        _give(account, owner, at)
        account.save(force_insert=True)
        announce_billing(account)
    elif owner is not None and _owner_key(owner, at) > _stored_owner_key(account):
        _give(account, owner, at)
        account.save(update_fields=["workspace", "contact", "user", "is_workspace", "owner_event_at", "updated_at"])
        _hand_over_payments(account)
        announce_billing(account)
    return account


def _known(customer_id: str) -> BillingAccount | None:
    accounts = BillingAccount.objects.select_for_update(no_key=True).filter(stripe_customer_id=customer_id)
    return accounts.order_by("created_at", "id").first()


def owner_of(names: Names, default_id: UUID | None) -> Owner | None:
    """What the names lead to; somebody who is not there is as good as not named."""
    named = _workspace(names.workspace)
    contact = _contact(names.contact_id, named)
    if contact is not None:
        return Owner(contact.workspace_id, contact.pk, None, 2)
    # Where only a user is named, the default is theirs too.
    workspace_id = named or default_id
    user_id = _user(names.user_id)
    if user_id and workspace_id:
        return Owner(workspace_id, None, user_id, 2)
    if named:
        return Owner(named, None, None, 1)
    return Owner(default_id, None, None, 0) if default_id else None


def workspace_by_slug(slug: str) -> UUID | None:
    return Workspace.objects.filter(slug=slug.lower()).values_list("pk", flat=True).first() if slug else None


def _workspace(word: str) -> UUID | None:
    """By slug or by id."""
    if not word:
        return None
    wanted = Q(slug=word.lower())
    if (found := _uuid(word)) is not None:
        wanted |= Q(pk=found)
    return Workspace.objects.filter(wanted).values_list("pk", flat=True).first()


def _contact(word: str, workspace_id: UUID | None) -> Contact | None:
    contact_id = _uuid(word)
    if contact_id is None:
        return None
    within: dict[str, Any] = {"workspace_id": workspace_id} if workspace_id else {}
    return Contact.objects.filter(pk=contact_id, **within).first()


def _user(word: str) -> UUID | None:
    user_id = _uuid(word)
    return user_id if user_id and User.objects.filter(pk=user_id).exists() else None


def _uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def _owner_key(owner: Owner, at: datetime) -> tuple[int, datetime, str]:
    return owner.rank, at if owner.rank else LONG_AGO, str(owner.contact_id or owner.user_id or owner.workspace_id)


def _stored_owner_key(account: BillingAccount) -> tuple[int, datetime, str]:
    rank = 0 if account.owner_event_at is None else 1 if account.is_workspace else 2
    # Of two that were only assumed the one that is there stays.
    who = str(account.contact_id or account.user_id or account.workspace_id) if rank else "~"
    return rank, account.owner_event_at or LONG_AGO, who


def _give(account: BillingAccount, owner: Owner, at: datetime) -> None:
    account.workspace_id = owner.workspace_id
    account.contact_id, account.user_id = owner.contact_id, owner.user_id
    account.is_workspace = owner.contact_id is None and owner.user_id is None
    account.owner_event_at = at if owner.rank else None


def _hand_over_payments(account: BillingAccount) -> None:
    """What the customer paid before it was known whose customer it is."""
    PaymentAttempt.objects.filter(provider=STRIPE, payer_id=account.stripe_customer_id).update(
        workspace_id=account.workspace_id, user_id=account.user_id
    )


# --- Subscription -------------------------------------------------------------------------------------------


@unit_of_work
def apply_subscription(*, account: BillingAccount, told: Subscription, at: datetime, rank: int) -> bool:
    """False when something that decides over it is known already. `account` is locked."""
    if account.subscription_event_at is not None and not _is_later(account, told, at, rank):
        return False
    account.stripe_subscription_id = told.id
    account.subscription_created_at = told.created
    account.subscription_event_at, account.subscription_event_rank = at, rank
    for name in FIELDS:
        setattr(account, name, getattr(told, name))
    account.save()
    announce_billing(account)
    return True


def _is_later(account: BillingAccount, told: Subscription, at: datetime, rank: int) -> bool:
    event_at = account.subscription_event_at or LONG_AGO
    if told.id != account.stripe_subscription_id:
        # A customer who left and came back: the later subscription is the one that counts.
        ours = (account.subscription_created_at or event_at, account.stripe_subscription_id)
        return (told.created or at, told.id) > ours
    theirs = (told.status in FINAL, at, rank, _content(told))
    return theirs > (account.status in FINAL, event_at, account.subscription_event_rank, _content(account))


def is_tie(account: BillingAccount, told: Subscription, at: datetime, rank: int) -> bool:
    """Two tellings of one second that differ: only the provider can say which is the later."""
    return (
        account.subscription_event_at == at
        and account.stripe_subscription_id == told.id
        and max(rank, account.subscription_event_rank) < FETCHED
        and not (told.status in FINAL or account.status in FINAL)
        and _content(account) != _content(told)
    )


def _content(of: BillingAccount | Subscription) -> tuple[int, tuple[str, ...]]:
    return LIFE.index(of.status), tuple(_sortable(getattr(of, name)) for name in FIELDS)


def _sortable(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return "" if value is None else f"{value:020d}" if isinstance(value, int) else str(value)


@unit_of_work
def link_subscription(*, account: BillingAccount, subscription_id: str) -> None:
    """A finished checkout names the subscription; until Stripe tells of it itself, that is all there is."""
    if account.subscription_event_at is None and subscription_id > account.stripe_subscription_id:
        account.stripe_subscription_id = subscription_id
        account.save(update_fields=["stripe_subscription_id", "updated_at"])
        announce_billing(account)


@unit_of_work
def apply_invoice(*, account: BillingAccount, is_paid: bool, at: datetime) -> bool:
    """Whether the newest invoice that says so could be charged; of two in one second the paid one is the later."""
    known = (account.invoice_event_at or LONG_AGO, account.payment_failed_at is None)
    if account.invoice_event_at is not None and (at, is_paid) <= known:
        return False
    account.invoice_event_at = at
    account.payment_failed_at = None if is_paid else at
    account.save(update_fields=["invoice_event_at", "payment_failed_at", "updated_at"])
    announce_billing(account)
    return True
