"""What can go wrong with people, workspaces and contacts."""

from config.errors import Conflict, Invalid


class InvalidPhone(Invalid):
    code = "invalid_phone"
    message = "This is not a phone number."


class PhoneTaken(Conflict):
    code = "phone_taken"
    message = "Another contact has this number."
