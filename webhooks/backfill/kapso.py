"""Kapso's list of a number's messages, both ways. Its rows are the messages of its webhooks, so they are read alike."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

import orjson
from django.conf import settings

from inbox.clients.kapso_errors import error_from
from inbox.models import Channel
from jobs import http
from jobs.errors import ProviderError
from webhooks.backfill.pages import CUT, Letter, Page, Row, answer_of, text, unreadable
from webhooks.fields import moment

API_PATH = "/meta/whatsapp/v24.0"
PAGE = 100  # the most that the list gives at once
LADDER = ("sent", "delivered", "read", "failed")
# Written by somebody else than an API: shown in the thread. Whatever an API sent is ours, or no business of ours.
PAST_US = frozenset({"business_app", "history_sync"})


@dataclass(frozen=True, slots=True)
class KapsoSource:
    pages_at_most: ClassVar[int] = 20

    api_key: str
    phone_number_id: str

    @classmethod
    def of(cls, channel: Channel) -> "KapsoSource":
        return cls(str(channel.credentials.get("api_key") or ""), channel.identifier)

    def page(self, since: datetime, cursor: str) -> Page:
        params: dict[str, str | int] = {
            "since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "limit": PAGE,
            "fields": "kapso(default)",
        }
        if cursor:
            params["after"] = cursor
        answer = self._get(params)
        data = answer.get("data")
        if not isinstance(data, list):
            raise unreadable()
        rows = [row for one in data if (row := _row(one)) is not None]
        following = _next_cursor(answer, full=len(data) >= PAGE) if data else ""
        if following and following == cursor:
            raise ProviderError("The provider's list does not end.", permanent=False, code="endless_list")
        return Page([row for row in rows if row.at >= since], following, unreadable=len(data) - len(rows))

    def complete(self, row: Row) -> Row:
        return row

    def letters(self, row: Row, states: Sequence[str]) -> list[Letter]:
        if row.is_inbound or row.is_foreign:
            first = [Letter(f"backfill:{row.provider_id}"[:CUT], self._envelope(row.raw), row.at)]
        else:
            first = []
        return first + [self._of_state(row, state) for state in states]

    def _of_state(self, row: Row, state: str) -> Letter:
        statuses = _statuses(row.raw)
        place = next((place for place, status in enumerate(statuses) if status.get("status") == state), None)
        so_far = statuses[: place + 1] if place is not None else [*statuses, {"id": row.provider_id, "status": state}]
        at = moment(so_far[-1].get("timestamp")) or row.at
        # What an echo was is told by its own letter.
        extension = row.raw["kapso"] | {"status": state, "statuses": so_far, "origin": "cloud_api"}
        return Letter(
            f"backfill:{state}:{row.provider_id}"[:CUT],
            self._envelope(row.raw | {"kapso": extension, "timestamp": str(int(at.timestamp()))}),
            at,
        )

    def _envelope(self, message: Mapping[str, Any]) -> bytes:
        return orjson.dumps({"message": message, "phone_number_id": self.phone_number_id})

    def _get(self, params: Mapping[str, str | int]) -> dict[str, Any]:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.phone_number_id, re.ASCII):
            raise ProviderError(
                "The channel's phone number id is not one. An admin must check it.", permanent=True, code="bad_channel"
            )
        if not self.api_key or not self.api_key.isascii() or not self.api_key.isprintable():
            raise ProviderError(
                "This channel has no usable API key. An admin must enter it.", permanent=True, code="no_key"
            )
        response = http.request(
            "GET",
            f"{settings.KAPSO_API_URL}{API_PATH}/{self.phone_number_id}/messages",
            headers={"X-API-Key": self.api_key, "Accept": "application/json"},
            params=params,
        )
        return answer_of(response, None if 200 <= response.status < 300 else _refusal(response))


def _refusal(response: http.Response) -> ProviderError:
    return error_from(
        status=response.status,
        content=response.content,
        retry_after=response.retry_after,
        changes_something=False,
    )


def _row(message: Any) -> Row | None:
    """None for what has no id, no time or no direction: nothing could be made of it."""
    if not isinstance(message, dict) or not isinstance(message.get("kapso"), dict):
        return None
    provider_id, at = text(message.get("id")), moment(message.get("timestamp"))
    direction = message["kapso"].get("direction")
    if not provider_id or at is None or direction not in {"inbound", "outbound"}:
        return None
    inbound = direction == "inbound"
    return Row(
        provider_id=provider_id[:CUT],
        at=at,
        is_inbound=inbound,
        states=() if inbound else _states(message),
        is_foreign=not inbound and message["kapso"].get("origin") in PAST_US,
        raw=message,
    )


def _states(message: Mapping[str, Any]) -> tuple[str, ...]:
    told = {status.get("status") for status in _statuses(message)} | {message["kapso"].get("status")}
    return tuple(state for state in LADDER if state in told)


def _statuses(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    statuses = message["kapso"].get("statuses")
    return [status for status in statuses if isinstance(status, dict)] if isinstance(statuses, list) else []


def _next_cursor(page: Mapping[str, Any], *, full: bool) -> str:
    """`next` is seen as a cursor and as an address; null says that this was the last."""
    paging = page.get("paging")
    if not isinstance(paging, dict):
        return ""
    cursors = paging.get("cursors")
    after = text(cursors.get("after")) if isinstance(cursors, dict) else ""
    has_next = bool(paging["next"]) if "next" in paging else full
    return after if has_next else ""
