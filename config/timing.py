"""Server-Timing on every API answer while DEBUG or DEMO is on: how long the database took, and in how many queries."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import connection
from django.http import HttpRequest, HttpResponse


@dataclass(slots=True)
class Tally:
    queries: int = 0
    seconds: float = 0.0

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.queries += 1
            self.seconds += time.perf_counter() - started


class ServerTiming:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not (settings.DEMO or settings.DEBUG):
            raise MiddlewareNotUsed
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return self._get_response(request)
        tally = Tally()
        with connection.execute_wrapper(tally):
            response = self._get_response(request)
        response.headers["Server-Timing"] = f'db;dur={tally.seconds * 1000:.1f};desc="{tally.queries} queries"'
        return response
