"""Whether somebody would see a notice by themselves."""

from uuid import UUID

from config.live import presence
from crm.models import Member
from crm.presence import WORKSPACE, topic_of
from crm.roles import Action, is_allowed


def is_here(slug: str, user_id: UUID) -> bool:
    """With a page of ours open, which makes a sound and shows what comes. Who reads for a while is idle, not gone."""
    return any(person["id"] == str(user_id) for person in presence.people_on(topic_of(WORKSPACE, slug)))


def reads_here(member: Member) -> bool:
    """Reads user."""
    return member.user.deactivated_at is None and is_allowed(member.role, Action.READ_INBOX)
