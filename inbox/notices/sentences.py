"""A notice in one sentence, for mail and push. Pages say it with words of their own."""

from django.utils.translation import gettext as _

from inbox.models import Notice
from inbox.notices.kinds import Kind
from inbox.notices.payloads import actor_of, contact_of


def sentence_of(notice: Notice) -> str:
    """Reads the conversation's contact and the message's sender; or the note's contact and author."""
    contact = contact_of(notice)
    actor = actor_of(notice)
    who = actor["name"] if actor else ""
    sentences = {
        Kind.ASSIGNED: _("%(who)s gave you the conversation with %(contact)s"),
        Kind.TEAM: _("%(who)s gave your team the conversation with %(contact)s"),
        Kind.MENTIONED: _("%(who)s mentioned you about %(contact)s"),
        Kind.MESSAGE: _("%(contact)s wrote"),
        Kind.NOTE: _("%(who)s left a note about %(contact)s"),
        Kind.RETURNED: _("The conversation with %(contact)s is open again"),
        Kind.HELD: _("What was to go out to %(contact)s is held back"),
        Kind.OPENED: _("%(contact)s began a conversation"),
    }
    nobody = {
        Kind.ASSIGNED: _("The conversation with %(contact)s is yours"),
        Kind.TEAM: _("The conversation with %(contact)s is your team's"),
    }
    kind = Kind(notice.kind)
    sentence = sentences[kind] if who or kind not in nobody else nobody[kind]
    return " ".join((sentence % {"who": who, "contact": contact}).split())
