"""What the issuer's answers look like: session, user, and errors in the two forms that clients know."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from crm.issuer.errors import IssuerError, OAuthError
from crm.issuer.sessions import LIFETIME_SECONDS, Issued
from crm.models import IssuerAccount

API_VERSION_HEADER = "X-Supabase-Api-Version"
API_VERSION = "2024-01-01"
ERROR_CODE_HEADER = "x-sb-error-code"


def session(issued: Issued) -> dict[str, Any]:
    return {
        "access_token": issued.access_token,
        "token_type": "bearer",
        "expires_in": LIFETIME_SECONDS,
        "expires_at": issued.expires_at,
        "refresh_token": issued.refresh_token,
        "user": user(issued.account),
    }


def user(account: IssuerAccount) -> dict[str, Any]:
    return {
        "id": str(account.pk),
        "aud": "authenticated",
        "role": "authenticated",
        "email": account.email,
        "email_confirmed_at": _time(account.confirmed_at),
        "phone": "",
        "confirmed_at": _time(account.confirmed_at),
        "last_sign_in_at": _time(account.last_sign_in_at),
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": account.metadata,
        "identities": [_identity(account)],
        "created_at": _time(account.created_at),
        "updated_at": _time(account.updated_at),
        "is_anonymous": False,
    }


def _identity(account: IssuerAccount) -> dict[str, Any]:
    subject = str(account.pk)
    return {
        "identity_id": str(uuid.uuid5(account.pk, "email")),
        "id": subject,
        "user_id": subject,
        "identity_data": {
            "email": account.email,
            "email_verified": account.confirmed_at is not None,
            "phone_verified": False,
            "sub": subject,
        },
        "provider": "email",
        "last_sign_in_at": _time(account.last_sign_in_at),
        "created_at": _time(account.created_at),
        "updated_at": _time(account.created_at),
        "email": account.email,
    }


def error(request: HttpRequest, refused: IssuerError) -> HttpResponse:
    """auth-js reads the string code only where the version header comes back; older clients know the other form."""
    headers = {ERROR_CODE_HEADER: refused.code}
    body: dict[str, Any]
    if isinstance(refused, OAuthError):
        body = {"error": refused.error, "error_description": refused.message}
    elif _speaks_newest(request):
        headers[API_VERSION_HEADER] = API_VERSION
        body = {"code": refused.code, "message": refused.message}
    else:
        body = {"code": refused.status, "error_code": refused.code, "msg": refused.message}
    return JsonResponse(body | refused.data, status=refused.status, headers=headers)


def _speaks_newest(request: HttpRequest) -> bool:
    try:
        return date.fromisoformat(request.headers.get(API_VERSION_HEADER, "")) >= date.fromisoformat(API_VERSION)
    except ValueError:
        return False


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
