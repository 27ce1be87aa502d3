from inbox.models.channels import Channel, ChannelPace, MessageTemplate, OptOut, TemplateStatus
from inbox.models.conversations import Conversation, ConversationLabel, ConversationReader, Label
from inbox.models.desk import Draft, Macro, Notice, PlannedMessage, PushSubscription, SavedReply
from inbox.models.messages import Attachment, AttachmentState, Message, MessageReceipt
from inbox.models.rules import Rule
from inbox.models.taking_part import Participant, ParticipantRole, Visitor

__all__ = [
    "Attachment",
    "AttachmentState",
    "Channel",
    "ChannelPace",
    "Conversation",
    "ConversationLabel",
    "ConversationReader",
    "Draft",
    "Label",
    "Macro",
    "Message",
    "MessageReceipt",
    "MessageTemplate",
    "Notice",
    "OptOut",
    "Participant",
    "ParticipantRole",
    "PlannedMessage",
    "PushSubscription",
    "Rule",
    "SavedReply",
    "TemplateStatus",
    "Visitor",
]
