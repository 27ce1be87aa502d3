"""Secrets at rest: JSON objects encrypted with the newest of FIELD_ENCRYPTION_KEYS, the key's id beside the value.

The id lets `rotate_keys` find what an old key still holds. Reading tries the named key only.
"""

import base64
import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> dict[str, Fernet]:
    """Key id to cipher, newest first."""
    ring: dict[str, Fernet] = {}
    for key in keys:
        try:
            ring[key_id(key)] = Fernet(key)
        except ValueError:
            raise ImproperlyConfigured(
                "FIELD_ENCRYPTION_KEYS must hold URL-safe base64 keys of 32 bytes, newest first."
            ) from None
    if not ring:
        raise ImproperlyConfigured("FIELD_ENCRYPTION_KEYS is not set, and there is no safe value to fall back on.")
    return ring


def key_id(key: str) -> str:
    return hashlib.sha256(base64.urlsafe_b64decode(key)).hexdigest()[:8]


def current_key_id() -> str:
    return next(iter(_ring(tuple(settings.FIELD_ENCRYPTION_KEYS))))


def encrypt(plain: str) -> str:
    """`<key id>:<token>`."""
    name, cipher = next(iter(_ring(tuple(settings.FIELD_ENCRYPTION_KEYS)).items()))
    return f"{name}:{cipher.encrypt(plain.encode()).decode()}"


def decrypt(stored: str) -> str:
    """Raises ImproperlyConfigured when the key that wrote the value is no longer configured."""
    name, _, token = stored.partition(":")
    cipher = _ring(tuple(settings.FIELD_ENCRYPTION_KEYS)).get(name)
    if cipher is None:
        raise ImproperlyConfigured(
            f"FIELD_ENCRYPTION_KEYS lacks the key {name}, which a stored secret was written with."
        )
    try:
        return cipher.decrypt(token.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            f"A stored secret cannot be read with the key {name} of FIELD_ENCRYPTION_KEYS."
        ) from None


if TYPE_CHECKING:
    _TextField = models.TextField[dict[str, Any], dict[str, Any]]
else:
    _TextField = models.TextField


class EncryptedJSONField(_TextField):
    """A JSON object, encrypted in the database and plain in Python."""

    def from_db_value(self, value: str | None, *_: object) -> dict[str, Any] | None:
        if value is None:
            return None
        return json.loads(decrypt(value)) if value else {}

    def get_prep_value(self, value: Any) -> Any:
        if value is None:
            return None
        return encrypt(json.dumps(value)) if value else ""

    def to_python(self, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) and value else (value or {})
