"""Roles of a workspace and the one table of who may do what. Code, pages, documents and tests read this table."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    AGENT = "agent", _("Agent")
    TUTOR = "tutor", _("Tutor")
    VIEWER = "viewer", _("Viewer")


class Action(models.TextChoices):
    READ_INBOX = "read_inbox", _("Read conversations, notes and contacts")
    REPLY = "reply", _("Answer customers")
    NOTE = "note", _("Write private notes")
    ASSIGN = "assign", _("Assign conversations")
    RESOLVE = "resolve", _("Resolve, reopen and snooze")
    EDIT_CONTACTS = "edit_contacts", _("Create and edit contacts")
    MANAGE = "manage", _("Manage members, channels, keys and jobs")


_INBOX = {Action.READ_INBOX, Action.REPLY, Action.NOTE, Action.ASSIGN, Action.RESOLVE, Action.EDIT_CONTACTS}

PERMISSIONS: dict[Role, frozenset[Action]] = {
    Role.OWNER: frozenset({*_INBOX, Action.MANAGE}),
    Role.ADMIN: frozenset({*_INBOX, Action.MANAGE}),
    Role.AGENT: frozenset(_INBOX),
    Role.TUTOR: frozenset(),  # exams alone, and those by a row of their own
    Role.VIEWER: frozenset({Action.READ_INBOX}),
}


def is_allowed(role: Role | str, action: Action) -> bool:
    return action in PERMISSIONS[Role(role)]
