"""What an API key looks like, how it is known again, and what it may do at the moment of use."""

import hashlib
import re
import secrets
from collections.abc import Iterable

from crm.roles import PERMISSIONS, Action, Role

PREFIX = "sb_"
VISIBLE = 11  # characters of a key that stay readable
_FORM = re.compile(r"sb_[A-Za-z0-9_-]{43}")
_SCOPES = frozenset(Action.values)


def new_key() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def is_key(text: str) -> bool:
    return _FORM.fullmatch(text) is not None


def digest_of(key: str) -> bytes:
    """256 random bits need no slow hash, and a look-up by digest tells nothing by its time."""
    return hashlib.sha256(key.encode()).digest()


def scopes_now(scopes: Iterable[str], role: Role | str | None) -> frozenset[Action]:
    """What was granted, less what the creator's role no longer allows. Nothing when the creator has left."""
    if role is None:
        return frozenset()
    return frozenset(Action(scope) for scope in scopes if scope in _SCOPES) & PERMISSIONS[Role(role)].keys()
