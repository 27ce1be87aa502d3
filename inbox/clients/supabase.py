"""The way back: rows upserted into a table of the old Supabase through PostgREST."""

import re
from typing import Any

import orjson
from django.conf import settings

from jobs import http
from jobs.errors import ProviderError

SECONDS = 30.0
_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)
_DONE = frozenset({200, 201, 204})
# Whatever these say, the same call gets the same answer until a person has changed something over there.
_PERMANENT = frozenset({400, 401, 403, 404, 406, 409, 413, 422})


def is_set_up() -> bool:
    return bool(settings.SUPABASE_URL and settings.SUPABASE_SECRET_KEY)


def upsert(table: str, record: dict[str, Any]) -> None:
    """For jobs. The row of the same `id` is written over, so that doing it twice is doing it once."""
    if not _TABLE.fullmatch(table):
        raise ProviderError("The archive's table has an impossible name.", permanent=True, code="bad_table")
    response = http.request(
        "POST",
        f"{settings.SUPABASE_URL}/rest/v1/{table}",
        params={"on_conflict": "id"},
        headers=_headers(),
        content=orjson.dumps(record),
        timeout=SECONDS,
    )
    if response.status not in _DONE:
        raise ProviderError(
            f"Supabase answered {response.status} to an archived record",
            permanent=response.status in _PERMANENT,
            code=str(response.status),
            retry_after=response.retry_after,
        )


def _headers() -> dict[str, str]:
    key = settings.SUPABASE_SECRET_KEY
    headers = {
        "apikey": key,
        "content-type": "application/json",
        "prefer": "resolution=merge-duplicates,return=minimal",
    }
    if key.startswith("eyJ"):  # the old service_role key is a token, and is read as one
        headers["authorization"] = f"Bearer {key}"
    return headers
