"""What can go wrong with people, workspaces and contacts."""

from config.errors import Conflict, DomainError, Invalid


class InvalidPhone(Invalid):
    code = "invalid_phone"
    message = "This is not a phone number."


class PhoneTaken(Conflict):
    code = "phone_taken"
    message = "Another contact has this number."


class ContactMerged(Conflict):
    code = "contact_merged"
    message = "This contact was merged into another. Undo the merge to have it back."


class IdReused(Conflict):
    code = "id_reused"
    message = "This id was used for something else."


class AttributeKnown(Conflict):
    code = "attribute_known"
    message = "There is an attribute with this key."


class AttributeTypeFixed(Conflict):
    code = "attribute_type_fixed"
    message = (
        "Key and type of an attribute stay as they are, since values of it are stored. Archive it and make another."
    )


class LastOwner(Conflict):
    code = "last_owner"
    message = "A workspace keeps at least one owner. Make somebody else an owner first."


class TooSlow(DomainError):
    code = "too_slow"
    status = 422
    message = "This filter takes too long. Narrow it, for instance by a lead status, an owner or a time."
