"""The sections of /settings about the inbox: notifications, texts, rules, how work is sorted, channels."""

from inbox.sections import channels, notifications, rules, sorting, writing

__all__ = ["channels", "notifications", "rules", "sorting", "writing"]
