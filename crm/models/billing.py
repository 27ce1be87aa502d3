"""Who pays and how that stands, as Stripe and the identity provider tell it. Written by their events alone."""

from django.db import models
from django.db.models import F, Q

from crm.models.contacts import Contact
from crm.models.people import User
from crm.models.workspaces import Workspace
from crm.tenancy import TenantModel, tenant_key


class SubscriptionStatus(models.TextChoices):
    """Stripe's words. NONE: a known customer without a subscription."""

    NONE = "none"
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELED = "canceled"
    UNPAID = "unpaid"
    PAUSED = "paused"


PAST_DUE = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID)


class BillingAccount(TenantModel):
    """One Stripe customer. It belongs to exactly one of a contact, a user, or the workspace itself."""

    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    contact = models.ForeignKey(Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    is_workspace = models.BooleanField(default=False)
    # `created` of the event whose metadata named the owner; without one it is only assumed to be the workspace
    owner_event_at = models.DateTimeField(null=True, blank=True)

    stripe_customer_id = models.CharField(max_length=255)
    stripe_subscription_id = models.CharField(max_length=255, blank=True)
    status = models.CharField(max_length=20, choices=SubscriptionStatus.choices, default=SubscriptionStatus.NONE)
    price_id = models.CharField(max_length=255, blank=True)
    quantity = models.PositiveIntegerField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    # Both of Stripe's ways to cancel later: at the end of the period (which end is then this one) or at a given time
    cancels_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)  # when it was asked for
    ended_at = models.DateTimeField(null=True, blank=True)
    # Stripe's `pause_collection`: what becomes of the invoices meanwhile. The status says nothing of it
    collection_paused = models.CharField(max_length=30, blank=True, db_default="")
    collection_resumes_at = models.DateTimeField(null=True, blank=True)  # empty: until somebody says so
    payment_failed_at = models.DateTimeField(null=True, blank=True)  # the open invoice that could not be charged

    # `created` of the newest event applied to the subscription and to the invoice: older ones change nothing. Of two
    # in the same second the rank decides; of two subscriptions the one that was made later.
    subscription_created_at = models.DateTimeField(null=True, blank=True)
    subscription_event_at = models.DateTimeField(null=True, blank=True)
    subscription_event_rank = models.PositiveSmallIntegerField(default=0, db_default=0)
    invoice_event_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            tenant_key("billing_account"),
            models.UniqueConstraint(fields=["workspace", "stripe_customer_id"], name="billing_account_customer_once"),
            models.CheckConstraint(
                condition=Q(contact__isnull=False, user=None, is_workspace=False)
                | Q(contact=None, user__isnull=False, is_workspace=False)
                | Q(contact=None, user=None, is_workspace=True),
                name="billing_account_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(status__in=SubscriptionStatus.values), name="billing_account_status_known"
            ),
        ]
        indexes = [
            models.Index(fields=["stripe_customer_id"], name="billing_account_customer"),
            models.Index(fields=["workspace", "status", "id"], name="billing_account_status"),
            models.Index(fields=["contact"], condition=~Q(contact=None), name="billing_account_contact"),
            models.Index(fields=["user"], condition=~Q(user=None), name="billing_account_user"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class PaymentStatus(models.TextChoices):
    PENDING = "pending"
    FAILED = "failed"
    PAID = "paid"
    REFUNDED = "refunded"


class PaymentAttempt(TenantModel):
    """One payment somebody tried to make. Known by the provider's payment id, whichever provider tells of it."""

    supabase_id = models.UUIDField(null=True, blank=True, unique=True)
    payment_id = models.CharField(max_length=255, unique=True)
    provider = models.CharField(max_length=20)  # stripe, or the identity provider's billing
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    payer_id = models.CharField(max_length=255, blank=True)  # as the provider names who pays: a user, a customer
    invoice_id = models.CharField(max_length=255, blank=True)

    status = models.CharField(max_length=10, choices=PaymentStatus.choices, default=PaymentStatus.PENDING)
    charge_type = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3, blank=True)  # ISO 4217, upper case
    # Minor units (cents)
    amount = models.BigIntegerField(default=0)
    subtotal = models.BigIntegerField(null=True, blank=True)
    tax = models.BigIntegerField(null=True, blank=True)
    refunded_amount = models.BigIntegerField(default=0, db_default=0)  # of it all, a part included
    failure_code = models.CharField(max_length=100, blank=True)
    failure_message = models.CharField(max_length=300, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    billed_at = models.DateTimeField(null=True, blank=True)

    provider_updated_at = models.DateTimeField(null=True, blank=True)  # older news change nothing
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)  # its user took it from the list

    class Meta:
        constraints = [
            tenant_key("payment_attempt"),
            models.CheckConstraint(condition=Q(status__in=PaymentStatus.values), name="payment_attempt_status_known"),
        ]
        indexes = [
            models.Index(F("user"), F("id").desc(), condition=Q(deleted_at=None), name="payment_attempt_of_user"),
            models.Index(F("payer_id"), F("id").desc(), name="payment_attempt_of_payer"),
            models.Index(F("workspace"), F("id").desc(), name="payment_attempt_newest"),
        ]

    def __str__(self) -> str:
        return self.payment_id


class ProviderEvent(models.Model):
    """That an event of Stripe or the identity provider took effect: the same id again changes nothing.

    Kept as long as its effects, unlike the journal and the jobs.
    """

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255)
    type = models.CharField(max_length=100)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.type}"
