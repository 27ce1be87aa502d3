"""What Twilio's refusals mean: whether trying again helps, and a sentence for the agent who reads it.

Decided by code, never by the words that came with it: Twilio changes those without notice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from jobs.errors import ProviderError

# Seconds, for throttles that name none.
SHORT_PAUSE = 2.0
QUEUE_PAUSE = 30.0  # a full queue drains at one message a second on a plain number
UNREACHABLE_PAUSE = 300.0  # a handset that is off
LONGEST_PAUSE = 3600.0


class Kind(StrEnum):
    PERMANENT = "permanent"  # trying again cannot help
    THROTTLE = "throttle"  # too fast, or too many waiting: later
    WINDOW = "window"  # only a template may be sent now
    OPTED_OUT = "opted_out"  # the customer told this sender to stop
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class Meaning:
    sentence: str
    kind: Kind = Kind.PERMANENT
    pause: float | None = None  # seconds to wait at least, where our own back-off would be too eager
    certain: bool = True  # False: the answer alone does not prove that the message was not taken

    @property
    def permanent(self) -> bool:
        return self.kind in {Kind.PERMANENT, Kind.WINDOW, Kind.OPTED_OUT}


_UNAUTHORISED = "Twilio refused the account's credentials. An admin must check the channel."
_BUSY = "Twilio is limiting how fast this number may send. It will be tried again."
_QUEUE = "Too many messages are waiting at this number. It will be tried again."
_TROUBLE = "Twilio has a temporary problem. It will be tried again."
_ACCOUNT = "Twilio has suspended this account. An admin must resolve it with Twilio."
_NUMBER = "This is not a number that messages can be sent to."
_OWN_NUMBER = "The channel's number cannot send this kind of message. An admin must check it with Twilio."
_LANDLINE = "This is a landline, or a network that takes no text messages."
_LONG = "The message is too long for one Twilio message."
_EMPTY = "Twilio does not send an empty message."
_CONTENT = "The content of this message was not accepted."
_WHATSAPP_NUMBER = "The person cannot be reached on WhatsApp under this number."
_MEDIA = "The file could not be sent. Its type, its size or its address is not allowed."
_TEMPLATE = "The template was refused. Check its values, or choose another."

MEANINGS: dict[int, Meaning] = {
    20003: Meaning(_UNAUTHORISED),
    20404: Meaning("Twilio does not know this account or message. An admin must check the channel."),
    20429: Meaning(_BUSY, Kind.THROTTLE, SHORT_PAUSE),
    20500: Meaning(_TROUBLE, Kind.TEMPORARY, certain=False),
    20503: Meaning(_TROUBLE, Kind.TEMPORARY, certain=False),
    14107: Meaning(_BUSY, Kind.THROTTLE, SHORT_PAUSE),
    21211: Meaning(_NUMBER),
    21212: Meaning(_OWN_NUMBER),
    21217: Meaning(_NUMBER),
    21408: Meaning("Sending to this country is not switched on in the Twilio account. An admin can allow it."),
    21601: Meaning(_OWN_NUMBER),
    21602: Meaning(_EMPTY),
    21603: Meaning(_OWN_NUMBER),
    21604: Meaning(_NUMBER),
    21605: Meaning(_LONG),
    21606: Meaning(_OWN_NUMBER),
    21608: Meaning("This is a Twilio trial account: it may only write to numbers that were verified with Twilio."),
    21609: Meaning("Our address for Twilio's reports is not valid. An admin must check the public address."),
    21610: Meaning("The person has opted out of messages from this number by answering STOP.", Kind.OPTED_OUT),
    21611: Meaning(_QUEUE, Kind.THROTTLE, QUEUE_PAUSE),
    21612: Meaning("Messages cannot be sent from this number to that one."),
    21614: Meaning("This is not a mobile number."),
    21617: Meaning(_LONG),
    21619: Meaning(_EMPTY),
    21620: Meaning(_MEDIA),
    21623: Meaning(_MEDIA),
    21635: Meaning(_LANDLINE),
    21655: Meaning(_TEMPLATE),
    21656: Meaning(_TEMPLATE),
    21703: Meaning("The messaging service has no number to send from. An admin must add one at Twilio."),
    21705: Meaning("Twilio does not know the messaging service. An admin must check the channel."),
    30001: Meaning(_QUEUE, Kind.THROTTLE, QUEUE_PAUSE),
    30002: Meaning(_ACCOUNT),
    30003: Meaning("The phone is switched off or out of reach.", Kind.TEMPORARY, UNREACHABLE_PAUSE),
    30004: Meaning("The message was blocked: the person or their network does not accept messages from this number."),
    30005: Meaning("The number is unknown or no longer in service."),
    30006: Meaning(_LANDLINE),
    30007: Meaning("The network took the message for unwanted advertising and held it back. Change its words."),
    30008: Meaning("The message could not be delivered, and the network does not say why.", Kind.TEMPORARY),
    30022: Meaning(_BUSY, Kind.THROTTLE, SHORT_PAUSE),
    30023: Meaning("The daily limit of this number's campaign is used up.", Kind.THROTTLE, LONGEST_PAUSE),
    30032: Meaning("This toll-free number is not verified yet. An admin must verify it with Twilio."),
    30034: Meaning("This number is not registered for business messages in the US. An admin must register it."),
    30410: Meaning("The network did not answer in time.", Kind.TEMPORARY),
    30450: Meaning("Delivery to this country is not possible at present."),
    30485: Meaning(_NUMBER),
    30500: Meaning(_TROUBLE, Kind.TEMPORARY, certain=False),
    63001: Meaning(_UNAUTHORISED),
    63002: Meaning("The channel's sender is not set up at Twilio. An admin must check it."),
    63003: Meaning(_WHATSAPP_NUMBER),
    63005: Meaning(_CONTENT),
    63007: Meaning("This number is not connected to WhatsApp at Twilio. An admin must check the channel."),
    63008: Meaning("The channel is not set up correctly at Twilio. An admin must check it."),
    63009: Meaning("WhatsApp did not accept this message.", Kind.TEMPORARY),
    63010: Meaning(_TROUBLE, Kind.TEMPORARY),
    63012: Meaning("WhatsApp has a temporary problem. It will be tried again.", Kind.TEMPORARY),
    63013: Meaning("WhatsApp refused this message because it breaks its rules."),
    63014: Meaning("The person has blocked this number, or WhatsApp held the message back for them."),
    63015: Meaning("The person has not joined this Twilio sandbox."),
    63016: Meaning("The customer last wrote more than 24 hours ago. Only a template can be sent now.", Kind.WINDOW),
    63017: Meaning("WhatsApp has held this message back: the person had too many of its kind."),
    63018: Meaning("WhatsApp is limiting how fast this number may send. It will be tried again.", Kind.THROTTLE, 6.0),
    63019: Meaning(_MEDIA),
    63020: Meaning("Twilio has not been invited to this WhatsApp account. An admin must resolve it with Meta."),
    63021: Meaning(_CONTENT),
    63022: Meaning(_TEMPLATE),
    63023: Meaning("WhatsApp could not deliver the message.", Kind.TEMPORARY),
    63024: Meaning(_WHATSAPP_NUMBER),
    63025: Meaning(_MEDIA),
    63026: Meaning(_MEDIA),
    63027: Meaning("The template does not exist in this language."),
    63028: Meaning("The template needs another number of values."),
    63029: Meaning("The template was refused: the person did not accept it in time."),
    63030: Meaning(_CONTENT),
    63031: Meaning("A number cannot write to itself."),
    63032: Meaning("WhatsApp did not deliver this because the person is in one of its marketing experiments."),
    63033: Meaning("The person has blocked messages from this business."),
    63034: Meaning(_MEDIA),
    63035: Meaning(_CONTENT),
    63036: Meaning(_WHATSAPP_NUMBER),
    63038: Meaning("The account's daily limit of messages is used up.", Kind.THROTTLE, LONGEST_PAUSE),
    63040: Meaning("The template is not approved."),
    63041: Meaning("The template is paused for low quality."),
    63042: Meaning("The template is disabled for low quality."),
    63049: Meaning("WhatsApp held this back so that the person does not get too many marketing messages."),
    63051: Meaning("WhatsApp has restricted this business account. An admin must resolve it with Meta."),
}

_BY_STATUS: dict[int, Meaning] = {
    401: Meaning(_UNAUTHORISED),
    403: Meaning(_UNAUTHORISED),
    404: Meaning("Twilio does not know this account. An admin must check the channel."),
    408: Meaning(_TROUBLE, Kind.TEMPORARY),
    413: Meaning(_LONG),
    425: Meaning(_TROUBLE, Kind.TEMPORARY),
    429: Meaning(_BUSY, Kind.THROTTLE, SHORT_PAUSE),
}
_REFUSED = Meaning("Twilio refused this message.")
_BROKEN = Meaning(_TROUBLE, Kind.TEMPORARY, certain=False)
_REDIRECTED = Meaning("Twilio's address is not set up correctly. An admin must check it.")


def meaning_of(code: str) -> Meaning | None:
    return MEANINGS.get(int(code)) if code.isascii() and code.isdigit() and len(code) < 10 else None


def explain(code: str, otherwise: str = "") -> str:
    """A sentence for the agent; for a code that nobody knows, the provider's own title or a plain one."""
    meaning = meaning_of(code)
    return meaning.sentence if meaning else (otherwise or _REFUSED.sentence)


def error_from(*, status: int, content: bytes, retry_after: float | None, changes_something: bool) -> ProviderError:
    """The error that an answer other than 2xx amounts to."""
    code = _code_of(_error(content))
    meaning = _meaning(status, code)
    pause = retry_after if retry_after is not None else meaning.pause
    return ProviderError(
        meaning.sentence,
        permanent=meaning.permanent,
        code=str(code) if code is not None else f"http_{status}",
        maybe_sent=changes_something and not meaning.certain,
        retry_after=None if meaning.permanent or pause is None else min(pause, LONGEST_PAUSE),
    )


def _meaning(status: int, code: int | None) -> Meaning:
    if code is not None and code in MEANINGS:
        # Below 500 the request was turned down before anything happened, whatever the code.
        known = MEANINGS[code]
        return known if status >= 500 else Meaning(known.sentence, known.kind, known.pause)
    if status >= 500:
        return _BROKEN
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return _REDIRECTED if status < 400 else _REFUSED


def _error(content: bytes) -> Mapping[str, Any]:
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _code_of(error: Mapping[str, Any]) -> int | None:
    code = error.get("code")
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) < 10:
        code = int(code)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
