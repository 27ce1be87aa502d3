"""Base error types. Apps subclass them in their errors.py; one handler shapes the HTTP answer, one the socket frame."""

from typing import Any, Self


class Said(str):
    """`Said("At most {most} files at once.", most=10)`: a sentence with numbers or names in it. It reads as plain text;
    answers look up the words of another language before those are put in."""

    sentence: str
    values: dict[str, Any]

    def __new__(cls, sentence: str, **values: Any) -> Self:
        said = super().__new__(cls, sentence.format(**values))
        said.sentence, said.values = sentence, values
        return said


class DomainError(Exception):
    """Something a caller did that cannot be done. `message` is safe to show; `data` is named and JSON-serialisable."""

    code = "invalid"
    status = 400
    message = "That cannot be done."

    def __init__(self, message: str | None = None, **data: Any) -> None:
        super().__init__(message or self.message)
        if message:
            self.message = message
        self.data = data


class Invalid(DomainError):
    """Input that does not have the documented form. `data["errors"]` may map field names to sentences."""

    code = "invalid"
    status = 400
    message = "The request is not valid."


class NotSignedIn(DomainError):
    code = "not_signed_in"
    status = 401
    message = "Sign in first."


class Forbidden(DomainError):
    """The actor may see the thing but not do this with it. Where it may not be seen, raise NotFound."""

    code = "forbidden"
    status = 403
    message = "Your role does not allow this."


class NotFound(DomainError):
    """Not there, or not for this actor: both look the same from outside."""

    code = "not_found"
    status = 404
    message = "Not found."


class Conflict(DomainError):
    code = "conflict"
    status = 409
    message = "Something else got there first."


class TooLarge(DomainError):
    code = "too_large"
    status = 413
    message = "The request is too large."


class TooMany(DomainError):
    """`data["retry_after"]`: seconds to wait."""

    code = "too_many_requests"
    status = 429
    message = "Too many requests. Wait a moment."


class Unavailable(DomainError):
    code = "unavailable"
    status = 503
    message = "Not available right now. Try again."
