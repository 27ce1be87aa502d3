"""REST framework's view of who is asking: what the middleware found, nothing of its own."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission

from config.errors import NotSignedIn


class FromMiddleware(BaseAuthentication):
    """The middleware has checked token, cookie and CSRF already."""

    def authenticate(self, request: Any) -> tuple[Any, Any] | None:
        found = request._request
        return None if found.identity is None else (found.user, found.identity)

    def authenticate_header(self, request: Any) -> str:
        return "Bearer"


class IsSignedIn(BasePermission):
    """The default of every REST view; a public one says so with AllowAny."""

    def has_permission(self, request: Any, view: Any) -> bool:
        if request.auth is None:
            raise NotSignedIn
        return True


class _Schema(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = FromMiddleware
    name = "supabase"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
