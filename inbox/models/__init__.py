from inbox.models.channels import Channel
from inbox.models.conversations import Conversation, ConversationLabel, ConversationReader, Label
from inbox.models.messages import Attachment, AttachmentState, Message, MessageReceipt

__all__ = [
    "Attachment",
    "AttachmentState",
    "Channel",
    "Conversation",
    "ConversationLabel",
    "ConversationReader",
    "Label",
    "Message",
    "MessageReceipt",
]
