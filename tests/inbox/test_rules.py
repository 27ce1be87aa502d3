"""Rules: what the inbox does by itself, once for each cause, and never for what a rule did."""

from typing import Any

import pytest
from django.utils import translation

from crm.models import SavedView, ViewAudience, ViewScope
from inbox.models import Conversation, Label, Macro, Message, Rule
from inbox.services import rules, triggers
from inbox.states import Direction, RuleEvent
from jobs.models import Job
from tests.cast import receive, sender
from tests.jobs_at_hand import run_job

LUCIA = sender("34600999999")


def macro(cast: Any, *steps: tuple[str, Any]) -> Macro:
    rows = [{"do": do, "value": value} for do, value in steps]
    return Macro.objects.create(workspace=cast.workspace, name="Sort", steps=rows, owner=cast.ada)


def view(cast: Any, **condition: Any) -> SavedView:
    return SavedView.objects.create(
        workspace=cast.workspace,
        scope=ViewScope.CONVERSATIONS,
        name="Those",
        audience=ViewAudience.EVERYONE,
        filters={"all": [condition]} if condition else {},
    )


def make(desk: Any, cast: Any, event: str, *steps: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    body = {"name": "By itself", "event": event, "macro": str(macro(cast, *steps).pk), **fields}
    answer = desk.ada.post("rules/", body)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def settle(conversation: Conversation) -> Conversation:
    """Runs what was set off, also by what that did, and the conversation as it is then."""
    for _ in range(5):
        waiting = list(Job.objects.filter(lane=f"rules:{conversation.pk}", status="pending").order_by("pk"))
        if not waiting:
            break
        for job in waiting:
            run_job(job.pk)
            job.refresh_from_db()
            assert job.status == "completed", job.last_error
    else:
        raise AssertionError("rules set each other off")
    return Conversation.objects.get(pk=conversation.pk)


def bodies(conversation: Conversation, direction: str) -> list[str]:
    return list(
        Message.objects.filter(conversation=conversation, direction=direction)
        .order_by("pk")
        .values_list("body", flat=True)
    )


def test_a_customers_words_sort_their_conversation(cast: Any, desk: Any):
    Label.objects.create(workspace=cast.workspace, name="refund")
    steps = [("label", ["refund"]), ("priority", "urgent"), ("assign", str(cast.bea.pk))]
    rule = make(desk, cast, "wrote", *steps, words=["refund", "money back"])
    fits = settle(receive(cast, "I want my MONEY back", who=sender("628120000001")))
    other = settle(receive(cast, "Nothing refundable here", who=sender("628120000002")))
    assert (fits.priority, fits.assignee_id) == ("urgent", cast.bea.pk)
    assert [label.name for label in fits.labels.all()] == ["refund"]
    assert (other.priority, other.assignee_id) == ("none", None)
    thread = desk.ben.get(f"conversations/{fits.pk}/messages/").json()["results"]
    told = [row for row in thread if row["direction"] == "activity"]
    assert {row["type"] for row in told} == {"assigned", "priority", "labels"}
    assert {(row["sender"]["kind"], row["sender"]["name"]) for row in told} == {("bot", "By itself")}
    shown = desk.ada.get(f"rules/{rule['id']}/").json()
    assert (shown["runs"], shown["problem"]) == (1, "")
    assert shown["last_run_at"]


@pytest.mark.parametrize(
    ("word", "body", "is_there"),
    [
        ("refund", "REFUND!", True),
        ("refund", "refundable", False),
        ("straße", "In der Straße 5", True),
        ("5", "Room 15", False),
        ("c++", "I know C++.", True),
        ("退款", "我想要退款可以吗", True),
        ("كتاب", "أريد الكتاب", True),
        ("คืนเงิน", "ขอคืนเงินครับ", True),
        (".*", "anything", False),
    ],
)
def test_a_word_is_found_as_its_script_writes_it(cast: Any, desk: Any, word: str, body: str, is_there: bool):
    make(desk, cast, "wrote", ("note", "heard"), words=[word])
    conversation = settle(receive(cast, body, who=LUCIA))
    assert bodies(conversation, Direction.NOTE) == ["heard"] * is_there


def test_what_begins_what_is_written_and_what_comes_back_are_told_apart(cast: Any, desk: Any):
    for event in ("begun", "wrote", "came_back"):
        make(desk, cast, event, ("note", f"heard: {event}"))
    conversation = settle(receive(cast, "One", who=LUCIA))
    assert sorted(bodies(conversation, Direction.NOTE)) == ["heard: begun", "heard: wrote"]
    settle(receive(cast, "Two", who=LUCIA))
    assert len(bodies(conversation, Direction.NOTE)) == 3
    desk.ben.post(f"conversations/{conversation.pk}/status", {"status": "resolved"})
    settle(receive(cast, "Three", who=LUCIA))
    assert sorted(bodies(conversation, Direction.NOTE))[-1] == "heard: wrote"
    assert bodies(conversation, Direction.NOTE).count("heard: came_back") == 1
    assert bodies(conversation, Direction.NOTE).count("heard: begun") == 1


def test_labels_and_priority_set_rules_off_and_are_asked_by_them(cast: Any, desk: Any):
    Label.objects.create(workspace=cast.workspace, name="vip")
    vips = view(cast, field="labels", **{"is": "any", "value": ["vip"]})
    urgent = view(cast, field="priority", **{"is": "is", "value": "urgent"})
    make(desk, cast, "labels", ("priority", "urgent"), view=str(vips.pk))
    make(desk, cast, "priority", ("assign", str(cast.bea.pk)), view=str(urgent.pk))
    conversation = receive(cast)
    desk.ben.post(f"conversations/{conversation.pk}/priority", {"priority": "high"})
    assert settle(conversation).assignee_id is None
    desk.ben.post(f"conversations/{conversation.pk}/labels", {"add": ["vip"]})
    after = settle(conversation)
    # What the first rule did sets off no other
    assert (after.priority, after.assignee_id) == ("urgent", None)
    desk.ben.post(f"conversations/{conversation.pk}/priority", {"priority": "low"})
    desk.ben.post(f"conversations/{conversation.pk}/priority", {"priority": "urgent"})
    assert settle(conversation).assignee_id == cast.bea.pk


def test_rules_run_in_their_order_until_the_last(cast: Any, desk: Any):
    first = make(desk, cast, "wrote", ("note", "first"), is_last=True, words=["stop"])
    make(desk, cast, "wrote", ("note", "second"))
    off = make(desk, cast, "wrote", ("note", "third"), is_on=False)
    conversation = settle(receive(cast, "Please stop", who=LUCIA))
    assert bodies(conversation, Direction.NOTE) == ["first"]
    settle(receive(cast, "Go on", who=LUCIA))
    assert bodies(conversation, Direction.NOTE) == ["first", "second"]
    desk.ada.patch(f"rules/{off['id']}/", {"is_on": True, "position": 0})
    desk.ada.patch(f"rules/{first['id']}/", {"position": 5})
    settle(receive(cast, "Again, stop", who=LUCIA))
    assert bodies(conversation, Direction.NOTE)[2:] == ["third", "second", "first"]


def test_an_answer_of_a_rule_is_a_machines_and_the_customer_still_waits(cast: Any, desk: Any):
    make(desk, cast, "begun", ("reply", "Hello {{contact.first_name|there}}, we will be with you soon."))
    conversation = settle(receive(cast, "Anybody?", who=LUCIA))
    assert bodies(conversation, Direction.OUT) == ["Hello Lucía, we will be with you soon."]
    sent = Message.objects.get(conversation=conversation, direction=Direction.OUT)
    assert (sent.sender_kind, sent.detail["bot"]["name"]) == ("bot", "By itself")
    assert conversation.waiting_since is not None


def test_the_same_cause_sends_nothing_twice(cast: Any, desk: Any):
    make(desk, cast, "wrote", ("reply", "Got it"))
    conversation = receive(cast, "One", who=LUCIA)
    message = Message.objects.get(conversation=conversation)
    for _ in range(2):
        rules.apply_rules(conversation_id=conversation.pk, message_id=message.pk, events=["wrote"], cause="one")
    assert bodies(conversation, Direction.OUT) == ["Got it"]


def test_two_machines_do_not_answer_each_other_for_ever(cast: Any, desk: Any):
    rule = make(desk, cast, "wrote", ("reply", "I am away"))
    for number in range(rules.TEXTS_AN_HOUR + 2):
        conversation = settle(receive(cast, f"I am away too {number}", who=LUCIA))
    assert len(bodies(conversation, Direction.OUT)) == rules.TEXTS_AN_HOUR
    assert "within an hour" in desk.ada.get(f"rules/{rule['id']}/").json()["problem"]


def test_one_that_cannot_run_says_why_and_leaves_nothing_half_done(cast: Any, desk: Any):
    Label.objects.create(workspace=cast.workspace, name="gone")
    broken = make(desk, cast, "wrote", ("note", "half"), ("reply", "Dear {{contact.email}}"), ("label", ["gone"]))
    fine = make(desk, cast, "wrote", ("note", "after it"))
    conversation = settle(receive(cast, "Hello", who=LUCIA))
    assert bodies(conversation, Direction.NOTE) == ["after it"]
    assert bodies(conversation, Direction.OUT) == []
    assert "contact.email" in desk.ada.get(f"rules/{broken['id']}/").json()["problem"]
    assert desk.ada.get(f"rules/{fine['id']}/").json()["problem"] == ""
    # Late: the note is there already when the label turns out to be gone
    contact = conversation.contact
    contact.email = "lucia@example.com"
    contact.save(update_fields=["email"])
    Label.objects.filter(name="gone").delete()
    conversation = settle(receive(cast, "Hello again", who=LUCIA))
    assert bodies(conversation, Direction.NOTE) == ["after it", "after it"]
    assert "gone" in desk.ada.get(f"rules/{broken['id']}/").json()["problem"]
    # In the midst: the note is written before the reply turns out to have no way
    type(cast.channel).objects.filter(pk=cast.channel.pk).update(is_active=False)
    Label.objects.create(workspace=cast.workspace, name="gone")
    conversation = settle(receive(cast, "And again", who=LUCIA))
    assert bodies(conversation, Direction.NOTE) == ["after it"] * 3
    assert desk.ada.get(f"rules/{broken['id']}/").json()["problem"]


def test_why_it_could_not_run_is_said_in_any_language(cast: Any, desk: Any):
    make(desk, cast, "wrote", ("note", "Dear {{contact.email}}"))
    settle(receive(cast, "Hello", who=LUCIA))
    (rule,) = Rule.objects.filter(workspace=cast.workspace)
    assert rules.problem_of(rule) == "There is nothing to fill in for contact.email."
    with translation.override("es"):
        assert rules.problem_of(rule) == "No hay nada con que rellenar contact.email."


def test_spam_history_and_the_blocked_set_nothing_off(cast: Any, desk: Any):
    make(desk, cast, "wrote", ("note", "heard"))
    make(desk, cast, "status", ("note", "heard"))
    conversation = settle(receive(cast, "One", who=LUCIA))
    assert bodies(conversation, Direction.NOTE) == ["heard"]
    receive(cast, "Old", who=LUCIA, is_history=True)
    desk.ben.post(f"conversations/{conversation.pk}/spam", {"spam": True})
    receive(cast, "Two", who=LUCIA)
    desk.ben.post(f"conversations/{conversation.pk}/status", {"status": "resolved"})
    assert not Job.objects.filter(lane=f"rules:{conversation.pk}", status="pending").exists()


def test_where_no_rule_waits_nothing_is_queued(cast: Any, desk: Any):
    make(desk, cast, "labels", ("note", "heard"))
    conversation = receive(cast, "One", who=LUCIA)
    desk.ben.post(f"conversations/{conversation.pk}/priority", {"priority": "high"})
    assert not Job.objects.filter(lane=f"rules:{conversation.pk}").exists()
    assert triggers.waited_for(cast.workspace.pk) == {RuleEvent.LABELS}


def test_who_may_see_and_save_rules(cast: Any, desk: Any):
    rule = make(desk, cast, "wrote", ("note", "heard"))
    for who in (desk.ben, desk.vic, desk.tia):
        assert who.get("rules/").status_code == 403
        assert who.post("rules/", {}).status_code in {400, 403}
        assert who.patch(f"rules/{rule['id']}/", {"is_on": False}).status_code == 403
        assert who.delete(f"rules/{rule['id']}/").status_code == 403
    assert [row["id"] for row in desk.ada.get("rules/").json()["results"]] == [rule["id"]]
    assert desk.ada.delete(f"rules/{rule['id']}/").status_code == 204
    assert desk.ada.get(f"rules/{rule['id']}/").status_code == 404


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"event": "yawned"}, "event"),
        ({"name": ""}, "name"),
        ({"words": ["x" * 61]}, "words"),
        ({"macro": "0198c000-0000-7000-8000-000000000000"}, "macro"),
        ({"view": "0198c000-0000-7000-8000-000000000000"}, "view"),
        ({"position": -1}, "position"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(cast: Any, desk: Any, fields: Any, field: str):
    body = {"name": "By itself", "event": "wrote", "macro": str(macro(cast, ("note", "x")).pk), **fields}
    answer = desk.ada.post("rules/", body)
    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert not Rule.objects.filter(workspace=cast.workspace).exists()


def test_a_view_or_macro_that_needs_a_person_is_refused(cast: Any, desk: Any):
    unread = view(cast, field="unread", **{"is": "is", "value": True})
    body = {"name": "x", "event": "wrote", "macro": str(macro(cast, ("note", "x")).pk), "view": str(unread.pk)}
    assert "view" in desk.ada.post("rules/", body).json()["errors"]
    body = {"name": "x", "event": "wrote", "macro": str(macro(cast, ("assign", "me")).pk)}
    assert "macro" in desk.ada.post("rules/", body).json()["errors"]


def test_a_rule_goes_with_its_macro_and_its_view(cast: Any, desk: Any):
    those = view(cast)
    rule = make(desk, cast, "wrote", ("note", "x"), view=str(those.pk))
    assert desk.ada.delete(f"views/{those.pk}/").status_code == 204
    assert desk.ada.get(f"rules/{rule['id']}/").status_code == 404
    rule = make(desk, cast, "wrote", ("note", "x"))
    assert desk.ada.delete(f"macros/{rule['macro']['id']}/").status_code == 204
    assert desk.ada.get("rules/").json()["results"] == []
