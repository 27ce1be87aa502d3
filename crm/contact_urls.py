"""Addresses of contacts and what hangs on them, below a workspace."""

from django.urls import URLPattern, URLResolver, path

from crm.api import attributes, board, contacts, notes, timeline, views
from crm.contact_pages import detail, lists

pages: list[URLPattern | URLResolver] = [
    path("contacts", lists.contacts, name="contacts"),
    path("contacts/<uuid:contact_id>", detail.contact, name="contact"),
]
of_workspace: list[URLPattern | URLResolver] = [
    path("contacts/", contacts.ContactList.as_view()),
    path("contacts/counts", board.BoardCounts.as_view()),
    path("contacts/<uuid:contact>/timeline", timeline.Timeline.as_view()),
    path("tags", board.TagList.as_view()),
    path("contacts/<uuid:contact>/", contacts.ContactDetail.as_view()),
    path("contacts/<uuid:contact>/restore", contacts.ContactRestore.as_view()),
    path("contacts/<uuid:contact>/notes/", notes.NoteList.as_view()),
    path("contacts/<uuid:contact>/notes/<uuid:note>", notes.NoteDetail.as_view()),
    path("attributes/", attributes.AttributeList.as_view()),
    path("attributes/<uuid:attribute>", attributes.AttributeDetail.as_view()),
    path("views/", views.ViewList.as_view()),
    path("views/<uuid:view>", views.ViewDetail.as_view()),
]
