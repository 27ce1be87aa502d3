"""The outbox's page and its part of /api/v1/workspaces/<workspace>/."""

from django.urls import path

from webhooks.outbox import api, views

pages = [path("outbox", views.outbox, name="outbox")]

api_v1 = [
    path("outbox/", api.OutboxFigures.as_view()),
    path("jobs/", api.JobList.as_view()),
    path("jobs/retry-failed", api.JobRetryAll.as_view()),
    path("jobs/<int:job>/", api.JobDetail.as_view()),
    path("jobs/<int:job>/retry", api.JobRetry.as_view()),
    path("jobs/<int:job>/dismiss", api.JobDismiss.as_view()),
    path("deliveries/", api.DeliveryList.as_view()),
    path("deliveries/<int:delivery>/", api.DeliveryDetail.as_view()),
    path("deliveries/<int:delivery>/retry", api.DeliveryRetry.as_view()),
    path("webhook-calls/", api.CallList.as_view()),
    path("webhook-calls/<uuid:call>/", api.CallDetail.as_view()),
    path("webhook-calls/<uuid:call>/retry", api.CallRetry.as_view()),
    path("crons/", api.CronList.as_view()),
]
