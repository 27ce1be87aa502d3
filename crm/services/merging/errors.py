"""What can go wrong when two contacts become one, or two again."""

from config.errors import Conflict, Invalid


class SameContact(Invalid):
    code = "same_contact"
    message = "A contact cannot be merged with itself."


class AlreadyMerged(Conflict):
    """`data["contact"]` is part of `data["into"]` already."""

    code = "already_merged"
    message = "This contact was merged into another one already."


class CannotUndoMerge(Conflict):
    code = "merge_not_undoable"
    message = "This merge cannot be undone now."


class MergeUndone(Conflict):
    code = "merge_undone"
    message = "This merge was undone already."
