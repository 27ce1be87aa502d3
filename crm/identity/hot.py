"""Whose a token is, on the loop of a hot road: no thread and no query for what the token itself says."""

from crm.api_keys import PREFIX
from crm.identity import guests, tokens
from crm.identity.tokens import Claims


def claims_at_hand(token: str) -> Claims | None:
    """None for what only a thread can tell: keys of ours, visitors, a token whose key has to be fetched first. Raises
    as `verify` does. Whether there is such a user, and still may come in, is left to the caller's statement."""
    if token.startswith(PREFIX) or guests.of_token(token) or not tokens.has_key_at_hand(token):
        return None
    return tokens.verify(token)
