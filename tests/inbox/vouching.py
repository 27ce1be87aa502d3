"""A widget on the page of a site that signs who its customers are."""

import json
import time
from typing import Any

import jwt
import pytest
from django.test import Client

from inbox.models import Channel
from tests.cast import Cast
from tests.inbox.test_chats import make_widget

SECRET = "a-secret-between-the-site-and-us-0123456789"


@pytest.fixture
def vouching_widget(cast: Cast, settings: Any) -> Channel:
    """The identity provider is the product's own issuer."""
    settings.SUPABASE_URL = ""
    channel = make_widget(cast)
    channel.credentials = {"identity_secret": SECRET}
    channel.save()
    return channel


def signed(sub: str = "42", *, secret: str = SECRET, **claims: Any) -> str:
    return jwt.encode({"sub": sub, "exp": int(time.time()) + 300, **claims}, secret, algorithm="HS256")


def post(channel: Channel, body: Any, token: str = "") -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Client(headers=headers).post(
        f"/api/v1/widgets/{channel.slug}/visitors", json.dumps(body), content_type="application/json"
    )
