"""REST of billing: parse, call one service or query, answer."""

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import Invalid
from crm import billing
from crm.api.base import PAGING, WORD_LIMIT, WorkspaceView, checked, list_page, page_schema, schema_of, word
from crm.identity.requests import signed_in_user
from crm.models import SubscriptionStatus
from crm.services import links, payments

# --- Lists for admins ---------------------------------------------------------------------------------------


class AccountQuery(serializers.Serializer[Any]):
    customer = word()
    status = serializers.ChoiceField(SubscriptionStatus.choices, required=False)


class BillingAccountList(WorkspaceView):
    @extend_schema(
        operation_id="list_billing_accounts",
        parameters=[AccountQuery, *PAGING],
        responses={200: page_schema(billing.BillingAccountPayload)},
    )
    def get(self, request: Request, workspace: str) -> Response:
        """Newest first. For admins."""
        given = checked(AccountQuery(data=request.query_params))
        return list_page(request, billing.list_accounts(self.actor(request), **given), billing.account_payload, given)


class AttemptQuery(serializers.Serializer[Any]):
    payment = word()
    payer = word()
    user = serializers.UUIDField(required=False)


class PaymentAttemptList(WorkspaceView):
    @extend_schema(
        operation_id="list_payment_attempts",
        parameters=[AttemptQuery, *PAGING],
        responses={200: page_schema(billing.PaymentAttemptPayload)},
    )
    def get(self, request: Request, workspace: str) -> Response:
        """Newest first. For admins."""
        given = checked(AttemptQuery(data=request.query_params))
        return list_page(request, billing.list_attempts(self.actor(request), **given), billing.attempt_payload, given)


# --- Links ----------------------------------------------------------------------------------------------------


class CheckoutBody(serializers.Serializer[Any]):
    price = serializers.RegexField(r"\A[A-Za-z0-9_-]{1,255}\Z")
    quantity = serializers.IntegerField(min_value=1, max_value=100_000, default=1)
    success_url = serializers.CharField(required=False, default="", max_length=2000, allow_blank=True)
    cancel_url = serializers.CharField(required=False, default="", max_length=2000, allow_blank=True)
    contact = serializers.UUIDField(required=False, allow_null=True, default=None)
    user = serializers.UUIDField(required=False, allow_null=True, default=None)


class CheckoutPayload(TypedDict):
    id: str
    url: str
    expires_at: datetime | None


IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key", location=OpenApiParameter.HEADER, description="The same key again gives the same link."
)


class Checkout(WorkspaceView):
    @extend_schema(
        operation_id="create_checkout",
        parameters=[IDEMPOTENCY],
        request=CheckoutBody,
        responses={201: schema_of(CheckoutPayload)},
    )
    def post(self, request: Request, workspace: str) -> Response:
        """A link to Stripe's page where a contact, a user or the workspace itself subscribes. For admins."""
        given = checked(CheckoutBody(data=request.data))
        made = links.create_checkout(
            actor=self.actor(request),
            wanted=links.Wanted(
                price=given["price"],
                quantity=given["quantity"],
                success_url=given["success_url"],
                cancel_url=given["cancel_url"],
                contact_id=given["contact"],
                user_id=given["user"],
            ),
            idempotency_key=_idempotency_key(request),
        )
        return Response({"id": made.id, "url": made.url, "expires_at": made.expires_at}, status=201)


class PortalBody(serializers.Serializer[Any]):
    return_url = serializers.CharField(required=False, default="", max_length=2000, allow_blank=True)


class PortalPayload(TypedDict):
    url: str


class Portal(WorkspaceView):
    @extend_schema(
        operation_id="create_portal",
        parameters=[IDEMPOTENCY],
        request=PortalBody,
        responses={201: schema_of(PortalPayload)},
    )
    def post(self, request: Request, workspace: str, account: UUID) -> Response:
        """A link to Stripe's page where the customer changes cards, plans and addresses. For admins."""
        given = checked(PortalBody(data=request.data))
        made = links.create_portal(
            actor=self.actor(request),
            account_id=account,
            return_url=given["return_url"],
            idempotency_key=_idempotency_key(request),
        )
        return Response({"url": made.url}, status=201)


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > WORD_LIMIT or not key.isprintable():
        raise Invalid(errors={"Idempotency-Key": f"At most {WORD_LIMIT} characters that can be printed."})
    return key


# --- One's own ------------------------------------------------------------------------------------------------


class MyPaymentAttempts(APIView):
    @extend_schema(
        operation_id="list_my_payment_attempts",
        parameters=PAGING,
        responses={200: page_schema(billing.PaymentAttemptPayload)},
    )
    def get(self, request: Request) -> Response:
        """One's own, newest first, in every workspace."""
        return list_page(request, payments.visible_to(signed_in_user(request._request)), billing.attempt_payload, {})


class MyPaymentAttempt(APIView):
    @extend_schema(operation_id="delete_my_payment_attempt", responses={204: None})
    def delete(self, request: Request, attempt: UUID) -> Response:
        """Takes it off one's list. The record stays for the books."""
        payments.forget_attempt(user=signed_in_user(request._request), attempt_id=attempt)
        return Response(status=204)
