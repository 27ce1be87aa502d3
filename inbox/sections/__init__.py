"""The sections of /settings that are about the inbox: what one writes with, how work is sorted, the channels."""

from inbox.sections import channels, sorting, writing

__all__ = ["channels", "sorting", "writing"]
