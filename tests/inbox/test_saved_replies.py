"""Texts with blanks, and several steps at one click."""

from uuid import uuid4

from inbox.models import Message
from tests.cast import receive, sender


def test_a_reply_is_filled_in_and_nothing_in_it_runs(cast, desk):
    conversation = receive(cast, who=sender(name="{{agent.name}} Ruiz"))
    body = "Hi {{ contact.first_name }}, {{contact.email|friend}} {{contact.attribute.plan}} {% now %} {{agent.name}}"
    made = desk.ben.post("saved-replies/", {"shortcut": "hi", "title": "Greeting", "body": body})
    assert made.status_code == 201
    path = f"saved-replies/{made.json()['id']}/"
    filled = desk.bea.post(path + "preview", {"conversation": str(conversation.pk)}).json()
    assert filled == {"text": "Hi {{agent.name}}, friend  {% now %} Bea", "missing": ["contact.attribute.plan"]}
    assert desk.bea.get(path).json()["uses"] == 1
    wrong = desk.ben.post("saved-replies/", {"shortcut": "x", "title": "x", "body": "{{settings.secret}}"})
    assert wrong.status_code == 400
    assert desk.ben.post("saved-replies/", {"shortcut": "HI", "title": "x", "body": "x"}).json()["code"] == (
        "shortcut_taken"
    )


def test_ones_own_are_seen_by_nobody_else(cast, desk):
    mine = {"shortcut": "hi", "title": "x", "body": "x", "audience": "mine"}
    made = desk.ben.post("saved-replies/", mine).json()
    assert desk.bea.post("saved-replies/", mine).status_code == 201  # each has a shortcut of their own
    path = f"saved-replies/{made['id']}/"
    assert desk.bea.get(path).status_code == 404
    assert desk.ben.delete(path).status_code == 204
    everyones = desk.ben.post("saved-replies/", {**mine, "audience": "everyone"}).json()
    assert desk.bea.delete(f"saved-replies/{everyones['id']}/").status_code == 403
    assert desk.vic.post("saved-replies/", mine).status_code == 403
    assert desk.cleo.get("saved-replies/").status_code == 404


STEPS = [
    {"do": "reply", "value": "Bye {{contact.first_name}}"},
    {"do": "note", "value": "closed by macro"},
    {"do": "label", "value": "Done"},
    {"do": "assign", "value": "me"},
    {"do": "status", "value": "resolved"},
]


def test_a_macro_does_all_its_steps_as_the_person_and_once(cast, desk):
    desk.ben.post("labels/", {"name": "Done"})
    macro = desk.ben.post("macros/", {"name": "Close", "steps": STEPS})
    assert macro.status_code == 201
    conversation = receive(cast, who=sender(name="Lucía Gómez"))
    seen = desk.bea.post(f"macros/{macro.json()['id']}/preview", {"conversation": str(conversation.pk)}).json()
    assert [step["text"] for step in seen["steps"][:2]] == ["Bye Lucía", "closed by macro"]
    path, body = f"conversations/{conversation.pk}/macros/{macro.json()['id']}", {"client_id": str(uuid4())}
    for _ in range(2):
        done = desk.bea.post(path, body)
        assert done.status_code == 200
    shown = done.json()["conversation"]
    assert (shown["status"], shown["assignee"]["name"], shown["labels"][0]["name"]) == ("resolved", "Bea", "Done")
    told = list(Message.objects.filter(conversation=conversation).order_by("pk").values_list("direction", flat=True))
    assert told == ["in", "out", "note", "activity", "activity", "activity"]


def test_a_macro_that_cannot_be_done_whole_leaves_nothing(cast, desk):
    macro = desk.ben.post("macros/", {"name": "Go", "steps": [{"do": "note", "value": "x"}, *STEPS[-1:]]}).json()
    gone = desk.ada.post("labels/", {"name": "Gone"}).json()
    with_label = desk.ben.post("macros/", {"name": "L", "steps": [STEPS[0], {"do": "label", "value": "Gone"}]}).json()
    desk.ada.delete(f"labels/{gone['id']}/")
    conversation = receive(cast)
    path = f"conversations/{conversation.pk}/macros/"
    assert desk.ben.post(path + with_label["id"], {"client_id": str(uuid4())}).status_code == 400
    assert desk.vic.post(path + macro["id"], {"client_id": str(uuid4())}).status_code == 403
    assert desk.cleo.post(path + macro["id"], {"client_id": str(uuid4())}).status_code == 404
    assert Message.objects.filter(conversation=conversation).count() == 1
    wrong = desk.ben.post("macros/", {"name": "x", "steps": [{"do": "assign", "value": 7}]})
    assert "0" in wrong.json()["errors"]["steps"]


def test_a_step_is_whole_even_where_a_macro_is_changed_in_part(cast, desk):
    macro = desk.ben.post("macros/", {"name": "Close", "steps": [{"do": "status", "value": "resolved"}]}).json()
    broken: tuple[list[dict[str, str]], ...] = ([{}], [{"value": "x"}], [{"do": "note"}])
    for steps in broken:
        assert desk.ben.patch(f"macros/{macro['id']}/", {"steps": steps}).status_code == 400
    assert desk.ben.get(f"macros/{macro['id']}/").json()["steps"] == macro["steps"]
