"""People and machines create, edit, delete and bring back contacts."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from config.live.events import events_after
from config.live.identity import Identity
from config.live.topics import may_listen
from crm.models import AuditEntry, Contact, ContactIdentity
from tests.api import Api, token_for
from tests.cast import receive, sender, unique

pytestmark = pytest.mark.usefixtures("own_issuer")


def api(cast, who="ben"):
    return Api(getattr(cast, who)).of(cast.workspace.slug)


def number():
    return f"+1415{uuid4().int % 10**7:07d}"


def make(cast, **fields):
    answer = api(cast).post("contacts/", {"name": "Lucía", **fields})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_contact_is_created_with_its_number_in_one_form(cast):
    made = make(cast, phone="(415) 555-0188", email="lucia@mail.example", tags=["Billing", "Billing"], lead_score=91)
    assert made["phone_normalized"] == "+14155550188"
    assert made["phone"] == "(415) 555-0188"
    assert made["tags"] == ["Billing"]
    assert made["owner"] is None
    kinds = set(ContactIdentity.objects.filter(contact_id=made["id"]).values_list("kind", flat=True))
    assert kinds == {"match", "phone", "email"}


def test_a_message_from_the_number_finds_the_contact_that_was_typed(cast):
    digits = number()
    made = make(cast, phone=digits)
    conversation = receive(cast, who=sender(digits.lstrip("+")))
    assert str(conversation.contact_id) == made["id"]


def test_a_taken_number_is_a_conflict_that_names_the_other(cast):
    digits = number()
    first = make(cast, phone=digits)
    answer = api(cast).post("contacts/", {"name": "Other", "phone": digits})
    assert (answer.status_code, answer.json()["code"], answer.json()["contact"]) == (409, "phone_taken", first["id"])
    second = make(cast)
    answer = api(cast).patch(f"contacts/{second['id']}/", {"phone": digits})
    assert (answer.status_code, answer.json()["contact"]) == (409, first["id"])


def test_two_at_once_with_one_number_make_one_contact(cast, at_once):
    digits = number()

    def create():
        return api(cast).post("contacts/", {"name": "Twice", "phone": digits}).status_code

    assert sorted(at_once(create, 6)) == [201, 409, 409, 409, 409, 409]
    assert Contact.objects.filter(workspace=cast.workspace, phone_normalized=digits).count() == 1


def test_the_same_id_is_the_same_contact(cast):
    body = {"id": str(uuid4()), "name": "Once"}
    assert [api(cast).post("contacts/", body).status_code for _ in range(2)] == [201, 200]
    answer = api(cast).post("contacts/", {**body, "name": "Another"})
    assert (answer.status_code, answer.json()["code"]) == (409, "id_reused")


def test_unknown_fields_and_wrong_types_are_named_one_by_one(cast):
    made = make(cast)
    wrong = {
        "nmae": "x",
        "lead_score": 101,
        "tags": "vip",
        "email": "not an address",
        "metadata": [],
        "name": "y" * 201,
    }
    answer = api(cast).patch(f"contacts/{made['id']}/", wrong)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert set(answer.json()["errors"]) == set(wrong)
    for body in ({"phone": "rubbish"}, {"owner": str(cast.cleo.pk)}, {"metadata": {"a": "\x00"}}):
        answer = api(cast).patch(f"contacts/{made['id']}/", body)
        assert (answer.status_code, set(answer.json()["errors"])) == (400, set(body))


def test_an_edit_is_heard_and_kept_in_the_log(cast):
    made = make(cast, lead_status="new")
    old = api(cast).get(f"contacts/{made['id']}/").json()
    fields = {"lead_status": "qualified", "lead_score": 70, "owner": "me", "tags": ["VIP"], "name": "Lucía F."}
    api(cast).patch(f"contacts/{made['id']}/", fields)
    api(cast).patch(f"contacts/{made['id']}/", {"phone": number(), "metadata": {"Town": "Puebla"}})
    fresh = api(cast).get(f"contacts/{made['id']}/").json()

    topic, seq = old["live"]["topic"], old["live"]["seq"]
    replayed = dict(old)
    for event in events_after(topic, seq):
        assert event.type == "contact.updated"
        replayed |= event.data
        seq = event.seq
    assert {**replayed, "live": {"topic": topic, "seq": seq}} == fresh
    assert fresh["owner"] == {"id": str(cast.ben.pk), "name": "Ben"}
    first, second = AuditEntry.objects.filter(target_id=made["id"], action="contact.updated").order_by("id")
    assert first.detail["lead_status"] == ["new", "qualified"]
    assert first.detail["owner"] == [None, str(cast.ben.pk)]
    assert first.detail["fields"] == ["name"]
    assert second.detail == {"fields": ["phone", "metadata"]}


def test_an_edit_that_changes_nothing_tells_nobody(cast):
    made = make(cast, lead_status="new")
    before = api(cast).get(f"contacts/{made['id']}/").json()
    answer = api(cast).patch(f"contacts/{made['id']}/", {"lead_status": "new"})
    assert answer.json() == before


def test_a_corrected_number_is_free_again(cast):
    wrong, right = number(), number()
    made = make(cast, phone=wrong)
    api(cast).patch(f"contacts/{made['id']}/", {"phone": right})
    assert make(cast, phone=wrong)["id"] != made["id"]


def test_a_number_that_wrote_to_us_stays_known(cast):
    digits = number().lstrip("+")
    conversation = receive(cast, who=sender(digits))
    api(cast).patch(f"contacts/{conversation.contact_id}/", {"phone": number()})
    assert receive(cast, who=sender(digits)).contact_id == conversation.contact_id


def test_a_deleted_contact_goes_with_its_conversations_and_comes_back_with_them(cast):
    who = sender()
    conversation = receive(cast, who=who)
    path = f"contacts/{conversation.contact_id}/"
    assert api(cast).delete(path).status_code == 204
    assert api(cast).get(path).status_code == 404
    assert api(cast).get(f"conversations/{conversation.pk}/").status_code == 404
    assert [row["id"] for row in api(cast).get("contacts/", deleted="only").json()["results"]] == [
        str(conversation.contact_id)
    ]
    assert api(cast).post(path + "restore").status_code == 200
    assert api(cast).get(f"conversations/{conversation.pk}/").status_code == 200


def test_a_deleted_contact_that_writes_is_a_contact_again_in_its_old_conversation(cast):
    who = sender()
    conversation = receive(cast, who=who)
    api(cast).delete(f"contacts/{conversation.contact_id}/")
    assert receive(cast, who=who).pk == conversation.pk
    assert api(cast).get(f"contacts/{conversation.contact_id}/").status_code == 200


def test_a_deleted_contact_gives_its_number_up(cast):
    digits = number()
    old = make(cast, phone=digits)
    api(cast).delete(f"contacts/{old['id']}/")
    new = make(cast, phone=digits)
    answer = api(cast).post(f"contacts/{old['id']}/restore")
    assert (answer.status_code, answer.json()["contact"]) == (409, new["id"])


def test_viewers_read_and_strangers_find_nothing(cast):
    made = make(cast)
    path = f"contacts/{made['id']}/"
    assert api(cast, "vic").get(path).status_code == 200
    assert api(cast, "vic").patch(path, {"name": "x"}).status_code == 403
    assert api(cast, "vic").delete(path).status_code == 403
    assert api(cast, "vic").post("contacts/", {"name": "x"}).status_code == 403
    for who in ("tia", "cleo", "sam"):
        assert api(cast, who).get(path).status_code == 404
        assert api(cast, who).patch(path, {"name": "x"}).status_code in {403, 404}
        assert api(cast, who).delete(path).status_code == 404
        assert api(cast, who).post(path + "restore").status_code == 404
    elsewhere = Api(cast.cleo).of(cast.elsewhere.slug)
    assert elsewhere.get(path).status_code == 404
    assert elsewhere.get("contacts/").json()["results"] == []
    assert Api().of(cast.workspace.slug).get(path).status_code == 401


def test_attributes_are_checked_by_their_types(cast):
    admin = Api(cast.ada).of(cast.workspace.slug)
    wanted: dict[str, dict[str, Any]] = {
        "rfc": {"label": "RFC", "type": "text"},
        "children": {"label": "Children", "type": "number"},
        "since": {"label": "Since", "type": "date"},
        "vip": {"label": "VIP", "type": "boolean"},
        "group": {"label": "Group", "type": "choice", "choices": ["A", "B"]},
        "page": {"label": "Page", "type": "url"},
    }
    for key, fields in wanted.items():
        assert admin.post("attributes/", {"key": key, **fields}).status_code == 201
    assert [row["key"] for row in api(cast, "vic").get("attributes/").json()["results"]] == list(wanted)
    made = make(cast)
    right = {
        "rfc": "FELU85",
        "children": 2,
        "since": "2025-03-14",
        "vip": True,
        "group": "B",
        "page": "https://a.example",
    }
    answer = api(cast).patch(f"contacts/{made['id']}/", {"attributes": right})
    assert answer.json()["attributes"] == right
    wrong = {
        "rfc": 5,
        "children": "two",
        "since": "14/3/2025",
        "vip": "yes",
        "group": "C",
        "page": "javascript:1",
        "no": 1,
    }
    answer = api(cast).patch(f"contacts/{made['id']}/", {"attributes": wrong})
    assert set(answer.json()["errors"]) == {f"attributes.{key}" for key in wrong}
    answer = api(cast).patch(f"contacts/{made['id']}/", {"attributes": {"vip": None}})
    assert "vip" not in answer.json()["attributes"]
    assert answer.json()["attributes"]["rfc"] == "FELU85"


def test_attributes_are_defined_by_admins_alone(cast):
    body = {"key": unique("key"), "label": "Key", "type": "text"}
    assert api(cast).post("attributes/", body).status_code == 403
    assert api(cast, "cleo").post("attributes/", body).status_code == 404
    admin = api(cast, "ada")
    made = admin.post("attributes/", body).json()
    assert admin.post("attributes/", body).json()["code"] == "attribute_known"
    assert admin.patch(f"attributes/{made['id']}", {"type": "number"}).json()["code"] == "attribute_type_fixed"
    assert admin.patch(f"attributes/{made['id']}", {"label": "Other"}).json()["label"] == "Other"
    assert admin.delete(f"attributes/{made['id']}").status_code == 204
    assert admin.get("attributes/").json()["results"][0]["archived"] is True
    assert "choices" in admin.post("attributes/", {"key": "c", "label": "C", "type": "choice"}).json()["errors"]


def test_the_contact_is_read_with_few_queries(cast, assert_queries):
    made = make(cast)
    with assert_queries(8):
        api(cast).get(f"contacts/{made['id']}/")
    with assert_queries(8):
        api(cast).get("contacts/")


def test_the_same_key_is_the_same_contact(cast):
    token = token_for(cast.ben)
    client = Client(headers={"authorization": f"Bearer {token}", "idempotency-key": unique("key")})
    path = f"/api/v1/workspaces/{cast.workspace.slug}/contacts/"
    answers = [client.post(path, {"name": "Once"}, content_type="application/json") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"]


def test_the_topic_is_heard_by_whoever_may_see_the_contact(cast):
    topic = f"contact.{make(cast)['id']}"
    for who in (cast.ada, cast.ben, cast.vic):
        assert may_listen(Identity(who.pk, f"user:{who.pk}"), topic)
    for who in (cast.tia, cast.cleo, cast.sam):
        assert not may_listen(Identity(who.pk, f"user:{who.pk}"), topic)
    assert not may_listen(None, topic)
    assert not may_listen(Identity(cast.ben.pk, "x"), topic.upper().replace("CONTACT", "contact"))
    assert not may_listen(Identity(cast.ben.pk, "x"), f"contact.{uuid4()}")


def test_who_created_a_contact_stands_in_the_log(cast):
    made = make(cast)
    entry = AuditEntry.objects.get(target_id=made["id"], action="contact.created")
    assert (entry.actor_kind, entry.actor_id) == ("member", cast.ben.pk)
