"""REST of the inbox as clients see it: shapes, codes, refusals, and what bad input is answered with."""

from uuid import uuid4

import pytest

from inbox.models import Message
from tests.api import Api
from tests.cast import long_ago, receive, sender

# Fixed, since it is part of a test's name.
SOME_ID = "5b0a1f52-9a3c-4b55-8f65-0f6f0d1f2a3b"


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def ben(cast):
    return Api(cast.ben).of(cast.workspace.slug)


@pytest.fixture
def thread(cast):
    return receive(cast, "Hola", who=sender(name="Lucía"))


def messages(conversation) -> str:
    return f"conversations/{conversation.pk}/messages/"


def test_the_list_has_the_documented_shape(cast, ben, thread):
    answer = ben.get("conversations/").json()
    (row,) = answer["results"]
    assert row["id"] == str(thread.pk)
    assert row["contact"]["name"] == "Lucía"
    assert (row["status"], row["scope"], row["priority"], row["labels"]) == ("open", "support", "none", [])
    assert row["last_message"]["body"] == "Hola"
    assert row["unread_count"] == 1
    assert row["window"]["open"] is True
    assert {"channel", "assignee", "waiting_since", "updated_at", "allowed_actions"} <= set(row)
    assert answer["next"] is None
    assert answer["previous"] is None
    assert answer["live"] == {"topic": f"inbox.{cast.workspace.slug}", "seq": 1}
    assert answer["counts"] == {"all": 1, "unassigned": 1, "mine": 0, "by_assignee": {}, "capped": 1000}


def test_pages_are_links_that_lead_on(cast, ben):
    for number in range(3):
        receive(cast, f"nr {number}")
    first = ben.get("conversations/", limit=2, status="open").json()
    assert [row["last_message"]["body"] for row in first["results"]] == ["nr 2", "nr 1"]
    second = Api(cast.ben).get(first["next"]).json()
    assert [row["last_message"]["body"] for row in second["results"]] == ["nr 0"]
    assert second["next"] is None
    assert Api(cast.ben).get(second["previous"]).json()["results"] == first["results"]


def test_one_conversation_with_its_contact(ben, thread):
    answer = ben.get(f"conversations/{thread.pk}/").json()
    assert answer["contact_detail"]["phone_normalized"] == thread.contact.phone_normalized
    kinds = {identity["kind"] for identity in answer["contact_detail"]["identities"]}
    assert kinds == {"phone", "whatsapp"}
    assert answer["live"]["topic"] == f"conversation.{thread.pk}"


def test_sending_is_201_then_200_with_the_same_message(ben, thread):
    body = {"client_id": str(uuid4()), "type": "text", "body": "Sí"}
    first, second = ben.post(messages(thread), body), ben.post(messages(thread), body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json()["status"] == "queued"
    assert first.json()["sender"]["kind"] == "member"
    other = ben.post(messages(thread), {**body, "body": "No"})
    assert (other.status_code, other.json()["code"]) == (409, "client_id_reused")


def test_the_thread_is_newest_first(cast, ben):
    who = sender()
    for body in ("uno", "dos"):
        thread = receive(cast, body, who=who)
    answer = ben.get(messages(thread)).json()
    assert [message["body"] for message in answer["results"]] == ["dos", "uno"]
    assert answer["results"][0]["direction"] == "in"
    assert answer["results"][0]["sender"] == {
        "kind": "contact",
        "id": str(thread.contact_id),
        "name": "Lucía",
    }


def test_what_arrived_since_is_409_with_the_messages(cast, ben):
    who = sender()
    thread = receive(cast, who=who)
    seen = ben.get(messages(thread)).json()["live"]["seq"]
    receive(cast, "Espera", who=who)
    body = {"client_id": str(uuid4()), "type": "text", "body": "Sí", "seen_seq": seen}
    stopped = ben.post(messages(thread), body)
    assert (stopped.status_code, stopped.json()["code"]) == (409, "conversation_changed")
    assert [message["body"] for message in stopped.json()["arrived"]] == ["Espera"]
    assert ben.post(messages(thread), {**body, "force": True}).status_code == 201


def test_a_closed_window_is_409(cast, ben):
    thread = receive(cast, at=long_ago(hours=25))
    stopped = ben.post(messages(thread), {"client_id": str(uuid4()), "body": "Hola"})
    assert (stopped.status_code, stopped.json()["code"]) == (409, "window_closed")


def test_assign_status_and_read(cast, ben, thread):
    path = f"conversations/{thread.pk}"
    assert ben.post(f"{path}/assign", {"assignee": "me"}).json()["assignee"]["id"] == str(cast.ben.pk)
    assert ben.get("conversations/", assignee="me").json()["counts"]["mine"] == 1
    assert ben.post(f"{path}/assign", {"assignee": None}).json()["assignee"] is None
    assert ben.post(f"{path}/read", {}).json() == {"seen_count": 1, "unread_count": 0}
    assert ben.post(f"{path}/status", {"status": "resolved"}).json()["status"] == "resolved"
    assert ben.get("conversations/", status="open").json()["results"] == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {},
        {"client_id": "x", "body": "a"},
        {"client_id": SOME_ID},
        {"client_id": SOME_ID, "body": ""},
        {"client_id": SOME_ID, "body": "   \n"},
        {"client_id": SOME_ID, "body": "a\x00b"},
        {"client_id": SOME_ID, "body": {"text": "a"}},
        {"client_id": SOME_ID, "body": 5},
        {"client_id": SOME_ID, "body": "a", "type": "carrier-pigeon"},
        {"client_id": SOME_ID, "body": "a", "direction": "in"},
        {"client_id": SOME_ID, "body": "a", "seen_seq": -1},
        {"client_id": SOME_ID, "body": "x" * 5000},
    ],
    ids=repr,
)
def test_a_malformed_message_is_400_and_nothing_is_kept(ben, thread, body):
    answer = ben.post(messages(thread), body)
    assert answer.status_code == 400, answer.content
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]
    assert Message.objects.filter(conversation=thread).count() == 1


@pytest.mark.parametrize(
    "content",
    [b"{", b"\xff", b'{"client_id": NaN}', b"[" * 10_000],
    ids=["cut off", "not UTF-8", "NaN", "deep"],
)
def test_a_body_that_is_not_json_is_400(ben, thread, content):
    assert ben.post(messages(thread), content).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"assignee": "nobody"},
        {"status": "asleep"},
        {"contact": "7"},
        {"limit": "0"},
        {"limit": "9999"},
        {"limit": "٣"},
        {"cursor": "x"},
        {"unread": "perhaps"},
        {"order": "sideways"},
        {"search": "x" * 300},
    ],
    ids=repr,
)
def test_a_malformed_query_is_400(ben, query):
    answer = ben.get("conversations/", **query)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize(("path", "body"), [("assign", {}), ("assign", {"assignee": "x"}), ("status", {"status": "x"})])
def test_a_malformed_change_is_400(ben, thread, path, body):
    assert ben.post(f"conversations/{thread.pk}/{path}", body).status_code == 400


EVERYTHING = [
    ("get", "conversations/", None),
    ("get", "conversations/{id}/", None),
    ("get", "conversations/{id}/messages/", None),
    ("post", "conversations/{id}/messages/", {"client_id": SOME_ID, "body": "a"}),
    ("post", "conversations/{id}/messages/{message}/retry", None),
    ("post", "conversations/{id}/read", {}),
    ("post", "conversations/{id}/assign", {"assignee": None}),
    ("post", "conversations/{id}/status", {"status": "resolved"}),
]


def call(api: Api, method: str, path: str, body: object, thread):
    path = path.format(id=thread.pk, message=thread.last_message_id)
    return api.get(path) if method == "get" else api.post(path, body)


@pytest.mark.parametrize(("method", "path", "body"), EVERYTHING)
def test_who_is_not_signed_in_is_401(cast, thread, method, path, body):
    answer = call(Api().of(cast.workspace.slug), method, path, body, thread)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(("method", "path", "body"), EVERYTHING)
def test_a_stranger_cannot_tell_whether_the_workspace_exists(cast, thread, method, path, body):
    cleo = Api(cast.cleo)
    real = call(cleo.of(cast.workspace.slug), method, path, body, thread)
    made_up = call(cleo.of("no-such-workspace"), method, path, body, thread)
    assert real.status_code == made_up.status_code == 404
    assert real.json() == made_up.json()


@pytest.mark.parametrize(("method", "path", "body"), [entry for entry in EVERYTHING if "{id}" in entry[1]])
def test_another_workspaces_conversation_is_not_found(cast, thread, method, path, body):
    answer = call(Api(cast.cleo).of(cast.elsewhere.slug), method, path, body, thread)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(("method", "path", "body"), [entry for entry in EVERYTHING if entry[0] == "post"])
def test_a_viewer_reads_everything_and_writes_nothing(cast, thread, method, path, body):
    vic = Api(cast.vic).of(cast.workspace.slug)
    assert vic.get("conversations/").status_code == 200
    assert vic.get(f"conversations/{thread.pk}/").json()["allowed_actions"] == []
    if path.endswith("/read"):
        return  # how far one has read is one's own
    assert call(vic, method, path, body, thread).status_code in {403}


def test_the_list_stays_within_six_queries(cast, ben, assert_queries):
    for number in range(10):
        receive(cast, f"nr {number}")
    ben.get("conversations/")
    with assert_queries(6):
        assert len(ben.get("conversations/").json()["results"]) == 10


def test_the_schema_can_be_made(ben):
    answer = Api().get("/api/v1/schema")
    assert answer.status_code == 200
    assert b"/api/v1/workspaces/{workspace}/conversations/{conversation}/messages/" in answer.content


def test_a_body_that_is_too_large_is_413(ben, thread):
    answer = ben.post(messages(thread), b'{"body": "' + b"x" * (2 * 1024 * 1024) + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
