"""/webhooks/scores: checked in the contract's order (size, signature, form of the body), then kept, then answered.

The form includes the quiz code: a score for a board that is not there is refused at once, so that the sender knows.
"""

import time
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings

from config.hot import Answer, MethodNotAllowed, Request, road
from webhooks import installation
from webhooks.bodies import Unreadable, event_key
from webhooks.errors import BadSignature, UnreadableBody
from webhooks.installation import Told
from webhooks.journal import keep
from webhooks.scores import payload
from webhooks.standard.signature import is_genuine, signed

PREFIX = "/webhooks/scores"
PROVIDER = "scores"
EVENT = "score.pushed"
_BOARD = "select workspace_id from proctoring_leaderboard where lower(quiz_code) = lower(%s) and is_open"
# Only boards that are there, so it cannot grow by what strangers make up.
_UNKNOWN: tuple[float, UUID | None] = (0.0, None)
_boards: dict[str, tuple[float, UUID]] = {}


async def _handle(request: Request, rest: str) -> Answer:
    if request.method != "POST":
        raise MethodNotAllowed("POST")
    body = await installation.body_of(request, rest)
    given = signed(request.headers)
    if given is None or not is_genuine(given, body, settings.SCORES_SECRETS):
        raise BadSignature
    workspace = await _workspace_of(payload.quiz_code_in(body))
    try:
        score = payload.read(body, now=datetime.now(UTC))
        if workspace is None:
            raise Unreadable("quiz_code names no open board.")
    except Unreadable as error:
        await _keep_refused(workspace, request, body, str(error))
        raise UnreadableBody(str(error)) from None
    told = Told(event_key(given.id, body), EVENT, score.lane)
    await keep(installation.arrival(PROVIDER, workspace, told, request.headers, body))
    return installation.OK


async def _keep_refused(workspace: UUID | None, request: Request, body: bytes, reason: str) -> None:
    """What belongs to no board is shown where the identity provider's messages without a workspace are."""
    shown_in = workspace or await installation.workspace_id(settings.IDENTITY_WORKSPACE)
    await installation.keep_refused(PROVIDER, shown_in, request.headers, body, reason)


async def _workspace_of(quiz_code: str) -> UUID | None:
    """Whose open board it is. Found ones are kept for a while: a quiz has many players, and they end together."""
    now, key = time.monotonic(), quiz_code.lower()
    fresh_until, found = _boards.get(key, _UNKNOWN)
    if found is None or fresh_until < now:
        row = await installation.fetch(_BOARD, [quiz_code]) if quiz_code else None
        found = row[0] if row else None
        _boards.pop(key, None)
        if found:
            _boards[key] = (now + installation.FRESH, found)
    return found


scores = road(PREFIX, _handle)
