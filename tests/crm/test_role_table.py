"""The table of docs/roles.md is the one of crm/roles.py; the second one here is what was agreed, written by hand."""

from pathlib import Path

import pytest

from crm.actors import ApiKey
from crm.api_keys import scopes_now
from crm.ids import uuid7
from crm.roles import PERMISSIONS, Action, Reach, Role, is_allowed, reach_of

DOCS = Path(__file__).parents[2] / "docs" / "roles.md"
INBOX = {Action.READ_INBOX, Action.REPLY, Action.NOTE, Action.ASSIGN, Action.RESOLVE, Action.EDIT_CONTACTS}


def as_markdown() -> str:
    lines = ["| action | " + " | ".join(Role.values) + " |", "| --- |" + " --- |" * len(Role)]
    for action in Action:
        reaches = (reach_of(role, action) for role in Role)
        cells = " | ".join(reach.value if reach else " " for reach in reaches)
        lines.append(f"| `{action.value}`: {action.label} | {cells} |")
    return "\n".join(lines)


def test_the_documents_say_what_the_code_does():
    assert as_markdown() in DOCS.read_text()


@pytest.mark.parametrize("role", Role)
def test_viewers_write_nothing_and_tutors_have_no_inbox(role):
    able = {action for action in Action if is_allowed(role, action)}
    if role is Role.VIEWER:
        assert able == {Action.READ_INBOX}
    elif role is Role.TUTOR:
        assert able == {Action.PROCTOR}
    elif role is Role.AGENT:
        assert able == INBOX | {Action.PROCTOR}
    else:
        assert able == set(Action)


def test_no_role_alone_opens_an_exam():
    assert {PERMISSIONS[role].get(Action.PROCTOR) for role in Role} == {Reach.EXAM, None}


@pytest.mark.parametrize("role", Role)
def test_a_key_is_what_its_scopes_and_its_creators_role_share(role):
    scopes = scopes_now([*Action.values, "no_such_scope"], role)
    key = ApiKey(uuid7(), uuid7(), "demo", "Bot", scopes, uuid7())
    assert {action for action in Action if key.may(action)} == set(PERMISSIONS[role])
    assert scopes_now([Action.REPLY.value], None) == frozenset()
