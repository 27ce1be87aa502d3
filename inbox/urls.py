"""The inbox's pages and its part of /api/v1/workspaces/<workspace>/."""

from django.urls import path

from inbox import media, search_api, views
from inbox.api import (
    bulk,
    conversations,
    drafts,
    labels,
    messages,
    notices,
    participants,
    replies,
    standing,
    templates,
)
from inbox.context import api as context

pages = [
    path("inbox", views.inbox, name="inbox"),
    path("inbox/<uuid:conversation>", views.inbox, name="inbox-conversation"),
    path("worker.js", views.worker, name="service-worker"),
    path("media/provider/<str:token>", media.for_provider),
    path("media/<str:token>", media.for_reader),
]

api_v1 = [
    path("conversations/", conversations.ConversationList.as_view()),
    path("conversations/<uuid:conversation>/", conversations.ConversationDetail.as_view()),
    path("conversations/<uuid:conversation>/messages/", messages.MessageList.as_view()),
    path("conversations/<uuid:conversation>/messages/<uuid:message>/", messages.MessageDetail.as_view()),
    path("conversations/<uuid:conversation>/messages/<uuid:message>/restore", messages.MessageRestore.as_view()),
    path("conversations/<uuid:conversation>/messages/<uuid:message>/retry", messages.MessageRetry.as_view()),
    path(
        "conversations/<uuid:conversation>/messages/<uuid:message>/attachments/<uuid:attachment>/retry",
        media.Retry.as_view(),
    ),
    path("search/", search_api.Search.as_view()),
    path("attachments/", media.Upload.as_view()),
    path("attachments/<uuid:attachment>/", media.Download.as_view()),
    path("conversations/<uuid:conversation>/read", conversations.ConversationRead.as_view()),
    path("conversations/<uuid:conversation>/typing", conversations.ConversationTyping.as_view()),
    path("conversations/<uuid:conversation>/assign", conversations.ConversationAssign.as_view()),
    path("conversations/<uuid:conversation>/status", conversations.ConversationStatusView.as_view()),
    path("conversations/bulk", bulk.Bulk.as_view()),
    path("conversations/bulk/undo", bulk.BulkUndo.as_view()),
    path("conversations/<uuid:conversation>/unread", conversations.ConversationUnread.as_view()),
    path("conversations/<uuid:conversation>/draft", drafts.DraftView.as_view()),
    path("conversations/<uuid:conversation>/labels", labels.ConversationLabels.as_view()),
    path("conversations/<uuid:conversation>/claim", standing.ConversationClaim.as_view()),
    path("conversations/<uuid:conversation>/team", standing.ConversationTeam.as_view()),
    path("conversations/<uuid:conversation>/priority", standing.ConversationPriority.as_view()),
    path("conversations/<uuid:conversation>/snooze", standing.ConversationSnooze.as_view()),
    path("conversations/<uuid:conversation>/spam", standing.ConversationSpam.as_view()),
    path("conversations/<uuid:conversation>/participants/", participants.ParticipantList.as_view()),
    path("conversations/<uuid:conversation>/participants/<str:user>/", participants.ParticipantDetail.as_view()),
    path("notices/", notices.NoticeList.as_view()),
    path("notices/read", notices.NoticeRead.as_view()),
    path("notices/preferences", notices.NoticePreferences.as_view()),
    path("notices/push", notices.NoticePush.as_view()),
    path("notices/push/known", notices.NoticePushKnown.as_view()),
    path("notices/push/off", notices.NoticePushOff.as_view()),
    path("saved-replies/", replies.ReplyList.as_view()),
    path("saved-replies/<uuid:reply>/", replies.ReplyDetail.as_view()),
    path("saved-replies/<uuid:reply>/preview", replies.ReplyPreview.as_view()),
    path("macros/", replies.MacroList.as_view()),
    path("macros/<uuid:macro>/", replies.MacroDetail.as_view()),
    path("macros/<uuid:macro>/preview", replies.MacroPreview.as_view()),
    path("conversations/<uuid:conversation>/macros/<uuid:macro>", replies.MacroApply.as_view()),
    path("snooze-presets", standing.SnoozePresets.as_view()),
    path("drafts/", drafts.DraftList.as_view()),
    path("labels/", labels.LabelList.as_view()),
    path("labels/<uuid:label>/", labels.LabelDetail.as_view()),
    path("contacts/by-phone", context.ContactByPhone.as_view()),
    path("contacts/context", context.ContactContext.as_view()),
    path("channels/<slug:channel>/templates/", templates.TemplateList.as_view()),
    path("channels/<slug:channel>/templates/sync", templates.TemplateSync.as_view()),
]
