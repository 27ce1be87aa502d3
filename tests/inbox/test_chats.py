"""A visitor chats through REST: begins, is answered, reads, ends; and reaches nothing but their own."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from inbox.chats import tokens
from inbox.models import Channel, Conversation, Message, Participant, Visitor
from inbox.services.chats import reading
from inbox.services.conversations import assign_conversation, mark_read, set_status
from inbox.services.messages import send_message
from inbox.states import ChannelKind, ConversationStatus
from tests.api import Api
from tests.cast import Cast, make_channel


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""


class Guest:
    """Somebody with a browser."""

    def __init__(self, token: str) -> None:
        self.token = token
        self._client = Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)

    def get(self, path: str, **query: Any) -> Any:
        return self._client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: Any = None) -> Any:
        return self._client.post(f"/api/v1/{path}", json.dumps(body or {}), content_type="application/json")

    def patch(self, path: str, body: Any) -> Any:
        return self._client.patch(f"/api/v1/{path}", json.dumps(body), content_type="application/json")

    def delete(self, path: str) -> Any:
        return self._client.delete(f"/api/v1/{path}")

    def send_files(self, chat: str, body: str, *files: Any, client_id: str | None = None) -> Any:
        data = {"client_id": client_id or str(uuid4()), "body": body, "files": list(files)}
        return self._client.post(f"/api/v1/chats/{chat}/messages", data)

    def start(self, channel: Channel, body: str = "", **more: Any) -> Any:
        return self.post("chats/", {"channel": channel.slug, "client_id": str(uuid4()), "body": body, **more})

    def write(self, chat: str, body: str, client_id: str | None = None) -> Any:
        return self.post(f"chats/{chat}/messages", {"client_id": client_id or str(uuid4()), "body": body})


def make_widget(cast: Cast, **settings: Any) -> Channel:
    channel = make_channel(cast.workspace, ChannelKind.WIDGET)
    channel.settings = settings
    channel.save()
    return channel


def admit(channel: Channel, **about: Any) -> Guest:
    answer = Client().post(
        f"/api/v1/widgets/{channel.slug}/visitors", json.dumps(about), content_type="application/json"
    )
    assert answer.status_code == 201, answer.content
    return Guest(answer.json()["token"])


@pytest.fixture
def widget(cast: Cast) -> Channel:
    return make_widget(cast)


@pytest.fixture
def guest(widget: Channel) -> Guest:
    return admit(widget, name="Lucía Pérez")


def reply(cast: Cast, chat: str, body: str = "Sí, claro", **given: Any) -> Message:
    return send_message(actor=cast.actor(cast.ben), conversation_id=UUID(chat), client_id=uuid4(), body=body, **given)[
        0
    ]


# --- There and back -------------------------------------------------------------------------------------------


def test_what_a_visitor_writes_is_in_the_inbox(cast: Cast, widget: Channel, guest: Guest):
    started = guest.start(widget, "¿Quedan plazas?")
    assert started.status_code == 201
    chat = started.json()
    assert (chat["state"], chat["status"], chat["unread_count"]) == ("waiting", "open", 0)
    of = Api(cast.ben).of(cast.workspace.slug)
    row = next(row for row in of.get("conversations/").json()["results"] if row["id"] == chat["id"])
    assert (row["contact"]["name"], row["channel"]["kind"], row["inbound_count"]) == ("Lucía Pérez", "widget", 1)
    assert "reply" in row["allowed_actions"]
    message = of.get(f"conversations/{chat['id']}/messages/").json()["results"][0]
    assert (message["body"], message["sender"]["kind"], message["direction"]) == ("¿Quedan plazas?", "contact", "in")


def test_an_answer_is_sent_at_once_then_delivered_then_read(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    answer = reply(cast, chat)
    assert answer.status == "sent"
    assert guest.get(f"chats/{chat}/").json()["unread_count"] == 1
    thread = guest.get(f"chats/{chat}/messages").json()["results"]
    assert [(row["body"], row["direction"]) for row in thread] == [("Sí, claro", "out"), ("Hola", "in")]
    answer.refresh_from_db()
    assert answer.status == "delivered"
    assert guest.post(f"chats/{chat}/read", {"up_to": thread[0]["id"]}).status_code == 204
    answer.refresh_from_db()
    assert answer.status == "read"
    assert answer.read_at
    assert guest.get(f"chats/{chat}/").json()["unread_count"] == 0


def test_a_visitor_sees_that_theirs_was_read(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    assert guest.get(f"chats/{chat}/messages").json()["results"][0]["status"] == "received"
    mark_read(actor=cast.actor(cast.ben), conversation_id=chat)
    assert guest.get(f"chats/{chat}/messages").json()["results"][0]["status"] == "read"


def test_a_mark_of_reading_costs_no_more_statements_than_a_message(
    cast: Cast, widget: Channel, guest: Guest, assert_queries: Any
):
    """Each message is followed by one: with BEGIN, COMMIT and what tells everybody."""
    chat = UUID(guest.start(widget, "Hola").json()["id"])
    ben, lucia = cast.actor(cast.ben), tokens.actor_of(tokens.visitor_of(guest.token))
    mark_read(actor=ben, conversation_id=chat)  # the first makes rows
    for _ in range(2):
        reply(cast, str(chat))
        guest.write(str(chat), "Hola")
        with assert_queries(10):
            mark_read(actor=ben, conversation_id=chat)
        with assert_queries(11):
            reading.mark_read(guest=lucia, chat_id=chat)
    assert Message.objects.filter(conversation_id=chat, direction="out", status="read").count() == 2
    assert Participant.objects.get(conversation_id=chat, visitor_id=lucia.visitor_id).seen_count == 2


def test_sessions_are_waiting_then_active_then_ended(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    assign_conversation(actor=cast.actor(cast.ada), conversation_id=chat, assignee_id=cast.ben.pk)
    shown = guest.get(f"chats/{chat}/").json()
    assert (shown["state"], shown["agent"]) == ("active", {"name": "Ben"})
    set_status(actor=cast.actor(cast.ben), conversation_id=chat, status=ConversationStatus.RESOLVED)
    assert guest.get("chats/", state="ended").json()["results"][0]["id"] == chat
    assert guest.get("chats/", state="active").json()["results"] == []


def test_a_customer_ends_their_chat_and_says_how_it_was(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    assert guest.post(f"chats/{chat}/rating", {"rating": 5}).json()["code"] == "chat_not_ended"
    ended = guest.post(f"chats/{chat}/end", {"rating": 4, "comment": "Bien"})
    assert (ended.json()["state"], ended.json()["rating"]) == ("ended", 4)
    assert guest.post(f"chats/{chat}/end").status_code == 200
    row = Conversation.objects.get(pk=chat)
    assert (row.status, row.rating_comment) == ("resolved", "Bien")


def test_who_writes_after_the_end_is_heard(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    guest.post(f"chats/{chat}/end")
    assert guest.write(chat, "Una cosa más").status_code == 201
    assert guest.get(f"chats/{chat}/").json()["state"] == "waiting"


# --- Once ---------------------------------------------------------------------------------------------------------


def test_the_same_start_twice_is_one_chat_even_after_its_end(cast: Cast, widget: Channel, guest: Guest):
    body = {"channel": widget.slug, "client_id": str(uuid4()), "body": "Hola"}
    first, second = guest.post("chats/", body), guest.post("chats/", body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    guest.post(f"chats/{first.json()['id']}/end")
    assert guest.post("chats/", body).json()["id"] == first.json()["id"]
    assert guest.start(widget, "Otra").json()["id"] != first.json()["id"]
    assert Message.objects.filter(conversation_id=first.json()["id"], direction="in").count() == 1


def test_the_same_message_twice_is_one(widget: Channel, guest: Guest):
    chat, client_id = guest.start(widget).json()["id"], str(uuid4())
    first, second = guest.write(chat, "Hola", client_id), guest.write(chat, "Hola", client_id)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert guest.write(chat, "Other", client_id).json()["code"] == "client_id_reused"


def test_two_starts_at_once_are_one_chat(widget: Channel, guest: Guest, at_once: Any):
    answers = at_once(lambda: guest.start(widget, "Hola"), 4)
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Message.objects.filter(conversation_id=answers[0].json()["id"]).count() == 4


# --- What nobody may -----------------------------------------------------------------------------------------------


def test_nobody_reads_what_another_wrote(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    stranger, elsewhere = admit(widget), admit(make_widget(cast))
    asks = ["", "messages"]
    for other in (stranger, elsewhere, Guest("vis_forged.secret.sig"), Guest(guest.token[:-2])):
        for path in asks:
            assert other.get(f"chats/{chat}/{path}").status_code in {401, 404}
        for path in ("messages", "read", "end", "rating", "typing", "transcript"):
            answer = other.post(f"chats/{chat}/{path}", {"client_id": str(uuid4()), "body": "x", "rating": 5})
            assert answer.status_code in {401, 404}
    for user in (cast.cleo, cast.ben):
        assert Api(user).get(f"/api/v1/chats/{chat}/").status_code == 404
    assert Client().get(f"/api/v1/chats/{chat}/").status_code == 401
    assert elsewhere.start(widget, "x").status_code == 404


def test_a_visitor_is_nobody_anywhere_else(cast: Cast, guest: Guest):
    for path in (f"workspaces/{cast.workspace.slug}/conversations/", "me", f"workspaces/{cast.workspace.slug}/"):
        assert guest.get(path).status_code == 401


def test_a_token_taken_back_is_worth_nothing(widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    assert guest.delete(f"widgets/{widget.slug}/visitor").status_code == 204
    assert guest.get(f"chats/{chat}/").status_code == 401


def test_a_token_that_was_replaced_is_worth_nothing(widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    renewed = Guest(guest.post(f"widgets/{widget.slug}/visitors").json()["token"])
    assert renewed.get(f"chats/{chat}/").status_code == 200
    assert guest.get(f"chats/{chat}/").status_code == 401
    assert Visitor.objects.filter(channel=widget).count() == 1


def test_a_flood_is_stopped_with_when_to_come_back(widget: Channel, guest: Guest):
    chat = guest.start(widget).json()["id"]
    answers = [guest.write(chat, f"{number}") for number in range(30)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert int(refused[0]["Retry-After"]) >= 1
    assert Message.objects.filter(conversation_id=chat).count() == 30 - len(refused)


@pytest.mark.parametrize("body", ["", "   ", "x" * 4097, "a\x00b"], ids=["empty", "blank", "long", "null"])
def test_what_is_no_message_is_refused(widget: Channel, guest: Guest, body: str):
    chat = guest.start(widget).json()["id"]
    assert guest.write(chat, body).status_code == 400
    assert not Message.objects.filter(conversation_id=chat).exists()


def test_a_widget_that_is_switched_off_says_so(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget).json()["id"]
    cast.workspace.features = {"widget": False}
    cast.workspace.save()
    shown = Client().get(f"/api/v1/widgets/{widget.slug}/")
    assert shown.json()["enabled"] is False
    refused = guest.start(widget, "Hola")
    assert (refused.status_code, refused.json()["code"]) == (403, "feature_off")
    assert guest.write(chat, "Hola").json()["code"] == "feature_off"
    assert guest.get(f"chats/{chat}/messages").status_code == 200


def test_no_widget_and_another_channel_look_the_same(cast: Cast):
    for slug in (cast.channel.slug, "nothing-here"):
        answer = Client().post(f"/api/v1/widgets/{slug}/visitors", "{}", content_type="application/json")
        assert answer.status_code == 404


def test_markup_stays_text(cast: Cast, widget: Channel):
    guest = admit(widget, name="<img src=x onerror=alert(1)>", page_url="javascript:alert(1)")
    chat = guest.start(widget, "<script>alert(1)</script>").json()["id"]
    assert guest.get(f"chats/{chat}/messages").json()["results"][0]["body"] == "<script>alert(1)</script>"
    assert Visitor.objects.get(channel=widget).page_url == ""


def test_a_foreign_page_is_refused(cast: Cast):
    channel = make_widget(cast, origins=["https://shop.example"])
    path = f"/api/v1/widgets/{channel.slug}/visitors"
    for origin, status in (
        ("https://evil.example", 403),
        ("https://shop.example.evil.example", 403),
        ("null", 403),
        ("https://shop.example", 201),
        ("http://testserver", 201),
    ):
        answer = Client().post(path, "{}", content_type="application/json", headers={"origin": origin})
        assert answer.status_code == status, origin
        assert "Access-Control-Allow-Origin" not in answer


# --- Signed-in customers ----------------------------------------------------------------------------------------


def test_a_signed_in_customer_chats_without_any_role(cast: Cast, widget: Channel):
    sam = Api(cast.sam)
    started = sam.post("/api/v1/chats/", {"channel": widget.slug, "client_id": str(uuid4()), "body": "Hola"})
    assert started.status_code == 201
    chat = started.json()["id"]
    reply(cast, chat)
    assert sam.get(f"/api/v1/chats/{chat}/messages").json()["results"][0]["body"] == "Sí, claro"
    assert [row["id"] for row in sam.get("/api/v1/chats/").json()["results"]] == [chat]
    assert Api(cast.cleo).get(f"/api/v1/chats/{chat}/").status_code == 404
    again = sam.post("/api/v1/chats/", {"channel": widget.slug, "client_id": str(uuid4())})
    assert (again.status_code, again.json()["id"]) == (200, chat)


def test_what_was_asked_before_the_chat_is_the_first_line_for_us_alone(cast: Cast, widget: Channel):
    guest = admit(widget, answers={"Order": "A-17"}, page_url="https://shop.example/cart")
    chat = guest.start(widget, "Hola").json()["id"]
    rows = Api(cast.ben).of(cast.workspace.slug).get(f"conversations/{chat}/messages/").json()["results"]
    assert (rows[-1]["direction"], rows[-1]["body"]) == ("activity", "Order: A-17 · https://shop.example/cart")
    assert [row["body"] for row in guest.get(f"chats/{chat}/messages").json()["results"]] == ["Hola"]
    unasked = admit(widget, page_url="https://shop.example/cart").start(widget, "Hola").json()["id"]
    rows = Api(cast.ben).of(cast.workspace.slug).get(f"conversations/{unasked}/messages/").json()["results"]
    assert [row["body"] for row in rows] == ["Hola", "https://shop.example/cart"]


def test_the_team_reads_in_the_thread_how_it_was(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    guest.post(f"chats/{chat}/end", {"rating": 4, "comment": "Bien"})
    guest.post(f"chats/{chat}/rating", {"rating": 4, "comment": "Bien"})
    guest.post(f"chats/{chat}/rating", {"rating": 2})
    rows = Api(cast.ben).of(cast.workspace.slug).get(f"conversations/{chat}/messages/").json()["results"]
    assert [row["body"] for row in rows if row["type"] == "rated"] == ["Rated 2 of 5", "Rated 4 of 5: Bien"]
    assert rows[0]["detail"]["activity"]["rating"] == 2
    assert [row["body"] for row in guest.get(f"chats/{chat}/messages").json()["results"]] == ["Hola"]


def test_tokens_are_kept_as_digests_alone(widget: Channel, guest: Guest):
    row = Visitor.objects.get(channel=widget)
    assert guest.token.encode() not in bytes(row.digest)
    assert tokens.visitor_of(guest.token).pk == row.pk
