"""What the tests of by-phone and context share: keys, contacts with numbers, and the two roads to the same answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

from config.asgi import application
from crm import api_keys
from crm.models import ApiKey, Contact, ContactIdentity, IdentityKind, User, Workspace
from crm.phones import from_international
from crm.roles import Action
from tests.cast import unique


def make_key(
    workspace: Workspace,
    by: User,
    *,
    scopes: Iterable[str] = (Action.READ_INBOX,),
    expires_at: datetime | None = None,
    revoked_at: datetime | None = None,
    rate: int = 10_000,
) -> str:
    key = api_keys.new_key()
    ApiKey.objects.create(
        workspace=workspace,
        name=unique("key"),
        prefix=key[: api_keys.VISIBLE],
        digest=api_keys.digest_of(key),
        scopes=[str(scope) for scope in scopes],
        created_by=by,
        rate_per_minute=rate,
        expires_at=expires_at,
        revoked_at=revoked_at,
    )
    return key


def make_contact(workspace: Workspace, number: str, *, name: str = "Budi", **fields: Any) -> Contact:
    """As the services leave it: with its identities."""
    phone = from_international(number)
    assert phone is not None
    contact = Contact.objects.create(
        workspace=workspace, phone=number, phone_normalized=phone.e164, name=name, **fields
    )
    for kind, value in ((IdentityKind.MATCH, phone.match), (IdentityKind.PHONE, phone.e164)):
        ContactIdentity.objects.create(workspace=workspace, contact=contact, kind=kind, value=value)
    return contact


@dataclass(frozen=True)
class Asker:
    """Over the lean road, as a server would call it."""

    client: httpx.AsyncClient
    slug: str
    key: str

    async def by_phone(self, phone: str | None, **query: Any) -> httpx.Response:
        return await self._get("by-phone", phone, query)

    async def context(self, phone: str | None, **query: Any) -> httpx.Response:
        return await self._get("context", phone, query)

    async def _get(self, what: str, phone: str | None, query: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        given = query if phone is None else {"phone": phone, **query}
        return await self.client.get(f"/api/v1/workspaces/{self.slug}/contacts/{what}", params=given, headers=headers)


def asgi_client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=application)
    return httpx.AsyncClient(transport=transport, base_url="http://testserver")
