"""The parameters of the list of contacts, as the API's document tells them: made from the filters themselves."""

from typing import Any

import django_filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from crm.queries.contact_filters import ATTRIBUTE, ContactFilter

_TYPES: dict[type, Any] = {
    django_filters.NumberFilter: OpenApiTypes.NUMBER,
    django_filters.UUIDFilter: OpenApiTypes.UUID,
}


def _parameter(name: str, one: Any) -> OpenApiParameter:
    choices = [value for value, _ in one.extra.get("choices", ())]
    words = one.extra["help_text"]
    return OpenApiParameter(name, _TYPES.get(type(one), OpenApiTypes.STR), description=words, enum=choices or None)


SORT = _parameter("sort", ContactFilter.declared_filters["sort"])
CONTACT_FILTERS = [
    *(_parameter(name, one) for name, one in ContactFilter.declared_filters.items() if name != "sort"),
    OpenApiParameter(f"{ATTRIBUTE}{{key}}", description="One of the workspace's own fields, by its key: equal to this"),
]
