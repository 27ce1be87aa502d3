"""Who hears of what: mentions, assignments, answers in what is theirs."""

from crm.actors import Actor
from inbox.models import Conversation


def tell_assigned(actor: Actor, conversation: Conversation) -> None:
    """To the new assignee, unless they took it themselves."""
