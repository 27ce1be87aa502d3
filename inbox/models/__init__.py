from inbox.models.channels import Channel, ChannelPace, MessageTemplate, OptOut, TemplateStatus
from inbox.models.conversations import Conversation, ConversationLabel, ConversationReader, Label
from inbox.models.messages import Attachment, AttachmentState, Message, MessageReceipt

__all__ = [
    "Attachment",
    "AttachmentState",
    "Channel",
    "ChannelPace",
    "Conversation",
    "ConversationLabel",
    "ConversationReader",
    "Label",
    "Message",
    "MessageReceipt",
    "MessageTemplate",
    "OptOut",
    "TemplateStatus",
]
