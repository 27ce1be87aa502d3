"""The way back into a chat from an e-mail: a signed word for one chat, good for a while, of which nothing is kept.

Whoever reads the mail that we sent to the customer's address may go on with that chat, and with nothing else.
"""

from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner

from config.errors import DomainError
from inbox.models import Channel, Conversation
from inbox.states import Scope

GOOD_FOR = timedelta(days=14)
LONGEST = 200
_signer = TimestampSigner(salt="inbox.chat.back", sep=".")


class LinkRefused(DomainError):
    code = "link_refused"
    status = 401
    message = "This link is no longer good."


def link_to(conversation: Conversation) -> str:
    """Reads channel. The word is behind the #: it reaches no server's log and no Referer."""
    word = urlencode({"back": _signer.sign(conversation.pk.hex)})
    return f"{settings.PUBLIC_URL}/widget/{conversation.channel.slug}#{word}"


def chat_behind(channel: Channel, word: str) -> Conversation:
    """With its contact. One that was merged is gone on with where it went."""
    try:
        chat_id = UUID(_signer.unsign(word[:LONGEST], max_age=GOOD_FOR))
    except (BadSignature, ValueError):
        raise LinkRefused from None
    rows = Conversation.objects.select_related("contact").filter(channel=channel, scope=Scope.SUPPORT, deleted_at=None)
    found = rows.filter(pk=chat_id).first()
    if found is not None and found.merged_into_id is not None:
        found = rows.filter(pk=found.merged_into_id).first()
    if found is None:
        raise LinkRefused
    return found
