"""Views that look at neither cookie nor bearer of ours: what they check, they check themselves."""

from collections.abc import Callable
from typing import Any, TypeVar

V = TypeVar("V", bound=Callable[..., Any])
_MARK = "takes_no_identity"


def without_identity(view: V) -> V:
    """Put under decorators that copy attributes (functools.wraps), as Django's own do."""
    setattr(view, _MARK, True)
    return view


def takes_no_identity(view: object) -> bool:
    return getattr(view, _MARK, False)
