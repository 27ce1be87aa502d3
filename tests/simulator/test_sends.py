import httpx
import pytest

from tests.simulator.harness import API_KEY, NUMBER_ID


def graph(response: httpx.Response) -> tuple[int, int]:
    return response.status_code, response.json()["error"]["code"]


def test_a_send_is_accepted_as_the_provider_answers(simulator):
    response = simulator.send(
        "+1 (555) 123-4567", biz_opaque_callback_data="ours", context={"message_id": "wamid.asked"}
    )

    answer = response.json()
    assert response.status_code == 200
    assert answer["messaging_product"] == "whatsapp"
    assert answer["contacts"] == [{"input": "+1 (555) 123-4567", "wa_id": "15551234567"}]
    (row,) = simulator.accepted()
    assert row["id"] == answer["messages"][0]["id"]
    assert row["id"].startswith("wamid.")
    assert (row["to"], row["body"], row["callback_data"], row["reply_to"]) == (
        "+1 (555) 123-4567",
        "Hello",
        "ours",
        "wamid.asked",
    )


def test_a_person_without_a_number_can_be_sent_to(simulator):
    answer = simulator.send(to=None, recipient="US.13491208655302741918").json()

    assert answer["contacts"][0]["user_id"] == "US.13491208655302741918"


def test_a_mexican_number_is_known_in_its_old_form(simulator):
    assert simulator.send("+525512345678").json()["contacts"][0]["wa_id"] == "5215512345678"


def test_a_bearer_token_is_as_good_as_the_key_header(simulator):
    data = {"messaging_product": "whatsapp", "to": "+15551234567", "type": "text", "text": {"body": "Hi"}}
    headers = {"Authorization": f"Bearer {API_KEY}"}

    assert simulator.http.post(simulator.messages_url, json=data, headers=headers).status_code == 200


@pytest.mark.parametrize("key", ["", "wrong"])
def test_a_wrong_key_is_refused_in_kapso_s_way(simulator, key):
    response = simulator.send(key=key)

    assert response.status_code == 401
    assert isinstance(response.json()["error"], str)
    assert simulator.accepted() == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"messaging_product": None}, 100),
        ({"messaging_product": "telegram"}, 100),
        ({"to": None}, 100),
        ({"to": ""}, 100),
        ({"to": 15551234567}, 100),
        ({"to": "nobody"}, 131009),
        ({"to": "+12"}, 131009),
        ({"to": "+15550100001"}, 131021),
        ({"type": "hologram"}, 100),
        ({"type": ["text"]}, 100),
        ({"type": "image"}, 131008),
        ({"type": "image", "image": {"caption": "no file"}}, 131008),
        ({"text": None}, 131008),
        ({"text": {}}, 131008),
        ({"text": {"body": ""}}, 131008),
        ({"text": "Hello"}, 131008),
        ({"text": {"body": 7}}, 100),
        ({"text": {"body": "x" * 4097}}, 100),
        ({"biz_opaque_callback_data": 7}, 100),
        ({"biz_opaque_callback_data": "x" * 513}, 100),
    ],
)
def test_what_the_provider_would_refuse_is_refused_in_meta_s_way(simulator, change, code):
    assert graph(simulator.send(**{"to": "+15551234567", **change})) == (400, code)
    assert simulator.accepted() == []


def test_the_longest_text_is_taken(simulator):
    assert simulator.send(body="é" * 4096).status_code == 200


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff"])
def test_a_body_that_is_no_object_is_refused(simulator, raw):
    response = simulator.http.post(simulator.messages_url, content=raw, headers={"X-API-Key": API_KEY})

    assert graph(response) == (400, 100)


def test_a_body_that_is_too_large_is_refused(simulator):
    raw = b" " * (1024 * 1024 + 1)

    assert simulator.http.post(simulator.messages_url, content=raw, headers={"X-API-Key": API_KEY}).status_code == 413


def test_a_number_that_is_not_connected_is_refused(simulator):
    url = simulator.messages_url.replace(NUMBER_ID, "999")
    response = simulator.http.post(url, json={}, headers={"X-API-Key": API_KEY})

    assert graph(response) == (400, 100)
    assert response.json()["error"]["error_subcode"] == 33


def test_read_marks_and_typing_are_acknowledged_and_not_messages(simulator):
    data = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": "wamid.1",
        "typing_indicator": {"type": "text"},
    }
    response = simulator.http.post(simulator.messages_url, json=data, headers={"X-API-Key": API_KEY})

    assert response.json() == {"success": True}
    assert simulator.accepted() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"/meta/whatsapp/v24.0/{NUMBER_ID}/media"),
        ("GET", "/storage/0123456789abcdef/photo.png"),
        ("DELETE", f"/meta/whatsapp/v24.0/{NUMBER_ID}/messages"),
        ("GET", "/2010-04-01/Accounts"),
        ("GET", "/"),
    ],
)
def test_what_is_not_there_is_404(simulator, method, path):
    assert simulator.http.request(method, simulator.url + path, headers={"X-API-Key": API_KEY}).status_code == 404


def test_the_number_tells_who_it_is(simulator):
    url = simulator.messages_url.removesuffix("/messages")

    assert simulator.http.get(url, headers={"X-API-Key": API_KEY}).json()["display_phone_number"] == "+15550100001"


# --- The list -------------------------------------------------------------------------------------------


def test_the_list_is_newest_first_in_pages(simulator):
    for n in range(5):
        simulator.send(body=f"Message {n}")

    first = simulator.list(limit=2)
    second = simulator.list(limit=2, after=first["paging"]["cursors"]["after"])
    third = simulator.list(limit=2, after=second["paging"]["next"])

    bodies = [[row["text"]["body"] for row in page["data"]] for page in (first, second, third)]
    assert bodies == [["Message 4", "Message 3"], ["Message 2", "Message 1"], ["Message 0"]]
    assert third["paging"]["next"] is None
    back = simulator.list(limit=2, before=third["paging"]["previous"])
    assert back["data"] == second["data"]


def test_the_list_is_filtered(simulator):
    simulator.customer(**{"from": "6281255500101", "text": "Halo"})
    simulator.send(body="Hello")

    assert [row["type"] for row in simulator.list()["data"]] == ["text", "text"]
    assert [row["text"]["body"] for row in simulator.list(direction="outbound")["data"]] == ["Hello"]
    assert [row["text"]["body"] for row in simulator.list(direction="inbound")["data"]] == ["Halo"]
    assert simulator.list(since="2100-01-01T00:00:00Z")["data"] == []
    assert simulator.list(until="2001-01-01T00:00:00")["data"] == []
    assert len(simulator.list(since="2001-01-01T00:00:00Z", until="2100-01-01T00:00:00Z")["data"]) == 2


def test_kapso_s_own_fields_come_only_when_asked_for(simulator):
    simulator.send()

    assert "kapso" not in simulator.list()["data"][0]
    assert simulator.list(fields="kapso(default)")["data"][0]["kapso"]["direction"] == "outbound"


def test_callback_data_is_listed_unless_told_otherwise(simulator):
    simulator.send(biz_opaque_callback_data="ours")

    assert simulator.list()["data"][0]["biz_opaque_callback_data"] == "ours"
    simulator.behave(echo="off")
    assert "biz_opaque_callback_data" not in simulator.list()["data"][0]


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"since": "soon"}, {"after": "x"}]
)
def test_a_list_that_makes_no_sense_is_refused(simulator, params):
    response = simulator.http.get(simulator.messages_url, params=params, headers={"X-API-Key": API_KEY})

    assert response.status_code == 400


def test_the_list_needs_the_key(simulator):
    assert simulator.http.get(simulator.messages_url).status_code == 401
