"""Proctoring's part of /api/v1/."""

from django.urls import URLPattern, URLResolver, path

from crm.identity.exempt import without_identity
from proctoring import api

public: list[URLPattern | URLResolver] = [
    path("leaderboards/<str:quiz_code>", without_identity(api.LeaderboardView.as_view())),
]
