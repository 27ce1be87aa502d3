"""REST of chats for those who take part from outside: parse, call one service or query, answer.

Customers and students are signed-in users; visitors bring the token that their widget was given.
"""

from inbox.chats.api.chats import ChatDetail, ChatEnd, ChatList, ChatRating, ChatTranscript
from inbox.chats.api.messages import ChatAttachment, ChatMessages, ChatRead, ChatTyping
from inbox.chats.api.visitors import WidgetDetail, WidgetVisitor, WidgetVisitors

__all__ = [
    "ChatAttachment",
    "ChatDetail",
    "ChatEnd",
    "ChatList",
    "ChatMessages",
    "ChatRating",
    "ChatRead",
    "ChatTranscript",
    "ChatTyping",
    "WidgetDetail",
    "WidgetVisitor",
    "WidgetVisitors",
]
