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
    PROCTOR = "proctor", _("Watch exams and their students")
    MANAGE_EXAMS = "manage_exams", _("Create exams, and say who tutors and who sits them")
    MANAGE = "manage", _("Manage channels, billing, webhooks, deliveries and jobs")
    MANAGE_MEMBERS = "manage_members", _("Invite people, change their roles and remove them")
    MANAGE_KEYS = "manage_keys", _("Create and revoke API keys")
    MANAGE_SETTINGS = "manage_settings", _("Change the workspace's settings and features")
    READ_AUDIT = "read_audit", _("Read and export the audit log")


class Reach(models.TextChoices):
    """How far an action goes."""

    ALL = "all", _("everything in the workspace")
    OWN = "own", _("their own")
    ASSIGNED = "assigned", _("what is assigned to them")
    EXAM = "exam", _("exams they have a row for")


_INBOX = (Action.READ_INBOX, Action.REPLY, Action.NOTE, Action.ASSIGN, Action.RESOLVE, Action.EDIT_CONTACTS)
_MANAGING = (
    Action.MANAGE_EXAMS,
    Action.MANAGE,
    Action.MANAGE_MEMBERS,
    Action.MANAGE_KEYS,
    Action.MANAGE_SETTINGS,
    Action.READ_AUDIT,
)
# A role alone opens no exam: the rows of its tutors do, whatever the role of who tutors.
_EXAMS = {Action.PROCTOR: Reach.EXAM}

PERMISSIONS: dict[Role, dict[Action, Reach]] = {
    Role.OWNER: {**dict.fromkeys((*_INBOX, *_MANAGING), Reach.ALL), **_EXAMS},
    Role.ADMIN: {**dict.fromkeys((*_INBOX, *_MANAGING), Reach.ALL), **_EXAMS},
    Role.AGENT: {**dict.fromkeys(_INBOX, Reach.ALL), **_EXAMS},
    Role.TUTOR: {**_EXAMS},
    Role.VIEWER: {Action.READ_INBOX: Reach.ALL},
}


def is_allowed(role: Role | str, action: Action) -> bool:
    """Whether the role does this at all; `reach_of` says how far."""
    return action in PERMISSIONS[Role(role)]


def reach_of(role: Role | str, action: Action) -> Reach | None:
    return PERMISSIONS[Role(role)].get(action)
