"""What the frame of every page says of a workspace: apps add their marks, one statement reads those one may see."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, Expression, OuterRef
from django.db.models.expressions import Combinable

from crm.models import BillingAccount, Workspace
from crm.roles import Action
from crm.services.billing import PAST_DUE

# Of a reader's id, over the rows of Workspace
Mark = Callable[[UUID], Expression | Combinable]


class Kept(NamedTuple):
    mark: Mark
    needs: Action


_marks: dict[str, Kept] = {}


def register(name: str, mark: Mark, *, needs: Action) -> None:
    """In AppConfig.ready(). Whoever may not do what it needs has no such mark."""
    _marks[name] = Kept(mark, needs)


def marks_for(reader: UUID, able: Collection[str]) -> dict[str, Any]:
    return {name: kept.mark(reader) for name, kept in _marks.items() if kept.needs.value in able}


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


def _overdue(reader: UUID) -> Exists:
    return Exists(BillingAccount.objects.filter(workspace=OuterRef("pk"), is_workspace=True, status__in=PAST_DUE))
