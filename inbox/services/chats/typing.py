"""That a customer is writing, for clients without a socket: sockets have the same from the topic itself."""

from uuid import UUID

from config.live.events import signal
from crm.actors import Guest, Visitor
from inbox import topics
from inbox.chats.access import chat_for
from inbox.services.chats.keepers import keeper_of


def tell_typing(*, guest: Guest, chat_id: UUID) -> None:
    conversation = chat_for(guest, chat_id)
    keeper = keeper_of(conversation)
    if keeper is not None and not isinstance(guest, Visitor):
        keeper.typing(guest, conversation)
        return
    who = guest.visitor_id if isinstance(guest, Visitor) else guest.user_id
    user = {"id": str(who), "name": conversation.contact.display_name}
    signal(topics.conversation(chat_id), "typing", {"typing": True, "user": user})
