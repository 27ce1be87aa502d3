"""The public page of a board, drawn by the server and then kept live by its script; and the module that puts it into
other pages."""

from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_http_methods, require_safe

from config.errors import DomainError, TooMany
from config.languages import in_readers_language
from crm.identity.exempt import without_identity
from crm.identity.request_pace import take_for_address
from proctoring.api.boards import LeaderboardPayload, join, snapshot
from proctoring.boards import key_of
from proctoring.errors import BoardCodeNeeded, NoSuchBoard
from proctoring.models import Leaderboard
from proctoring.payloads.boards import EntryPayload
from proctoring.queries import boards as queries
from proctoring.services.nicknames import LONGEST

MODULE = Path(__file__).parent / "static" / "leaderboard" / "embed.js"
TOP, MOST_TOP = 10, 50
AHEAD = 3  # so many times the rows shown are known to the page, so that one who leaves makes room for the next
REMEMBERED = 30 * 24 * 3600  # seconds a browser keeps the key of a private board


@never_cache
@xframe_options_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@without_identity
@in_readers_language
def leaderboard(request: HttpRequest, quiz_code: str) -> HttpResponse:
    """config.headers says which pages may stand in a frame: those with embed=1, and no other."""
    try:
        take_for_address(request)
        board = queries.public_board(quiz_code)
        if request.method == "POST":
            return _joined(request, board)
        key = request.GET.get("key") or request.COOKIES.get(_cookie(board), "")
        return _drawn(request, queries.open_board(quiz_code, key=key))
    except NoSuchBoard:
        return _shell(request, "unknown", quiz_code, status=404)
    except BoardCodeNeeded:
        return _shell(request, "private", board.quiz_code, status=403)
    except TooMany as refused:
        return _busy(request, "busy", quiz_code, refused)


def _joined(request: HttpRequest, board: Leaderboard) -> HttpResponse:
    try:
        join(request, board.quiz_code, request.POST.get("code", ""))
    except TooMany as refused:
        return _busy(request, "private", board.quiz_code, refused)
    except DomainError as refused:
        return _shell(request, "private", board.quiz_code, status=refused.status, error=str(refused))
    response = HttpResponseRedirect(request.get_full_path(), status=303)
    response.set_cookie(
        _cookie(board),
        key_of(board),
        max_age=REMEMBERED,
        path="/leaderboard/",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )
    return response


def _busy(request: HttpRequest, kind: str, quiz_code: str, refused: TooMany) -> HttpResponse:
    response = _shell(request, kind, quiz_code, status=429, error=str(refused))
    response["Retry-After"] = str(refused.data["retry_after"])
    return response


def _cookie(board: Leaderboard) -> str:
    return f"board_{board.pk.hex}"


def _drawn(request: HttpRequest, board: Leaderboard) -> HttpResponse:
    top = _top(request.GET.get("top", ""))
    me = request.GET.get("me", "").strip()[:LONGEST]
    state = snapshot(board, start=0, limit=top * AHEAD, me=me, asked={})
    key = key_of(board)
    context = {
        "board": board,
        "rows": state["results"][:top],
        "near": _near(state, top),
        "me": me,
        "players": state["players"],
        "state": {**state, "top": top, "key": key, "nickname": me, "embedded": _is_embedded(request)},
    }
    return _answer(request, "board/board.html", context)


def _near(state: LeaderboardPayload, top: int) -> list[EntryPayload]:
    """Oneself and who stands around, where that is not on the board already."""
    place = state["me"]
    if place is None or any(row["id"] == place["row"]["id"] for row in state["results"][:top]):
        return []
    shown = {row["id"] for row in state["results"][:top]}
    return [row for row in (*place["before"], place["row"], *place["after"]) if row["id"] not in shown]


def _shell(request: HttpRequest, kind: str, quiz_code: str, *, status: int, error: str = "") -> HttpResponse:
    return _answer(
        request, "board/closed.html", {"kind": kind, "quiz_code": quiz_code[:40], "error": error}, status=status
    )


def _answer(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    embedded = _is_embedded(request)
    response = render(request, template, {**context, "embedded": embedded}, status=status)
    if not embedded:
        response["X-Frame-Options"] = "DENY"
    patch_vary_headers(response, ["Cookie"])
    return response


def _is_embedded(request: HttpRequest) -> bool:
    return request.GET.get("embed") == "1"


def _top(given: str) -> int:
    return min(MOST_TOP, max(1, int(given))) if given.isascii() and given.isdigit() and len(given) < 4 else TOP


@require_safe
@without_identity
def embedding(request: HttpRequest) -> HttpResponse:
    """A module that pages of other hosts import, hence readable from everywhere."""
    response = HttpResponse(MODULE.read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Cache-Control"] = "public, max-age=300"
    return response
