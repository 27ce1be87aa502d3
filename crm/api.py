"""REST of billing: parse, call one service or query, answer."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypedDict, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import Invalid
from crm import billing
from crm.actors import Member
from crm.identity.requests import signed_in_user
from crm.models import SubscriptionStatus
from crm.paging import link, page, read_limit
from crm.services import links, payments

M = TypeVar("M", bound=Model)
NEWEST = ("-id",)
WORD_LIMIT = 255
PAGING = [OpenApiParameter("cursor"), OpenApiParameter("limit", int)]


class WorkspaceView(APIView):
    """The middleware has made sure that `actor` is a member."""

    def actor(self, request: Request) -> Member:
        actor: Member = request._request.actor  # type: ignore[attr-defined]
        return actor


def _schema(payload: Any) -> dict[str, Any]:
    schema: dict[str, Any] = resolve_type_hint(payload)  # type: ignore[no-untyped-call]
    return schema


def _page_schema(payload: Any) -> dict[str, Any]:
    link_schema = {"type": "string", "nullable": True}
    return {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": _schema(payload)},
            "next": link_schema,
            "previous": link_schema,
        },
    }


def _checked(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    if not serializer.is_valid():
        raise Invalid(errors=serializer.errors)
    data: dict[str, Any] = serializer.validated_data
    return data


def _list(request: Request, rows: "QuerySet[M]", shape: Callable[[M], Any], given: dict[str, Any]) -> Response:
    query = request.query_params
    found = page(rows, NEWEST, cursor=query.get("cursor"), limit=read_limit(query.get("limit")))
    again = {name: query[name] for name in (*given, "limit") if name in query}
    return Response(
        {
            "results": [shape(row) for row in found.rows],
            "next": link(request.path, again, found.next),
            "previous": link(request.path, again, found.previous),
        }
    )


def _word() -> serializers.CharField:
    return serializers.CharField(required=False, max_length=WORD_LIMIT)


# --- Lists for admins ---------------------------------------------------------------------------------------


class AccountQuery(serializers.Serializer[Any]):
    customer = _word()
    status = serializers.ChoiceField(SubscriptionStatus.choices, required=False)


class BillingAccountList(WorkspaceView):
    @extend_schema(
        operation_id="list_billing_accounts",
        parameters=[AccountQuery, *PAGING],
        responses={200: _page_schema(billing.BillingAccountPayload)},
    )
    def get(self, request: Request, workspace: str) -> Response:
        """Newest first. For admins."""
        given = _checked(AccountQuery(data=request.query_params))
        return _list(request, billing.list_accounts(self.actor(request), **given), billing.account_payload, given)


class AttemptQuery(serializers.Serializer[Any]):
    payment = _word()
    payer = _word()
    user = serializers.UUIDField(required=False)


class PaymentAttemptList(WorkspaceView):
    @extend_schema(
        operation_id="list_payment_attempts",
        parameters=[AttemptQuery, *PAGING],
        responses={200: _page_schema(billing.PaymentAttemptPayload)},
    )
    def get(self, request: Request, workspace: str) -> Response:
        """Newest first. For admins."""
        given = _checked(AttemptQuery(data=request.query_params))
        return _list(request, billing.list_attempts(self.actor(request), **given), billing.attempt_payload, given)


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
        responses={201: _schema(CheckoutPayload)},
    )
    def post(self, request: Request, workspace: str) -> Response:
        """A link to Stripe's page where a contact, a user or the workspace itself subscribes. For admins."""
        given = _checked(CheckoutBody(data=request.data))
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
        responses={201: _schema(PortalPayload)},
    )
    def post(self, request: Request, workspace: str, account: UUID) -> Response:
        """A link to Stripe's page where the customer changes cards, plans and addresses. For admins."""
        given = _checked(PortalBody(data=request.data))
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
        responses={200: _page_schema(billing.PaymentAttemptPayload)},
    )
    def get(self, request: Request) -> Response:
        """One's own, newest first, in every workspace."""
        return _list(request, payments.visible_to(signed_in_user(request._request)), billing.attempt_payload, {})


class MyPaymentAttempt(APIView):
    @extend_schema(operation_id="delete_my_payment_attempt", responses={204: None})
    def delete(self, request: Request, attempt: UUID) -> Response:
        """Takes it off one's list. The record stays for the books."""
        payments.forget_attempt(user=signed_in_user(request._request), attempt_id=attempt)
        return Response(status=204)
