"""Two contacts that are one person become one, with a record of everything that moved, and can be told apart again."""

from crm.services.merging.apart import keep_apart, undo_merge
from crm.services.merging.together import merge_contacts

__all__ = ["keep_apart", "merge_contacts", "undo_merge"]
