"""The sections of /settings about the inbox: notifications, texts, how work is sorted, channels."""

from inbox.sections import channels, notifications, sorting, writing

__all__ = ["channels", "notifications", "sorting", "writing"]
