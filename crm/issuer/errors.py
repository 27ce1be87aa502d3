"""What the issuer refuses, as Supabase names it. Shaped for the wire in crm/issuer/shapes.py."""

from typing import Any


class IssuerError(Exception):
    def __init__(self, status: int, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.data = data


class OAuthError(IssuerError):
    """The older form, which a few refusals of the token endpoint still have."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(400, "validation_failed", description)
        self.error = error


def invalid_credentials() -> IssuerError:
    return IssuerError(400, "invalid_credentials", "Invalid login credentials")


def bad_jwt() -> IssuerError:
    return IssuerError(403, "bad_jwt", "invalid JWT: unable to parse or verify signature")


def banned(status: int) -> IssuerError:
    return IssuerError(status, "user_banned", "User is banned")
