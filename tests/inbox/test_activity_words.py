"""Lines of activity are whole sentences, which each reader sees in their own language."""

from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from inbox import activity_words
from inbox.activity_words import SENTENCES, words_of
from inbox.models import Label, Message
from inbox.payloads import message_payload
from inbox.states import Direction, Priority
from tests.cast import receive


def _lines(conversation: Any) -> list[Message]:
    return list(Message.objects.filter(conversation=conversation, direction=Direction.ACTIVITY).order_by("pk"))


def test_what_is_said_of_each_change_can_be_said_in_any_language(cast: Any, desk: Any):
    conversation = receive(cast)
    first, second = (Label.objects.create(workspace=cast.workspace, name=name, hue=1) for name in ("vip", "late"))
    changes: list[tuple[str, dict[str, Any]]] = [
        ("claim", {}),
        ("assign", {"assignee": str(cast.bea.pk)}),
        ("assign", {"assignee": None}),
        ("labels", {"labels": [str(first.pk)]}),
        ("labels", {"labels": [str(second.pk)]}),
        ("labels", {"labels": []}),
        *[("priority", {"priority": one}) for one in (*Priority.values[1:], Priority.values[0])],
        ("snooze", {"until": (timezone.now() + timedelta(hours=2)).isoformat()}),
        ("snooze", {"until": None}),
        ("status", {"status": "pending"}),
        ("status", {"status": "resolved"}),
        ("status", {"status": "open"}),
    ]
    for what, body in changes:
        answer = desk.ben.post(f"conversations/{conversation.pk}/{what}", body)
        assert answer.status_code == 200, (what, body, answer.content)
    lines = _lines(conversation)
    assert len(lines) == len(changes)
    for line in lines:
        said = line.detail["activity"]["said"]
        assert said["sentence"] in SENTENCES
        assert said["sentence"].format(**said["values"]) == line.body
        shown = message_payload(line, "")
        assert (shown["body"], shown["detail"]["activity"]["said"]) == (line.body, said)


def test_the_page_says_it_in_the_language_of_now(monkeypatch: pytest.MonkeyPatch):
    words = {"Assigned to {name}": "Asignado a {name}", "Taken": "Tomado"}
    monkeypatch.setattr(activity_words, "gettext", lambda sentence: words.get(sentence, sentence))
    line = {
        "id": "1",
        "body": "Assigned to Bea",
        "detail": {"activity": {"said": {"sentence": "Assigned to {name}", "values": {"name": "Bea {x}"}}}},
    }
    assert "Asignado a Bea {x}" in render_to_string("inbox/activity.html", {"m": line})
    assert words_of("Ada gave it away", {}) == words_of("Ada gave it away", None) == "Ada gave it away"


@pytest.mark.parametrize(
    ("name", "shown"), [("Bea", "Bea"), ("אבי", "\u2068אבי\u2069"), ("a\u202eb", "\u2068a\u202eb\u2069")]
)
def test_a_name_turns_only_itself(name: str, shown: str):
    said = {"sentence": "{name} is away, so nobody has this", "values": {"name": name}}
    assert words_of("", {"activity": {"said": said}}) == f"{shown} is away, so nobody has this"
