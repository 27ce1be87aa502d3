"""REST as one of the cast, by a bearer token of the product's own issuer."""

import json
import time
from typing import Any
from uuid import uuid4

from django.test import Client

from crm.identity import trust
from crm.issuer import keys
from crm.models import User


def token_for(user: User, *, seconds: int = 3600) -> str:
    now = int(time.time())
    return keys.sign(
        {
            "iss": trust.auth_url(),
            "aud": "authenticated",
            "sub": str(user.pk),
            "role": "authenticated",
            "email": user.email,
            "phone": "",
            "iat": now - 5,
            "exp": now + seconds,
            "session_id": str(uuid4()),
            "is_anonymous": False,
            "aal": "aal1",
            "app_metadata": {},
            "user_metadata": {"full_name": user.name},
        }
    )


class Api:
    """`Api(cast.ben).get("/api/v1/me")`; paths below a workspace by `of(workspace)`."""

    def __init__(self, user: User | None = None, base: str = "") -> None:
        headers = {"authorization": f"Bearer {token_for(user)}"} if user else {}
        self._client = Client(headers=headers, raise_request_exception=False)
        self._base = base
        self._user = user

    def of(self, slug: str) -> "Api":
        return Api(self._user, f"/api/v1/workspaces/{slug}/")

    def get(self, path: str = "", **query: Any) -> Any:
        return self._client.get(self._base + path, query)

    def post(self, path: str = "", body: Any = None) -> Any:
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        return self._client.post(self._base + path, content, content_type="application/json")

    def patch(self, path: str = "", body: Any = None) -> Any:
        return self._client.patch(self._base + path, json.dumps(body), content_type="application/json")

    def delete(self, path: str = "") -> Any:
        return self._client.delete(self._base + path)
