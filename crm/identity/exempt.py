"""Views that say for themselves who may ask: those that look at no identity of ours, those that take the old key."""

from collections.abc import Callable
from typing import Any, TypeVar

V = TypeVar("V", bound=Callable[..., Any])
_MARK = "takes_no_identity"
_LEGACY = "takes_legacy_key"


def without_identity(view: V) -> V:
    """Put under decorators that copy attributes (functools.wraps), as Django's own do."""
    setattr(view, _MARK, True)
    return view


def takes_no_identity(view: object) -> bool:
    return getattr(view, _MARK, False)


def with_legacy_key(view: V) -> V:
    """Takes the old single CRM_API_KEY besides everybody else. Put on the view class; nothing else takes that key."""
    setattr(view, _LEGACY, True)
    return view


def takes_legacy_key(view: object) -> bool:
    return getattr(getattr(view, "cls", view), _LEGACY, False)
