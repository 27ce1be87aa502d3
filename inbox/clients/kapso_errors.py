"""What WhatsApp's and Kapso's refusals mean: whether trying again helps, and a sentence for the agent who reads it.

Decided by code, never by the words that came with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from jobs.errors import ProviderError

# Seconds, for throttles that name none: one message per six seconds to one person, fixed one-minute windows elsewhere.
PAIR_PAUSE = 6.0
MINUTE = 60.0
SHORT_PAUSE = 2.0
LONGEST_PAUSE = 3600.0


@dataclass(frozen=True, slots=True)
class Meaning:
    sentence: str
    permanent: bool = True
    pause: float | None = None  # seconds to wait at least, where our own back-off would be too eager
    certain: bool = True  # False: the code alone does not prove that the message was not taken


_TEMPLATE = "The template was refused: {}. Correct it with your provider, or choose another."
_ACCOUNT = "WhatsApp has restricted this business account. An admin must resolve it with Meta."
_UNAUTHORISED = "The connection to WhatsApp is no longer authorised. An admin must reconnect the number."
_CONTENT = "WhatsApp did not accept the content of this message."
_BUSY = "WhatsApp is limiting how fast this number may send. It will be tried again."
_TROUBLE = "WhatsApp has a temporary problem. It will be tried again."

MEANINGS: dict[int, Meaning] = {
    131047: Meaning("The customer last wrote more than 24 hours ago. Only a template can be sent now."),
    131026: Meaning("It cannot be delivered: the person may not use WhatsApp, or has not accepted its latest terms."),
    131049: Meaning("WhatsApp held this back so that the person does not get too many marketing messages."),
    131050: Meaning("The person has stopped marketing messages from this business."),
    130472: Meaning("WhatsApp did not deliver this because the person is in one of its marketing experiments."),
    131051: Meaning("WhatsApp does not support this type of message."),
    131052: Meaning("WhatsApp could not load the file from the customer."),
    131053: Meaning("WhatsApp could not take the file. Its type or its size is not allowed."),
    130429: Meaning(_BUSY, permanent=False, pause=SHORT_PAUSE),
    131056: Meaning(
        "Too many messages to this person in a short time. It will be tried again.", permanent=False, pause=PAIR_PAUSE
    ),
    131048: Meaning(_BUSY, permanent=False, pause=MINUTE),
    80007: Meaning(_BUSY, permanent=False, pause=MINUTE),
    4: Meaning(_BUSY, permanent=False, pause=MINUTE),
    131000: Meaning(_TROUBLE, permanent=False),
    131016: Meaning(_TROUBLE, permanent=False),
    # Meta's two codes for anything that broke inside: they do not say how far the message had come.
    1: Meaning(_TROUBLE, permanent=False, certain=False),
    2: Meaning(_TROUBLE, permanent=False, certain=False),
    131042: Meaning("There is a payment problem with this WhatsApp account. An admin must settle it with Meta."),
    131031: Meaning(_ACCOUNT),
    368: Meaning(_ACCOUNT),
    130497: Meaning("WhatsApp does not let this business write to people in that country."),
    132000: Meaning(_TEMPLATE.format("the number of values does not match")),
    132001: Meaning(_TEMPLATE.format("it does not exist in this language or is not approved yet")),
    132005: Meaning(_TEMPLATE.format("the text became too long")),
    132007: Meaning(_TEMPLATE.format("it breaks WhatsApp's content rules")),
    132012: Meaning(_TEMPLATE.format("a value has the wrong format")),
    132015: Meaning(_TEMPLATE.format("it is paused for low quality")),
    132016: Meaning(_TEMPLATE.format("it is disabled for low quality")),
    190: Meaning(_UNAUTHORISED),
    0: Meaning(_UNAUTHORISED),
    10: Meaning("WhatsApp does not permit this for the connected number. An admin must check its rights."),
    33: Meaning("This number is no longer connected. An admin must reconnect it."),
    100: Meaning(_CONTENT),
    131008: Meaning(_CONTENT),
    131009: Meaning(_CONTENT),
    131021: Meaning("A number cannot write to itself."),
}

_BY_STATUS: dict[int, Meaning] = {
    401: Meaning("The API key of this channel was refused. An admin must check it."),
    403: Meaning("The API key of this channel was refused. An admin must check it."),
    404: Meaning("This number is not connected at the provider. An admin must check the channel."),
    408: Meaning(_TROUBLE, permanent=False),
    409: Meaning(
        "Another message to this person is still on its way. It will be tried again.", permanent=False, pause=2.0
    ),
    413: Meaning("The message is too large for WhatsApp."),
    423: Meaning(_TROUBLE, permanent=False),
    425: Meaning(_TROUBLE, permanent=False),
    429: Meaning(
        "The provider is limiting how fast we may send. It will be tried again.", permanent=False, pause=MINUTE
    ),
}
_REFUSED = Meaning("The provider refused this message.")
_BROKEN = Meaning("The provider has a problem. It will be tried again.", permanent=False, certain=False)
_REDIRECTED = Meaning("The provider's address is not set up correctly. An admin must check it.")


def explain(code: str, otherwise: str = "") -> str:
    """A sentence for the agent; for a code that nobody knows, the provider's own title or a plain one."""
    meaning = MEANINGS.get(int(code)) if code.isascii() and code.isdigit() else None
    return meaning.sentence if meaning else (otherwise or _REFUSED.sentence)


def error_from(*, status: int, content: bytes, retry_after: float | None, changes_something: bool) -> ProviderError:
    """The error that an answer other than 2xx amounts to. Graph's form has an object, Kapso's own a sentence."""
    graph = _graph_error(content)
    code = _code_of(graph)
    meaning = _meaning(status, code, graph)
    pause = retry_after if retry_after is not None else meaning.pause
    return ProviderError(
        meaning.sentence,
        permanent=meaning.permanent,
        code=str(code) if code is not None else f"http_{status}",
        maybe_sent=changes_something and not meaning.certain,
        retry_after=None if meaning.permanent or pause is None else min(pause, LONGEST_PAUSE),
    )


def _meaning(status: int, code: int | None, graph: Mapping[str, Any]) -> Meaning:
    if code is not None and code in MEANINGS:
        # Below 500 the request was turned down before anything happened, whatever the code.
        known = MEANINGS[code]
        return known if status >= 500 else Meaning(known.sentence, known.permanent, known.pause)
    if status >= 500:
        return _BROKEN
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if graph.get("is_transient") is True:
        return Meaning(_TROUBLE, permanent=False)
    return _REDIRECTED if status < 400 else _REFUSED


def _graph_error(content: bytes) -> Mapping[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _code_of(graph: Mapping[str, Any]) -> int | None:
    """Meta's code; the subcode 33 of the catch-all 100 means that the number itself is not there."""
    code = graph.get("code")
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code)
    if not isinstance(code, int) or isinstance(code, bool):
        return None
    return 33 if code == 100 and graph.get("error_subcode") == 33 else code
