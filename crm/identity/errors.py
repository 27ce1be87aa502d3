"""Why somebody is not signed in. All are 401, and none says more than the caller knew already."""

from config.errors import DomainError, Forbidden, NotSignedIn, Unavailable


class TokenRefused(NotSignedIn):
    code = "token_invalid"
    message = "The token is not valid here."


class TokenExpired(NotSignedIn):
    code = "token_expired"
    message = "The token has expired."


class KeyRefused(NotSignedIn):
    code = "key_invalid"
    message = "The API key is not valid here."


class KeyExpired(NotSignedIn):
    code = "key_expired"
    message = "The API key has expired."


class PersonNeeded(Forbidden):
    """What hangs on a person (what one has read, one's own account) means nothing for a machine."""

    code = "person_needed"
    message = "This is for people who sign in, not for API keys."


class Deactivated(NotSignedIn):
    code = "deactivated"
    message = "This account has been deactivated."


class WrongPassword(NotSignedIn):
    code = "invalid_credentials"
    message = "The e-mail or the password is wrong."


class SessionEnded(NotSignedIn):
    code = "session_ended"
    message = "The session has ended. Sign in again."


class IssuerUnreachable(Unavailable):
    code = "identity_unavailable"
    message = "Sign-in cannot be checked right now. Try again."


class BadCsrf(DomainError):
    code = "csrf_failed"
    status = 403
    message = "The CSRF token is missing or wrong. Reload the page."


class NotConfirmed(NotSignedIn):
    code = "email_not_confirmed"
    message = "Confirm your e-mail address first. The link is in your mail."
