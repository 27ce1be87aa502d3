"""Every address of the product. Hot roads (config/asgi.py) come before these."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.cache import cache_page
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import health, metrics
from crm import urls as crm
from inbox import urls as inbox
from inbox.chats import urls as chats
from proctoring import urls as proctoring
from webhooks.backfill import urls as backfill
from webhooks.outbox import urls as outbox
from webhooks.outgoing import urls as outgoing

SCHEMA_SECONDS = 300  # that a process keeps the OpenAPI document: making it takes half a second of its time
# In one list: of each list that has no match Django notes all that it tried, for every request.
of_workspace: list[URLPattern | URLResolver] = [
    *crm.of_workspace,
    *inbox.api_v1,
    *proctoring.api_v1,
    *outgoing.api_v1,
    *outbox.api_v1,
    *backfill.api_v1,
]

api_v1: list[URLPattern | URLResolver] = [
    path("schema", cache_page(SCHEMA_SECONDS)(SpectacularAPIView.as_view()), name="schema"),
    *crm.api_v1,
    *proctoring.public,
    *chats.api_v1,
    path("workspaces/<slug:workspace>/", include(of_workspace)),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.view),
    path("api/v1/", include(api_v1)),
    path("api/docs", SpectacularSwaggerView.as_view(url="/api/v1/schema?format=json"), name="api-docs"),
    path("admin/", admin.site.urls),
    *crm.pages,
    *inbox.pages,
    *chats.pages,
    *proctoring.pages,
    *outbox.pages,
    *proctoring.board_pages,
]
