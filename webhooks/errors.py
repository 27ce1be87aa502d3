"""What can be wrong with a delivery before anything of it is applied."""

from config.errors import Invalid, NotSignedIn


class BadSignature(NotSignedIn):
    code = "bad_signature"
    message = "The signature is missing or wrong."


class UnreadableBody(Invalid):
    """The signature was right, so the provider did send this; it is in the journal as failed."""

    code = "unreadable"
