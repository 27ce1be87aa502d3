"""What a workspace's labels and channels are called.

Postgres knows by its id how common a label is, and nothing by its name: asked by name for a rare one, it reads the
whole list of conversations. So lists ask by ids.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import QuerySet, Value
from django.db.models.functions import JSONObject

from inbox.models import Channel, Label

LABEL, CHANNEL = "label", "channel"
Named = tuple[str, str, UUID]  # label or channel, its name, its id


class Names:
    """Upper and lower case are alike."""

    def __init__(self, named: Iterable[Named]) -> None:
        self._ids: dict[tuple[str, str], list[UUID]] = {}
        for kind, name, pk in named:
            self._ids.setdefault((kind, name.casefold()), []).append(pk)

    def labels(self, name: str) -> list[UUID]:
        return self._ids.get((LABEL, name.casefold()), [])

    def channels(self, slug: str) -> list[UUID]:
        return self._ids.get((CHANNEL, slug.casefold()), [])


def names_of(workspace_id: UUID) -> Names:
    """In one query."""
    labels = Label.objects.filter(workspace_id=workspace_id).values_list(Value(LABEL), "name", "pk")
    channels = Channel.objects.filter(workspace_id=workspace_id).values_list(Value(CHANNEL), "slug", "pk")
    return Names(labels.union(channels, all=True))


def beside(rows: "QuerySet[Any, Any]", workspace_id: UUID) -> "QuerySet[Any, Any]":
    """For who reads something else of the workspace anyway: `names_beside` makes them of such a row."""
    labels = Label.objects.filter(workspace_id=workspace_id).values(found=JSONObject(name="name", pk="pk"))
    channels = Channel.objects.filter(workspace_id=workspace_id).values(found=JSONObject(name="slug", pk="pk"))
    with_names: QuerySet[Any, Any] = rows.annotate(
        its_labels=ArraySubquery(labels), its_channels=ArraySubquery(channels)
    )
    return with_names


def names_beside(row: Any) -> Names:
    said = [(LABEL, one) for one in row.its_labels] + [(CHANNEL, one) for one in row.its_channels]
    return Names((kind, one["name"], UUID(one["pk"])) for kind, one in said)
