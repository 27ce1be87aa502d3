"""Who may see a private board: whoever knows its code holds a key, which stands for it until the code changes."""

import hmac
import secrets
from hashlib import sha256

from django.conf import settings

from proctoring.models import Leaderboard

KEY_LENGTH = 32  # hexadecimal digits
# Without what is easily taken for something else on a projector.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
CODE_LENGTH = 6


def new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def key_of(board: Leaderboard) -> str:
    """Empty where everybody may look."""
    if not board.join_code:
        return ""
    words = f"board:{board.pk}:{board.join_code}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), words, sha256).hexdigest()[:KEY_LENGTH]


def opens(board: Leaderboard, key: str) -> bool:
    wanted = key_of(board)
    return not wanted or hmac.compare_digest(wanted.encode(), key.encode("utf-8", "replace"))


def is_its_code(board: Leaderboard, code: str) -> bool:
    """In any case and with space around it: it is typed by children."""
    given = code.strip().upper().encode("utf-8", "replace")
    return hmac.compare_digest(board.join_code.upper().encode(), given)
