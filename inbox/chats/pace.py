"""How often somebody from outside may begin chats, write and send files. Without Redis nobody is kept out."""

from collections.abc import Mapping

from crm.actors import Guest, Visitor
from crm.identity.throttle import count_in_turn, count_up

MINUTE, HOUR = 60, 3600
# Of one address: a whole school or office may stand behind it.
VISITORS = (600, 5 * MINUTE)
CHATS_OF_ADDRESS = (600, 5 * MINUTE)
# Of one guest
CHATS = (30, HOUR)
MESSAGES_AT_ONCE = (20, 10)
MESSAGES = (120, 5 * MINUTE)
FILES = (20, 10 * MINUTE)
MAILS = (3, HOUR)
# What agents see change beside words: who somebody says they are, that a chat ended, how it was.
ACTS = (30, 5 * MINUTE)
TYPING = (30, MINUTE)  # a writer says so every three seconds

Limit = tuple[int, int]  # how often, in how many seconds


def take(what: str, limits: Mapping[str, Limit]) -> None:
    """`limits` by who is counted. TooMany with the seconds to wait."""
    for who, (most, seconds) in limits.items():
        count_up(f"chat-{what}-{seconds}", {who: most}, seconds)


def take_start(guest: Guest, source: str) -> None:
    take("start", {_of(guest): CHATS, source: CHATS_OF_ADDRESS})


def take_message(guest: Guest, *, files: int = 0) -> None:
    who = _of(guest)
    count_in_turn([(f"chat-message-{seconds}", who, most, seconds) for most, seconds in (MESSAGES_AT_ONCE, MESSAGES)])
    for _ in range(files):
        take("file", {who: FILES})


def take_mail(guest: Guest) -> None:
    take("mail", {_of(guest): MAILS})


def take_act(guest: Guest) -> None:
    take("act", {_of(guest): ACTS})


def take_typing(guest: Guest) -> None:
    take("typing", {_of(guest): TYPING})


def _of(guest: Guest) -> str:
    return f"visitor:{guest.visitor_id}" if isinstance(guest, Visitor) else f"user:{guest.user_id}"
