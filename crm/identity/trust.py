"""Whose tokens count: the Supabase project's, or in demo our own. The one place that reads it from the settings."""

from django.conf import settings

AUTH_PATH = "/auth/v1"


def is_own_issuer() -> bool:
    """Without SUPABASE_URL we issue tokens ourselves, in demo and tests only."""
    return not settings.SUPABASE_URL and (settings.DEMO or settings.TESTING)


def auth_url() -> str | None:
    """Base of the issuer's REST and the exact `iss` of its tokens; None when nobody is trusted."""
    if settings.SUPABASE_URL:
        return f"{settings.SUPABASE_URL}{AUTH_PATH}"
    return f"{settings.PUBLIC_URL}{AUTH_PATH}" if is_own_issuer() else None


def legacy_secret() -> str | None:
    """The shared secret of Supabase's old tokens, when it was configured. Our own issuer never signs with one."""
    return (settings.SUPABASE_JWT_SECRET or None) if settings.SUPABASE_URL else None
