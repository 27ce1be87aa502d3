"""Chats from outside: their part of /api/v1/, and the widget's pages."""

from django.urls import path

from crm.identity.exempt import without_identity
from inbox.chats import api, views

pages = [
    path("widget.js", views.script, name="widget-script"),
    path("widget/<slug:channel>", views.widget, name="widget"),
]

api_v1 = [
    path("widgets/<slug:channel>/", without_identity(api.WidgetDetail.as_view())),
    path("widgets/<slug:channel>/visitors", without_identity(api.WidgetVisitors.as_view())),
    path("widgets/<slug:channel>/visitor", api.WidgetVisitor.as_view()),
    path("chats/", api.ChatList.as_view()),
    path("chats/<uuid:chat>/", api.ChatDetail.as_view()),
    path("chats/<uuid:chat>/messages", api.ChatMessages.as_view()),
    path("chats/<uuid:chat>/read", api.ChatRead.as_view()),
    path("chats/<uuid:chat>/typing", api.ChatTyping.as_view()),
    path("chats/<uuid:chat>/end", api.ChatEnd.as_view()),
    path("chats/<uuid:chat>/rating", api.ChatRating.as_view()),
    path("chats/<uuid:chat>/transcript", api.ChatTranscript.as_view()),
    path("chats/<uuid:chat>/attachments/<uuid:attachment>/", api.ChatAttachment.as_view()),
]
