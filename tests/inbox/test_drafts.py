"""Drafts are one's own, the same on every device, and gone once sent."""

from uuid import uuid4

from config.live.events import events_after, head
from inbox import topics
from tests.cast import receive


def draft(conversation) -> str:
    return f"conversations/{conversation.pk}/draft"


def test_a_draft_is_kept_for_its_writer_alone_and_told_to_their_other_devices(cast, desk):
    conversation = receive(cast)
    assert desk.ben.get(draft(conversation)).json()["version"] == 0
    seq = head(topics.user(cast.ben.pk))
    saved = desk.ben.put(draft(conversation), {"body": "Dear Luc", "version": 0})
    assert (saved.status_code, saved.json()["version"]) == (200, 1)
    assert desk.ben.get(draft(conversation)).json()["body"] == "Dear Luc"
    assert desk.bea.get(draft(conversation)).json()["body"] == ""
    (told,) = events_after(topics.user(cast.ben.pk), seq)
    assert (told.type, told.data["body"], told.data["version"]) == ("draft.updated", "Dear Luc", 1)
    assert [row["conversation"] for row in desk.ben.get("drafts/").json()["results"]] == [str(conversation.pk)]


def test_an_older_device_is_shown_the_newer_draft(cast, desk):
    conversation = receive(cast)
    desk.ben.put(draft(conversation), {"body": "from the phone", "version": 0})
    late = desk.ben.put(draft(conversation), {"body": "from the desk", "version": 0})
    assert (late.status_code, late.json()["code"]) == (409, "draft_changed")
    assert late.json()["draft"]["body"] == "from the phone"
    again = desk.ben.put(draft(conversation), {"body": "from the phone", "version": 0})
    assert (again.status_code, again.json()["version"]) == (200, 1)


def test_two_devices_at_once_leave_one_draft_and_both_can_know_which(cast, desk, at_once):
    conversation, ben = receive(cast), desk.ben
    answers = at_once(
        [lambda word=word: ben.put(draft(conversation), {"body": word, "version": 0}) for word in ("one", "two")]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    kept = ben.get(draft(conversation)).json()
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert refused["draft"]["body"] == kept["body"]


def test_sending_removes_it_and_no_sleeping_device_brings_it_back(cast, desk):
    conversation = receive(cast)
    desk.ben.put(draft(conversation), {"body": "Sí", "version": 0})
    body = {"client_id": str(uuid4()), "type": "text", "body": "Sí"}
    assert desk.ben.post(f"conversations/{conversation.pk}/messages/", body).status_code == 201
    now = desk.ben.get(draft(conversation)).json()
    assert (now["body"], now["version"]) == ("", 2)
    assert desk.ben.get("drafts/").json()["results"] == []
    assert desk.ben.put(draft(conversation), {"body": "Sí, and", "version": 1}).status_code == 409


def test_what_is_wrong_with_it_is_named_and_viewers_write_none(cast, desk):
    conversation = receive(cast)
    assert desk.vic.put(draft(conversation), {"body": "x", "version": 0}).status_code == 403
    assert desk.vic.delete(draft(conversation)).status_code == 403
    wrong = desk.ben.put(draft(conversation), {"body": "x" * 70_000, "version": 0, "detail": {"else": 1}})
    assert wrong.status_code == 400
    assert {"body", "detail"} <= wrong.json()["errors"].keys()
    assert desk.cleo.get(draft(conversation)).status_code == 404


def test_throwing_it_away(cast, desk):
    conversation = receive(cast)
    desk.ben.put(draft(conversation), {"body": "no", "version": 0, "detail": {"reply_to": str(uuid4())}})
    assert desk.ben.delete(draft(conversation) + "?version=7").status_code == 409
    assert desk.ben.delete(draft(conversation) + "?version=1").status_code == 204
    assert desk.ben.get(draft(conversation)).json()["detail"] == {}
