"""Stripe's API as far as it is called: links to its hosted pages, and one subscription to read."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from config.errors import Invalid, Unavailable
from jobs import http
from jobs.errors import ProviderError

# What the fields of our calls and of their answers mean; without it the account's own version would decide.
VERSION = "2026-10-28.endive"
LINK_SECONDS = 3.0  # somebody waits for it
_ID = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)


class NotConfigured(Unavailable):
    code = "stripe_not_configured"
    message = "Stripe is not set up here: an operator must set STRIPE_API_KEY."


class Unreachable(Unavailable):
    code = "stripe_unavailable"
    message = "Stripe did not answer. Nothing was charged; try again."


class Refused(Invalid):
    code = "stripe_refused"
    message = "Stripe refused this."


def get_subscription(subscription_id: str) -> Mapping[str, Any] | None:
    """For jobs. None when Stripe knows none of this id; ProviderError for anything else but an answer."""
    if not _ID.fullmatch(subscription_id):
        return None
    response = http.request("GET", _url(f"subscriptions/{subscription_id}"), headers=_headers())
    if response.status == 404:
        return None
    if response.status != 200:
        permanent = response.status in {400, 401, 403}
        raise ProviderError(
            f"Stripe answered {response.status} to a question about a subscription",
            permanent=permanent,
            code=str(response.status),
            retry_after=response.retry_after,
        )
    answer = response.json()
    return answer if isinstance(answer, dict) else None


def create_checkout(form: Mapping[str, str], *, idempotency_key: str) -> Mapping[str, Any]:
    return _create("checkout/sessions", form, idempotency_key)


def create_portal(form: Mapping[str, str], *, idempotency_key: str) -> Mapping[str, Any]:
    return _create("billing_portal/sessions", form, idempotency_key)


def _create(path: str, form: Mapping[str, str], idempotency_key: str) -> Mapping[str, Any]:
    """Inside a request, with no transaction open. Doing it again with the same key makes nothing twice."""
    headers = {
        **_headers(),
        "Content-Type": "application/x-www-form-urlencoded",
        "Idempotency-Key": idempotency_key,
    }
    try:
        response = http.request(
            "POST", _url(path), headers=headers, content=urlencode(form).encode(), timeout=LINK_SECONDS
        )
        answer = response.json()
    except ProviderError as error:
        raise Unreachable(retry_after=int(error.retry_after or 1)) from None
    if response.status == 200 and isinstance(answer, dict) and isinstance(answer.get("url"), str):
        return answer
    raise _refusal(response, answer)


def _refusal(response: http.Response, answer: Any) -> Exception:
    error = answer.get("error") if isinstance(answer, dict) else None
    error = error if isinstance(error, dict) else {}
    if response.status in {401, 403}:
        return NotConfigured("Stripe does not take our key: an operator must check STRIPE_API_KEY.")
    if response.status == 429 or response.status >= 500 or response.status == 200:
        return Unreachable(retry_after=int(response.retry_after or 1))
    # Stripe's sentence is about what was asked of it, and whoever asked is who reads it.
    sentence = error.get("message") if isinstance(error.get("message"), str) else Refused.message
    return Refused(sentence, **{name: error[name] for name in ("param",) if isinstance(error.get(name), str)})


def _url(path: str) -> str:
    return f"{settings.STRIPE_API_URL}/v1/{path}"


def _headers() -> dict[str, str]:
    if not settings.STRIPE_API_KEY:
        raise NotConfigured
    return {"Authorization": f"Bearer {settings.STRIPE_API_KEY}", "Stripe-Version": VERSION}
