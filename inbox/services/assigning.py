"""Gives a team's new conversations to its members in turn."""

from inbox.models import Conversation


def offer(conversation: Conversation) -> None:
    """Inside the unit of work that left it open and nobody's."""
