from proctoring.payloads.boards import EntryPayload, entry_payload

__all__ = ["EntryPayload", "entry_payload"]
