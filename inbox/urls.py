"""The inbox's pages and its part of /api/v1/workspaces/<workspace>/."""

from django.urls import path

from inbox import api, views

pages = [
    path("inbox", views.inbox, name="inbox"),
    path("inbox/<uuid:conversation>", views.inbox, name="inbox-conversation"),
]

api_v1 = [
    path("conversations/", api.ConversationList.as_view()),
    path("conversations/<uuid:conversation>/", api.ConversationDetail.as_view()),
    path("conversations/<uuid:conversation>/messages/", api.MessageList.as_view()),
    path("conversations/<uuid:conversation>/messages/<uuid:message>/retry", api.MessageRetry.as_view()),
    path("conversations/<uuid:conversation>/read", api.ConversationRead.as_view()),
    path("conversations/<uuid:conversation>/typing", api.ConversationTyping.as_view()),
    path("conversations/<uuid:conversation>/assign", api.ConversationAssign.as_view()),
    path("conversations/<uuid:conversation>/status", api.ConversationStatusView.as_view()),
    path("channels/<slug:channel>/templates/", api.TemplateList.as_view()),
    path("channels/<slug:channel>/templates/sync", api.TemplateSync.as_view()),
]
