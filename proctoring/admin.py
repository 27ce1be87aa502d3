"""Exams, sessions and boards in Django admin. What students and tutors wrote stays with the exam's tutors."""

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from config.admin.base import each, register_rest
from crm.admin.base import CrmAdmin, acting_in, admin_of
from proctoring.models import Leaderboard, LeaderboardEntry, ScoreCorrection
from proctoring.services import boards


@admin.register(Leaderboard)
class LeaderboardAdmin(CrmAdmin):
    list_display = ("quiz_code", "name", "workspace", "is_open", "created_at")
    list_select_related = ("workspace",)
    list_filter = ("is_open",)
    actions = ("close", "open_again")

    @admin.action(description=lazy("Close: takes no more scores"))
    @each(done=lambda n: ngettext("%(n)d board is closed.", "%(n)d boards are closed.", n) % {"n": n})
    def close(self, request: HttpRequest, board: Leaderboard) -> None:
        self._set(request, board, is_open=False)

    @admin.action(description=lazy("Open again"))
    @each(done=lambda n: ngettext("%(n)d board is open.", "%(n)d boards are open.", n) % {"n": n})
    def open_again(self, request: HttpRequest, board: Leaderboard) -> None:
        self._set(request, board, is_open=True)

    def _set(self, request: HttpRequest, board: Leaderboard, *, is_open: bool) -> None:
        actor = acting_in(request, board.workspace_id)
        boards.set_open(actor=actor, by=admin_of(request), board=board, is_open=is_open)


@admin.register(LeaderboardEntry)
class LeaderboardEntryAdmin(CrmAdmin):
    """Clients and admins write no scores: the grading function does, and corrects them."""

    list_display = ("id", "board", "nickname", "score", "max_score", "submitted_at", "conflicts")
    list_select_related = ("board",)
    search_fields = ("id", "board")
    search_help_text = lazy("The id of an entry or of a board")


@admin.register(ScoreCorrection)
class ScoreCorrectionAdmin(CrmAdmin):
    list_display = ("id", "workspace", "score_before", "score_after", "created_at")
    list_select_related = ("workspace",)


register_rest(apps.get_app_config("proctoring").get_models(), CrmAdmin)
