"""Links to files that work by themselves for a while: minutes for a reader's browser, hours for a provider.

Each purpose signs with a salt of its own, so that neither kind of link can be used as the other.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner

READER, PROVIDER = "inbox.media.reader", "inbox.media.provider"
LIFETIMES = {READER: timedelta(minutes=15), PROVIDER: timedelta(hours=6)}
PATHS = {READER: "/media/", PROVIDER: "/media/provider/"}


def attachment_path(workspace_slug: str, attachment_id: UUID) -> str:
    """The lasting address, which says nothing to those who may not see it. Safe in frames that many receive."""
    return f"/api/v1/workspaces/{workspace_slug}/attachments/{attachment_id}/"


def reader_path(attachment_id: UUID) -> str:
    return PATHS[READER] + _signer(READER).sign(attachment_id.hex)


def provider_link(attachment_id: UUID) -> str:
    return settings.PUBLIC_URL + PATHS[PROVIDER] + _signer(PROVIDER).sign(attachment_id.hex)


def opened(token: str, purpose: str) -> UUID | None:
    """None when it was not signed by us for this, or is too old."""
    try:
        return UUID(_signer(purpose).unsign(token, max_age=LIFETIMES[purpose]))
    except (BadSignature, ValueError):
        return None


def _signer(purpose: str) -> TimestampSigner:
    return TimestampSigner(salt=purpose, sep=".")
