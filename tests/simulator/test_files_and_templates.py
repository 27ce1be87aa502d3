import pytest

from tests.simulator.harness import API_KEY, NUMBER_ID
from tests.simulator.test_webhooks import read_one

BUSINESS = "100000000000009"
KEY = {"X-API-Key": API_KEY}


def upload(simulator, content=b"\x89PNG not really", name="a.png", kind="image/png", **fields):
    return simulator.http.post(
        simulator.messages_url.replace("/messages", "/media"),
        data={"messaging_product": "whatsapp", **fields},
        files={"file": (name, content, kind)},
        headers=KEY,
    )


def template(simulator, name="class_reminder", language="en_US", components=None, **more):
    given = {"name": name, "language": {"code": language}, "components": components or [], **more}
    return simulator.send(type="template", template=given, text=None)


def words(*values, **named):
    rows = [{"type": "text", "text": value} for value in values]
    return rows + [{"type": "text", "parameter_name": name, "text": value} for name, value in named.items()]


# --- Files --------------------------------------------------------------------------------------------------


def test_what_was_uploaded_can_be_read_and_sent(simulator):
    content = bytes(range(256)) + b"\r\n--boundary\r\n\r\n"
    id_ = upload(simulator, content).json()["id"]

    told = simulator.http.get(
        f"{simulator.url}/meta/whatsapp/v24.0/{id_}", params={"phone_number_id": NUMBER_ID}, headers=KEY
    ).json()
    assert (told["mime_type"], told["file_size"], told["id"]) == ("image/png", str(len(content)), id_)
    assert simulator.http.get(told["download_url"]).content == content
    assert simulator.send(type="image", image={"id": id_}, text=None).status_code == 200


def test_files_are_there_after_a_restart_too(simulator):
    id_ = upload(simulator).json()["id"]
    simulator.kill()
    simulator.start()

    assert simulator.send(type="image", image={"id": id_}, text=None).status_code == 200


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"", "image/png"), (b"x" * (5 * 1024 * 1024 + 1), "image/png"), (b"x", "image/tiff")],
    ids=["empty", "large", "strange"],
)
def test_an_upload_that_meta_would_refuse_is_refused(simulator, content, kind):
    assert upload(simulator, content, kind=kind).status_code == 400


def test_a_file_that_nobody_uploaded_cannot_be_sent(simulator):
    assert simulator.send(type="image", image={"id": "123"}, text=None).json()["error"]["code"] == 100


def test_a_link_that_does_not_open_fails_the_message_later(simulator, receiver):
    simulator.send(type="image", image={"link": f"{simulator.url}/storage/none/none.png"}, text=None)

    found = {item.status: item for item in map(read_one, receiver.wait_for(2))}
    assert found["failed"].error_code == "131053"


@pytest.mark.parametrize(
    ("kind", "start"), [("image", b"\x89PNG"), ("audio", b"OggS"), ("document", b"%PDF")], ids=["image", "audio", "pdf"]
)
def test_a_customer_sends_a_file_that_can_be_fetched_by_its_address(simulator, receiver, kind, start):
    simulator.customer(sample=kind, caption="Look" if kind == "image" else "")

    message = read_one(receiver.deliveries[0]).detail
    address = message["kapso"]["media_url"]
    assert message[kind]["mime_type"] == message["kapso"]["media_data"]["content_type"]
    onward = simulator.http.get(address)
    assert onward.status_code == 302
    assert simulator.http.get(onward.headers["location"]).content.startswith(start)


def test_earlier_messages_are_changed_taken_back_and_reacted_to(simulator, receiver):
    simulator.customer(text="Helo", ids=["wamid.a"])
    for data in ({"edit": "wamid.a", "text": "Hello"}, {"revoke": "wamid.a"}, {"react": "wamid.a", "emoji": "👍"}):
        simulator.customer(**data)

    kinds = [b'"type":"edit"', b'"type":"revoke"', b'"type":"reaction"']
    assert [kind in delivery.body for kind, delivery in zip(kinds, receiver.deliveries[1:], strict=True)] == [True] * 3


# --- Templates ------------------------------------------------------------------------------------------------


def test_templates_are_listed(simulator):
    url = f"{simulator.url}/meta/whatsapp/v24.0/{BUSINESS}/message_templates"
    first = simulator.http.get(url, params={"limit": 5}, headers=KEY).json()
    after = first["paging"]["cursors"]["after"]
    second = simulator.http.get(url, params={"limit": 5, "after": after}, headers=KEY).json()

    assert [len(first["data"]), len(second["data"])] == [5, 2]
    assert "next" in first["paging"]
    assert "next" not in second["paging"]
    assert {row["parameter_format"] for row in first["data"]} == {"NAMED", "POSITIONAL"}
    assert simulator.http.get(url).status_code == 401


@pytest.mark.parametrize(
    "given",
    [
        {"components": [{"type": "body", "parameters": words("Sam", "at noon")}]},
        {
            "name": "order_confirmation",
            "components": [{"type": "body", "parameters": words(customer_name="Sam", order_number="1")}],
        },
        {
            "name": "exam_results",
            "components": [
                {"type": "header", "parameters": words("the exam")},
                {"type": "body", "parameters": words("Sam", "17", "20")},
                {"type": "button", "sub_type": "url", "index": "0", "parameters": words("42")},
            ],
        },
        {"name": "we_are_back", "language": "id"},
    ],
    ids=["positional", "named", "header_and_button", "bare"],
)
def test_a_template_with_every_value_is_taken(simulator, given):
    assert template(simulator, **given).status_code == 200


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "nobody_knows"}, 132001),
        ({"language": "fr"}, 132001),
        ({}, 132000),
        ({"components": [{"type": "body", "parameters": words("Sam")}]}, 132000),
        ({"name": "order_confirmation", "components": [{"type": "body", "parameters": words("Sam", "1")}]}, 132012),
        ({"name": "exam_results", "components": [{"type": "body", "parameters": words("Sam", "17", "20")}]}, 132000),
        ({"name": "spring_offer"}, 132015),
    ],
    ids=["unknown", "language", "none", "too_few", "unnamed", "no_button", "paused"],
)
def test_a_template_that_does_not_fit_is_refused(simulator, given, code):
    response = template(simulator, **given)

    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
