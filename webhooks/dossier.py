"""What the journal and the calls to other systems carry of a contact: bodies, which are blanked when it is erased."""

import json

from crm.dossier import Erasing, Part, register
from crm.encryption import encrypt
from crm.ids import uuid7
from jobs.queue import enqueue

BLANK = "webhooks.blank_journal"


class JournalPart(Part):
    name = "journal"

    def erase(self, erasing: Erasing) -> None:
        """By a job, since every body has to be looked at. It needs to know whom to look for: sealed, and forgotten
        when it is done."""
        ids = [str(one) for one in (*erasing.contact_ids, *erasing.ids)]
        sealed = encrypt(json.dumps({"names": sorted(erasing.names), "ids": ids}))
        enqueue(BLANK, key=f"{BLANK}:{uuid7()}", lane="", workspace_id=erasing.workspace_id, payload={"sealed": sealed})


def register_parts() -> None:
    register(JournalPart())
