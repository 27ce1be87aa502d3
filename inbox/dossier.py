"""What the inbox knows of a contact: its conversations with everything in them, and the browsers it chats from."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from crm.dossier import Erasing, Part, Row, StoredFile, register
from crm.services.merging.moves import Merging, Undoing
from inbox.dossiers import erasing as erasure
from inbox.dossiers import exporting
from inbox.models import Conversation, Visitor
from inbox.old_data.alone import check_none_running
from inbox.services import folding


class ConversationPart(Part):
    name = "conversations"
    tables = ("inbox_conversation",)

    def merge(self, merging: Merging) -> None:
        conversations = folding.lock([merging.winner.pk, merging.loser.pk])
        pairs = folding.fold_open(merging, conversations)
        merging.move_rows(Conversation, "contact_id", before=merging.loser.pk, after=merging.winner.pk)
        merging.flush()
        folding.announce_folded(pairs, merging.winner.pk)

    def unmerge(self, undoing: Undoing) -> None:
        pairs = folding.unfold(undoing)
        folding.announce_unfolded(pairs, [undoing.winner.pk, undoing.loser.pk])

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        return exporting.conversations(contact_ids)

    def files(self, contact_ids: Sequence[UUID]) -> Iterable[StoredFile]:
        return exporting.files(contact_ids)

    def check_erasable(self, erasing: Erasing) -> None:
        check_none_running()
        erasure.check_nothing_under_way(erasing)

    def erase(self, erasing: Erasing) -> None:
        erasure.erase_conversations(erasing)


class VisitorPart(Part):
    """Browsers that chat as this contact. Their tokens go on working after a merge, as the winner's."""

    name = "visitors"
    tables = ("inbox_visitor",)

    def merge(self, merging: Merging) -> None:
        merging.move_rows(Visitor, "contact_id", before=merging.loser.pk, after=merging.winner.pk)

    def export(self, contact_ids: Sequence[UUID]) -> Iterable[Row]:
        return exporting.visitors(contact_ids)

    def erase(self, erasing: Erasing) -> None:
        erasure.erase_visitors(erasing)


def register_parts() -> None:
    register(ConversationPart())
    register(VisitorPart())
