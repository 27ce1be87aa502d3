"""The section of /settings where tutors look after their boards."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.errors import NotFound
from crm.actors import Member
from crm.api.base import checked
from crm.roles import Action
from crm.sections.base import Done, Section, section
from proctoring import access
from proctoring.api.board_keeping import BoardBody, NewBoardBody
from proctoring.boards import new_code
from proctoring.queries import boards as queries
from proctoring.services import boards

MOST_BOARDS, ROWS, SNAPSHOTS = 100, 50, 5


@section
class Boards(Section):
    key, title, icon, needs = "boards", _("Leaderboards"), "trophy", Action.PROCTOR
    place, template = 60, "settings/boards.html"

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        rows = list(access.visible_boards(actor).order_by("-id")[:MOST_BOARDS])
        asked = (request.POST.get("board") or request.GET.get("board", "")).lower()
        chosen = next((row for row in rows if row.quiz_code.lower() == asked), rows[0] if rows else None)
        search = request.GET.get("search", "")[:60]
        entries, more = queries.kept_entries(chosen, start=0, limit=ROWS, search=search) if chosen else ([], False)
        return {
            "boards": rows,
            "board": chosen,
            "entries": entries,
            "more": more,
            "search": search,
            "may_make": actor.may(Action.MANAGE_EXAMS),
            "snapshots": list(chosen.snapshots.order_by("-taken_at")[:SNAPSHOTS]) if chosen else [],
        }

    def do_create(self, actor: Member, request: HttpRequest) -> Done:
        given = checked(NewBoardBody(data=_typed(request, "quiz_code", "name", "exam_id")))
        board = boards.create_board(actor=actor, quiz_code=given.pop("quiz_code"), fields=given)
        return _done(request, _("Created"), board.quiz_code)

    def do_save(self, actor: Member, request: HttpRequest) -> Done:
        given = checked(BoardBody(data=_typed(request, "name", "exam_id", "keep_days")))
        return _changed(actor, request, _("Saved"), **given)

    def do_close(self, actor: Member, request: HttpRequest) -> Done:
        boards.set_open(actor=actor, board=access.board_for(actor, _code(request)), is_open=False)
        return _done(request, _("Closed"))

    def do_open(self, actor: Member, request: HttpRequest) -> Done:
        boards.set_open(actor=actor, board=access.board_for(actor, _code(request)), is_open=True)
        return _done(request, _("Open again"))

    def do_hide(self, actor: Member, request: HttpRequest) -> Done:
        return _changed(actor, request, _("Hidden"), is_hidden=True)

    def do_show(self, actor: Member, request: HttpRequest) -> Done:
        return _changed(actor, request, _("Shown"), is_hidden=False)

    def do_private(self, actor: Member, request: HttpRequest) -> Done:
        return _changed(actor, request, _("Private, with a new code"), join_code=new_code())

    def do_public(self, actor: Member, request: HttpRequest) -> Done:
        return _changed(actor, request, _("Open to everybody"), join_code="")

    def do_rename(self, actor: Member, request: HttpRequest) -> Done:
        name = request.POST.get("nickname", "")
        boards.rename_entry(actor=actor, quiz_code=_code(request), entry_id=_entry(request), nickname=name)
        return _done(request, _("Renamed"))

    def do_hide_entry(self, actor: Member, request: HttpRequest) -> Done:
        return _entry_hidden(actor, request, _("Taken off the board"), is_hidden=True)

    def do_show_entry(self, actor: Member, request: HttpRequest) -> Done:
        return _entry_hidden(actor, request, _("On the board again"), is_hidden=False)


def _typed(request: HttpRequest, *names: str) -> dict[str, str]:
    return {name: request.POST.get(name, "").strip() for name in names}


def _code(request: HttpRequest) -> str:
    return request.POST.get("board", "")


def _entry(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("entry", ""))
    except ValueError:
        raise NotFound from None


def _changed(actor: Member, request: HttpRequest, word: Any, **fields: Any) -> Done:
    boards.change_board(actor=actor, quiz_code=_code(request), fields=fields)
    return _done(request, word)


def _entry_hidden(actor: Member, request: HttpRequest, word: Any, *, is_hidden: bool) -> Done:
    boards.set_entry_hidden(actor=actor, quiz_code=_code(request), entry_id=_entry(request), is_hidden=is_hidden)
    return _done(request, word)


def _done(request: HttpRequest, word: Any, quiz_code: str = "") -> Done:
    """Back to the same board."""
    kept = {"workspace": slug} if (slug := request.GET.get("workspace", "")) else {}
    query = urlencode({**kept, "board": quiz_code or _code(request), "done": str(word)})
    return Done(word, to=f"/settings/boards?{query}")
