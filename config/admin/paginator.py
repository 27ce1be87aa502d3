"""Pages of a list that may have a million rows: never counted beyond what somebody would page through."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator

MOST = 5_000


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # of whatever a list holds
    """Counts to MOST, along the list's own index. Who looks for something older narrows the list."""

    template_name = "admin/pagination_capped.html"

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        if not hasattr(rows, "query"):
            return len(rows)
        return int(rows.values("pk")[:MOST].count())

    @property
    def is_capped(self) -> bool:
        return self.count >= MOST
