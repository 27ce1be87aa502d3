"""Outgoing webhooks' part of /api/v1/workspaces/<workspace>/."""

from django.urls import path

from webhooks.outgoing import api

_ONE = "webhook-subscriptions/<uuid:subscription>/"

api_v1 = [
    path("webhook-subscriptions/", api.SubscriptionList.as_view()),
    path(_ONE, api.SubscriptionDetail.as_view()),
    path(f"{_ONE}rotate-secret", api.SubscriptionSecret.as_view()),
    path(f"{_ONE}test", api.SubscriptionTest.as_view()),
    path(f"{_ONE}calls/", api.CallList.as_view()),
    path(f"{_ONE}calls/<uuid:call>/", api.CallDetail.as_view()),
    path(f"{_ONE}calls/<uuid:call>/redeliver", api.CallRedeliver.as_view()),
    path("events/", api.FeedList.as_view()),
]
