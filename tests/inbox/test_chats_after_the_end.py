"""Every write there is, into a chat and an exam room that have ended: heard, or refused with a word, never a 500."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.errors import Conflict
from crm.models import Availability, Member, Team, TeamMember
from inbox.models import Channel, Conversation, Message, Notice
from inbox.services.conversations import assign_conversation, set_status
from inbox.services.watching import take_part
from inbox.states import ConversationStatus
from proctoring.models import Exam
from tests.api import Api
from tests.cast import Cast
from tests.inbox.test_chats import Guest, admit, make_widget, reply
from tests.proctoring.scene import Scene, item, make_scene


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def widget(cast: Cast) -> Channel:
    return make_widget(cast)


@pytest.fixture
def guest(widget: Channel) -> Guest:
    return admit(widget, name="Lucía")


def ended(cast: Cast, widget: Channel, guest: Guest, *, by_agent: bool) -> str:
    """One that Ben had, with an answer in it that was not read."""
    chat: str = guest.start(widget, "Hola").json()["id"]
    assign_conversation(actor=cast.actor(cast.ada), conversation_id=UUID(chat), assignee_id=cast.ben.pk)
    reply(cast, chat)
    if by_agent:
        set_status(actor=cast.actor(cast.ben), conversation_id=UUID(chat), status=ConversationStatus.RESOLVED)
    else:
        assert guest.post(f"chats/{chat}/end").status_code == 200
    return chat


@pytest.mark.parametrize("by_agent", [True, False], ids=["by-the-agent", "by-the-customer"])
def test_every_write_of_the_visitor_is_answered_with_what_it_means(
    cast: Cast, widget: Channel, guest: Guest, by_agent: bool
):
    chat = ended(cast, widget, guest, by_agent=by_agent)
    assert guest.post(f"chats/{chat}/typing").status_code == 204
    assert guest.post(f"chats/{chat}/read", {"delivered": True}).status_code == 204
    assert guest.post(f"chats/{chat}/read").status_code == 204
    assert guest.post(f"chats/{chat}/end").status_code == 200
    assert guest.post(f"chats/{chat}/rating", {"rating": 9}).status_code == 400
    assert guest.post(f"chats/{chat}/rating", {"rating": 4, "comment": "Bien"}).json()["rating"] == 4
    assert guest.post(f"chats/{chat}/transcript").status_code == 400  # no address was given
    assert guest.patch(f"widgets/{widget.slug}/visitor", {"name": "Lucía P."}).status_code == 204
    assert guest.get(f"chats/{chat}/").json()["state"] == "ended"  # none of that has opened it
    assert guest.write(chat, "Una cosa más").status_code == 201
    shown = guest.get(f"chats/{chat}/").json()
    assert (shown["state"], shown["agent"]) == ("active", {"name": "Ben"})
    assert guest.post(f"chats/{chat}/rating", {"rating": 5}).json()["code"] == "chat_not_ended"


def test_a_file_after_the_end_opens_it_too(cast: Cast, widget: Channel, guest: Guest):
    chat = ended(cast, widget, guest, by_agent=True)
    sent = guest.send_files(chat, "", SimpleUploadedFile("a.txt", b"plain words"))
    assert sent.status_code == 201, sent.content
    assert guest.get(f"chats/{chat}/").json()["state"] == "active"


def test_who_had_it_and_who_watches_hear_of_it(cast: Cast, widget: Channel, guest: Guest):
    chat = ended(cast, widget, guest, by_agent=True)
    take_part(actor=cast.actor(cast.bea), conversation_id=UUID(chat), user_id=cast.bea.pk)
    Notice.objects.filter(conversation_id=chat).delete()
    assert guest.write(chat, "Una cosa más").status_code == 201
    told = Notice.objects.filter(conversation_id=chat, kind="message").values_list("user_id", flat=True)
    assert set(told) == {cast.ben.pk, cast.bea.pk}
    rows = Api(cast.ben).of(cast.workspace.slug).get("notices/").json()["results"]
    assert rows[0]["actor"]["name"] == "Lucía"
    assert rows[0]["message"]["words"] == "Una cosa más"


def test_one_who_is_away_does_not_keep_it_and_a_team_gets_it(cast: Cast, widget: Channel, guest: Guest):
    chat = ended(cast, widget, guest, by_agent=True)
    team = Team.objects.create(workspace=cast.workspace, name="Front", assigns_itself=True)
    TeamMember.objects.create(workspace=cast.workspace, team=team, user=cast.bea)
    Conversation.objects.filter(pk=chat).update(team=team)
    Member.objects.filter(workspace=cast.workspace, user=cast.ben).update(availability=Availability.AWAY)
    assert guest.write(chat, "¿Hay alguien?").status_code == 201
    assert guest.get(f"chats/{chat}/").json()["state"] == "waiting"


def test_an_older_chat_cannot_be_opened_beside_a_newer_one(cast: Cast, widget: Channel, guest: Guest):
    old = ended(cast, widget, guest, by_agent=False)
    new = guest.start(widget, "Otra cosa").json()["id"]
    refused = guest.write(old, "¿Y aquí?")
    assert (refused.status_code, refused.json()["code"]) == (409, "another_is_open")
    assert refused.json()["conversation"] == new
    assert not Message.objects.filter(conversation_id=old, body="¿Y aquí?").exists()


def test_the_words_of_a_start_that_is_repeated_after_the_end_are_not_lost(cast: Cast, widget: Channel, guest: Guest):
    body = {"channel": widget.slug, "client_id": str(uuid4())}
    chat = guest.post("chats/", body).json()["id"]
    guest.post(f"chats/{chat}/end")
    again = guest.post("chats/", {**body, "body": "Al fin", "message_client_id": str(uuid4())})
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, chat, "waiting")
    guest.post(f"chats/{chat}/end")
    newer = guest.start(widget, "Otra").json()["id"]
    late = guest.post("chats/", {**body, "body": "Tarde", "message_client_id": str(uuid4())})
    assert (late.status_code, late.json()["code"], late.json()["conversation"]) == (409, "another_is_open", newer)


def test_every_write_of_the_team_is_answered_too(cast: Cast, widget: Channel, guest: Guest):
    chat = ended(cast, widget, guest, by_agent=False)
    ben = Api(cast.ben).of(cast.workspace.slug)
    base = f"conversations/{chat}/"
    words = {"type": "text", "body": "Gracias"}
    assert ben.post(f"{base}typing").status_code == 204
    assert ben.post(f"{base}read", {}).status_code == 200
    assert ben.post(f"{base}unread", {}).status_code == 200
    assert ben.post(f"{base}messages/", {**words, "client_id": str(uuid4()), "direction": "note"}).status_code == 201
    assert ben.post(f"{base}messages/", {**words, "client_id": str(uuid4())}).status_code == 201
    assert ben.post(f"{base}assign", {"assignee": str(cast.bea.pk)}).status_code == 200
    assert ben.post(f"{base}assign", {"assignee": None}).status_code == 200
    assert ben.post(f"{base}status", {"status": "resolved"}).status_code == 200
    assert ben.post(f"{base}status", {"status": "open"}).status_code == 200
    assert guest.get(f"chats/{chat}/messages").json()["results"][0]["body"] == "Gracias"


def test_a_customer_whom_we_blocked_opens_nothing(cast: Cast, widget: Channel, guest: Guest):
    chat = ended(cast, widget, guest, by_agent=True)
    contact = Conversation.objects.get(pk=chat).contact
    blocked = Api(cast.ben).of(cast.workspace.slug).post(f"contacts/{contact.pk}/block", {"blocked": True})
    assert blocked.status_code in {200, 204}, blocked.content
    assert guest.write(chat, "¿Por qué?").status_code == 201
    assert Conversation.objects.get(pk=chat).status == "resolved"


# --- An exam that has ended ---------------------------------------------------------------------------------------


@pytest.fixture
def scene() -> Scene:
    return make_scene()


def test_an_exam_room_takes_words_after_the_session_too(scene: Scene):
    session = scene.start()["id"]
    own, theirs = f"/api/v1/sessions/{session}/", f"{scene.base}sessions/{session}/"
    said = {"body": "One question"}
    assert scene.sam.post(f"{own}chat", {**said, "client_id": str(uuid4())}).status_code == 201
    room = scene.sam.get(f"{own}chat").json()["conversation"]
    assert scene.sam.post(f"{own}end", {}).status_code == 200
    assert scene.sam.post(f"{own}end", {}).status_code == 200
    assert scene.beat(session).status_code == 409
    late = scene.log(session, item())
    assert late.status_code == 200
    assert late.json()["results"][0]["status"] in {"stored", "rejected"}
    for path in (f"{own}chat", f"/api/v1/chats/{room}/messages"):
        assert scene.sam.post(path, {**said, "client_id": str(uuid4())}).status_code == 201
    assert scene.tia.post(f"{theirs}chat", {**said, "client_id": str(uuid4())}).status_code == 201
    for path in (f"{own}chat/read", f"{own}chat/typing", f"/api/v1/chats/{room}/read", f"/api/v1/chats/{room}/typing"):
        assert scene.sam.post(path, {}).status_code == 204, path
    for path in ("chat/read", "chat/typing"):
        assert scene.tia.post(f"{theirs}{path}", {}).status_code == 204
    for path in ("end", "rating", "transcript"):
        refused = scene.sam.post(f"/api/v1/chats/{room}/{path}", {"rating": 5})
        assert refused.status_code == Conflict.status, path


def test_a_room_that_is_closed_says_so(scene: Scene):
    session = scene.start()["id"]
    own, theirs = f"/api/v1/sessions/{session}/chat", f"{scene.base}sessions/{session}/chat"
    words = {"body": "One question", "client_id": str(uuid4())}
    scene.sam.post(own, words)
    room = scene.sam.get(own).json()["conversation"]
    scene.sam.post(f"/api/v1/sessions/{session}/end", {})
    Exam.objects.filter(pk=scene.exam.pk).update(is_chat_open=False)
    for api, path in ((scene.sam, own), (scene.sam, f"/api/v1/chats/{room}/messages"), (scene.tia, theirs)):
        refused = api.post(path, {**words, "client_id": str(uuid4())})
        assert (refused.status_code, refused.json()["code"]) == (409, "chat_closed"), path
