"""Notes about contacts, who is told of them, and the timeline they stand in."""

from typing import Any
from uuid import uuid4

import pytest

from config.live.events import events_after, head
from crm.models import BillingAccount, PaymentAttempt, Team, TeamMember
from tests.api import Api
from tests.cast import receive, unique

pytestmark = pytest.mark.usefixtures("own_issuer")


def api(cast: Any, who: str = "ben") -> Api:
    return Api(getattr(cast, who)).of(cast.workspace.slug)


@pytest.fixture
def contact(cast: Any) -> str:
    made: str = api(cast).post("contacts/", {"name": "Lucía"}).json()["id"]
    return made


def test_notes_come_newest_first_with_their_author(cast, contact):
    path = f"contacts/{contact}/notes/"
    for body in ("first", "second"):
        assert api(cast).post(path, {"body": body}).status_code == 201
    rows = api(cast, "vic").get(path).json()["results"]
    assert [row["body"] for row in rows] == ["second", "first"]
    assert rows[0]["author"] == {"id": str(cast.ben.pk), "name": "Ben"}
    assert api(cast).get(f"contacts/{contact}/").json()["notes_count"] == 2


def test_the_mentioned_hear_of_it_once(cast, contact):
    ada, bea = f"user.{cast.ada.pk}", f"user.{cast.bea.pk}"
    before = {topic: head(topic) for topic in (ada, bea)}
    body = {"body": f"Look, @{cast.bea.pk}", "mentions": [str(cast.ada.pk), str(cast.ben.pk)]}
    note = api(cast).post(f"contacts/{contact}/notes/", body).json()
    assert set(note["mentions"]) == {str(cast.ada.pk), str(cast.ben.pk), str(cast.bea.pk)}
    for topic, seq in before.items():
        event, notice = events_after(topic, seq)
        assert (event.type, notice.type) == ("note.mentioned", "notice.created")
        assert (event.data["note"], event.data["contact"]) == (note["id"], contact)
        assert event.data["author"]["name"] == "Ben"
    api(cast).patch(f"contacts/{contact}/notes/{note['id']}", {"body": "Look again"})
    assert head(bea) == before[bea] + 2
    for who in (cast.tia, cast.cleo):
        answer = api(cast).post(f"contacts/{contact}/notes/", {"body": "x", "mentions": [str(who.pk)]})
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {"mentions"})


def test_a_team_that_is_named_hears_of_it_and_its_members_once(cast, contact):
    team = Team.objects.create(workspace=cast.workspace, name="Night")
    for user in (cast.bea, cast.vic, cast.ben):
        TeamMember.objects.create(workspace=cast.workspace, team=team, user=user)
    people = {name: f"user.{getattr(cast, name).pk}" for name in ("ada", "ben", "bea", "vic")}
    before = {name: head(topic) for name, topic in people.items()}

    def told():
        found = {name: events_after(topic, before[name]) for name, topic in people.items()}
        return {name: sum(event.type == "note.mentioned" for event in events) for name, events in found.items()}

    path = f"contacts/{contact}/notes/"
    note = api(cast).post(path, {"body": "Who takes this?", "mentions": [str(team.pk), str(cast.bea.pk)]}).json()
    assert note["mentions"] == [str(team.pk), str(cast.bea.pk)]
    assert told() == {"ada": 0, "ben": 0, "bea": 1, "vic": 1}  # whoever wrote it knows
    wider = [str(team.pk), str(cast.ada.pk)]
    api(cast).patch(f"{path}{note['id']}", {"mentions": wider})
    assert told() == {"ada": 1, "ben": 0, "bea": 1, "vic": 1}
    foreign = Team.objects.create(workspace=cast.elsewhere, name="Night")
    refused = api(cast).post(path, {"body": "x", "mentions": [str(foreign.pk)]})
    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"mentions"})


def test_notes_can_be_replayed(cast, contact):
    path = f"contacts/{contact}/notes/"
    kept = api(cast).post(path, {"body": "kept"}).json()
    gone = api(cast).post(path, {"body": "gone"}).json()
    old = {row["id"]: row for row in api(cast).get(path).json()["results"]}
    seq = api(cast).get(f"contacts/{contact}/").json()["live"]["seq"]
    api(cast).patch(f"{path}{kept['id']}", {"body": "changed"})
    api(cast).delete(f"{path}{gone['id']}")
    api(cast).post(path, {"body": "new"})
    for event in events_after(f"contact.{contact}", seq):
        assert event.type in {"note.created", "note.updated"}
        if event.data.get("deleted"):
            del old[event.data["id"]]
        else:
            old[event.data["id"]] = event.data
    assert old == {row["id"]: row for row in api(cast).get(path).json()["results"]}


def test_the_same_id_is_the_same_note(cast, contact):
    body = {"id": str(uuid4()), "body": "once"}
    path = f"contacts/{contact}/notes/"
    assert [api(cast).post(path, body).status_code for _ in range(2)] == [201, 200]
    assert api(cast).post(path, {**body, "body": "other"}).json()["code"] == "id_reused"
    assert api(cast, "bea").post(path, body).json()["code"] == "id_reused"


def test_notes_are_changed_by_who_wrote_them_or_an_admin(cast, contact):
    note = api(cast).post(f"contacts/{contact}/notes/", {"body": "mine"}).json()["id"]
    path = f"contacts/{contact}/notes/{note}"
    assert api(cast, "bea").patch(path, {"body": "x"}).status_code == 403
    assert api(cast, "vic").patch(path, {"body": "x"}).status_code == 403
    assert api(cast, "vic").post(f"contacts/{contact}/notes/", {"body": "x"}).status_code == 403
    for who in ("tia", "cleo"):
        assert api(cast, who).get(f"contacts/{contact}/notes/").status_code == 404
        assert api(cast, who).post(f"contacts/{contact}/notes/", {"body": "x"}).status_code == 404
        assert api(cast, who).patch(path, {"body": "x"}).status_code == 404
        assert api(cast, who).delete(path).status_code == 404
        assert api(cast, who).get(f"contacts/{contact}/timeline").status_code == 404
    assert api(cast, "ada").delete(path).status_code == 204
    assert api(cast).delete(path).status_code == 404


def test_a_note_has_words_and_an_end(cast, contact):
    path = f"contacts/{contact}/notes/"
    assert set(api(cast).post(path, {"body": "  "}).json()["errors"]) == {"body"}
    assert set(api(cast).post(path, {"body": "é" * 32769}).json()["errors"]) == {"body"}
    assert set(api(cast).post(path, {"body": "a\x00"}).json()["errors"]) == {"body"}
    assert set(api(cast).post(path, {"body": "x", "text": "y"}).json()["errors"]) == {"text"}
    assert api(cast).post(path, {"body": "é" * 32768}).status_code == 201


def test_the_timeline_tells_everything_newest_first(cast, assert_queries):
    conversation = receive(cast, "¿Me pueden enviar la factura?")
    contact = str(conversation.contact_id)
    customer = unique("cus")
    BillingAccount.objects.create(
        workspace=cast.workspace, contact_id=contact, stripe_customer_id=customer, status="past_due"
    )
    PaymentAttempt.objects.create(
        workspace=cast.workspace, payment_id=unique("pay"), provider="stripe", payer_id=customer, status="failed",
        amount=89000, currency="MXN",
    )  # fmt: skip
    note = api(cast).post(f"contacts/{contact}/notes/", {"body": "RFC"}).json()
    api(cast).patch(f"contacts/{contact}/", {"lead_status": "customer", "owner": "me", "tags": ["vip"]})
    with assert_queries(8):
        answer = api(cast, "vic").get(f"contacts/{contact}/timeline")
    rows = answer.json()["results"]
    assert [row["kind"] for row in rows] == [
        "change", "note", "payment", "billing", "conversation", "conversation_started",
    ]  # fmt: skip
    by_kind = {row["kind"]: row["data"] for row in rows}
    assert by_kind["change"]["detail"]["lead_status"] == ["", "customer"]
    assert by_kind["change"]["actor"]["name"] == "Ben"
    assert by_kind["note"]["id"] == note["id"]
    assert by_kind["payment"]["amount"] == 89000
    assert by_kind["conversation"]["last_message"]["body"] == "¿Me pueden enviar la factura?"
    found, path = [], f"/api/v1/workspaces/{cast.workspace.slug}/contacts/{contact}/timeline?limit=1"
    while path:
        page = Api(cast.vic).get(path).json()
        found += page["results"]
        path = page["next"]
    assert found == rows
    only = api(cast).get(f"contacts/{contact}/timeline", kind="note,payment").json()["results"]
    assert [row["kind"] for row in only] == ["note", "payment"]
    assert api(cast).get(f"contacts/{contact}/timeline", kind="rubbish").status_code == 400
    assert api(cast).get(f"contacts/{contact}/timeline", cursor="rubbish").status_code == 400
