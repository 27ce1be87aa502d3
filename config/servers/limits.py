"""How much one web process takes: bytes of a body, open files, seconds a socket may be silent."""

import logging
import re
import resource
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import orjson

logger = logging.getLogger(__name__)

MIB = 1024 * 1024
BODY_BYTES = 8 * MIB
# Refused here, before the body is read; the longest prefix comes first.
BODY_BYTES_BY_PREFIX = (("/webhooks/kapso/", 4 * MIB), ("/webhooks/", MIB))
# Files, and the form around them: a member's of 100 MB, those of a chat of 25 MB together
UPLOAD_BYTES, CHAT_BYTES = 101 * MIB, 26 * MIB
UPLOADS = (
    (re.compile(r"/api/v1/workspaces/[^/]+/attachments/"), UPLOAD_BYTES),
    (re.compile(r"/api/v1/chats/[^/]+/messages"), CHAT_BYTES),
)
# A refused body is read and dropped for this long, since closing at once would lose the answer on its way.
LINGER_SECONDS = 2.0

FRAME_BYTES = 64 * 1024
PING_SECONDS = 10
PONG_SECONDS = 15
# A client that does not answer our close frame within this is cut off.
CLOSE_SECONDS = 5
# What a request may still take once the process is told to end.
GRACE_SECONDS = 5

# Who may knock before they are let in, all after a restart; the system may allow fewer (net.core.somaxconn).
# Whoever finds the queue full tries again only after seconds, and then after more.
BACKLOG = 8192

ENOUGH_FILES = 4096
MOST_FILES = 1_048_576

TOO_LARGE = orjson.dumps(
    {
        "type": "about:blank",
        "title": HTTPStatus(413).phrase,
        "status": 413,
        "code": "too_large",
        "detail": "The request is too large.",
    }
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def body_limit(path: str) -> int:
    for prefix, limit in BODY_BYTES_BY_PREFIX:
        if path.startswith(prefix):
            return limit
    return next((limit for taking, limit in UPLOADS if taking.fullmatch(path)), BODY_BYTES)


def raise_file_limit() -> None:
    """Every socket is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    reachable = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= reachable:
        reachable = soft if soft != resource.RLIM_INFINITY else MOST_FILES
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
    if reachable < ENOUGH_FILES:
        logger.warning(
            "This process may open only %d files, about as many sockets fit: raise the limit (ulimit -n %d).",
            reachable,
            ENOUGH_FILES,
        )
