"""What the frame of every page says of a workspace: apps add their marks, one statement reads those one may see."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, Expression, F, OuterRef
from django.db.models.expressions import Combinable

from crm.models import PAST_DUE, BillingAccount, Workspace
from crm.roles import Action

# Of a reader's id, over the rows of Workspace
Mark = Callable[[UUID], Expression | Combinable]


class Kept(NamedTuple):
    mark: Mark
    needs: Action | None


_marks: dict[str, Kept] = {}


def register(name: str, mark: Mark, *, needs: Action | None) -> None:
    """In AppConfig.ready(). Whoever may not do what it needs has no such mark; None is for everybody."""
    _marks[name] = Kept(mark, needs)


def marks_for(reader: UUID, able: Collection[str]) -> dict[str, Any]:
    return {name: kept.mark(reader) for name, kept in _marks.items() if kept.needs is None or kept.needs in able}


def read(state: Mapping[str, Any]) -> dict[str, Any]:
    """Of a page's state: `me` and `workspace`."""
    workspace = state["workspace"]
    marks = marks_for(state["me"]["id"], workspace["can"])
    if not marks:
        return {}
    found: dict[str, Any] | None = Workspace.objects.filter(slug=workspace["slug"]).values(**marks).first()  # type: ignore[assignment]
    return found or {}


def register_marks() -> None:
    register("overdue", _overdue, needs=Action.MANAGE)
    register("switches", _switches, needs=None)


def _overdue(reader: UUID) -> Exists:
    return Exists(BillingAccount.objects.filter(workspace=OuterRef("pk"), is_workspace=True, status__in=PAST_DUE))


def _switches(reader: UUID) -> F:
    """Of the workspace's features: what is off has no entry."""
    return F("features")
