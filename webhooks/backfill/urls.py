"""Below /api/v1/workspaces/<workspace>/."""

from django.urls import path

from webhooks.backfill import api

api_v1 = [path("channels/<slug:channel>/backfill", api.ChannelBackfill.as_view())]
