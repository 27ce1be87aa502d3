import time
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest

from tests.waiting import wait_for
from webhooks.twilio.form import read_form
from webhooks.twilio.items import Inbound, Receipt
from webhooks.twilio.payload import read_item
from webhooks.twilio.signature import is_genuine

SID = "AC00000000000000000000000000000001"
TOKEN = "demo-twilio-token"
PHONE = "+15550100002"
TO = "+14155550100"
API = f"/2010-04-01/Accounts/{SID}"


def call(simulator, method, path, *, auth=(SID, TOKEN), **more):
    url = path if path.startswith("http") else simulator.url + path
    return simulator.http.request(method, url, auth=auth, **more)


def send(simulator, **changes):
    form = {"To": TO, "From": PHONE, "Body": "Hello"} | changes
    return call(simulator, "POST", f"{API}/Messages.json", data={k: v for k, v in form.items() if v is not None})


def listed(simulator, **params):
    response = call(simulator, "GET", f"{API}/Messages.json", params=params)
    assert response.status_code == 200, response.text
    return response.json()


def texts(simulator, **data):
    return simulator.control("texts", {"wait": True, **data})


def read(delivery, receiver):
    """What the product makes of it: signed rightly over the address without its fragment."""
    assert is_genuine(
        url=receiver.url + delivery.path,
        body=delivery.body,
        content_type=delivery.headers["content-type"],
        signature=delivery.headers["x-twilio-signature"],
        auth_tokens=[TOKEN],
    )
    return read_item(read_form(delivery.body))


# --- Sends ------------------------------------------------------------------------------------------------


def test_a_send_is_answered_as_twilio_does(simulator):
    response = send(simulator, Body="Hi there")

    answer = response.json()
    assert response.status_code == 201
    assert answer["sid"].startswith("SM")
    assert (answer["status"], answer["direction"], answer["num_segments"]) == ("queued", "outbound-api", "1")
    assert (answer["from"], answer["to"], answer["date_sent"]) == (PHONE, TO, None)
    assert simulator.accepted(provider="twilio")[0]["body"] == "Hi there"


def test_with_a_messaging_service_it_is_accepted(simulator):
    answer = send(simulator, From=None, MessagingServiceSid="MG" + "0" * 32).json()

    assert (answer["status"], answer["from"], answer["num_segments"]) == ("accepted", None, "0")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "12"}, 21211),
        ({"To": "whatsapp:12", "From": f"whatsapp:{PHONE}"}, 21211),
        ({"From": None}, 21603),
        ({"From": "+15550100009"}, 21606),
        ({"From": f"whatsapp:{PHONE}"}, 21910),
        ({"To": f"whatsapp:{TO}", "From": "whatsapp:+15550100009"}, 63007),
        ({"Body": None}, 21619),
        ({"Body": "x" * 1601}, 21617),
        ({"MediaUrl": "nowhere"}, 21620),
        ({"MediaUrl": ["https://files.example/a.png"] * 11}, 21623),
        ({"Body": None, "ContentSid": "HX" + "f" * 32}, 21655),
        ({"Body": None, "ContentSid": "HX" + "0" * 31 + "1", "ContentVariables": "[1]"}, 21656),
        ({"StatusCallback": "nowhere"}, 21609),
        ({"MessagingServiceSid": "x"}, 21705),
    ],
)
def test_what_twilio_would_refuse_is_refused_by_its_code(simulator, change, code):
    response = send(simulator, **change)

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert response.json()["more_info"].endswith(str(code))
    assert simulator.accepted() == []


@pytest.mark.parametrize("auth", [None, (SID, "wrong"), ("AC" + "9" * 32, TOKEN)])
def test_without_the_account_s_key_nothing_is_done(simulator, auth):
    response = call(simulator, "POST", f"{API}/Messages.json", auth=auth, data={"To": TO})

    assert (response.status_code, response.json()["code"]) == (401, 20003)


def test_another_account_s_address_is_not_found(simulator):
    response = call(simulator, "GET", f"/2010-04-01/Accounts/AC{'2' * 32}/Messages.json")

    assert (response.status_code, response.json()["code"]) == (404, 20404)


def test_a_content_is_filled_in(simulator):
    send(simulator, Body=None, ContentSid="HX" + "0" * 31 + "1", ContentVariables='{"1":"Sam","2":"at noon"}')

    assert simulator.accepted()[0]["body"] == "Hi Sam, your class starts at noon. See you there!"
    contents = call(simulator, "GET", "/v1/Content", params={"PageSize": "50"}).json()
    assert contents["contents"][0]["types"]["twilio/text"]["body"].startswith("Hi {{1}}")
    assert contents["meta"]["next_page_url"] is None
    approval = call(simulator, "GET", f"/v1/Content/{contents['contents'][0]['sid']}/ApprovalRequests").json()
    assert approval["whatsapp"]["status"] == "approved"


@pytest.mark.parametrize(
    ("fail", "status", "code"), [("429", 429, 20429), ("500", 500, 20500), ("500_after_accept", 500, 20500)]
)
def test_it_refuses_when_told(simulator, fail, status, code):
    simulator.behave(fail=fail, provider="twilio")

    response = send(simulator)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert len(simulator.accepted()) == (1 if fail == "500_after_accept" else 0)
    assert simulator.send().status_code == 200


@pytest.mark.parametrize(("fail", "taken"), [("drop_before", 0), ("drop_after_accept", 1)])
def test_it_drops_the_connection_when_told(simulator, fail, taken):
    simulator.behave(fail=fail, next_n=1)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        send(simulator)

    assert len(listed(simulator)["messages"]) == taken


# --- Statuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "rungs"), [("", ["sent", "delivered"]), ("whatsapp:", ["sent", "delivered", "read"])]
)
def test_a_send_climbs_and_tells_each_rung_signed(simulator, receiver, prefix, rungs):
    callback = f"{receiver.url}/webhooks/twilio/demo-twilio/status?a=b#rc=5&rp=all"
    sid = send(simulator, To=prefix + TO, From=prefix + PHONE, StatusCallback=callback).json()["sid"]

    found = [read(delivery, receiver) for delivery in receiver.wait_for(len(rungs))]

    assert sorted(item.status for item in found) == sorted(rungs)
    assert {item.sid for item in found} == {sid}
    assert all(isinstance(item, Receipt) for item in found)
    wait_for(lambda: listed(simulator)["messages"][0]["status"] == rungs[-1])
    assert listed(simulator)["messages"][0]["date_sent"]


def test_words_outside_the_window_fail_a_moment_later(simulator, receiver):
    callback = f"{receiver.url}/webhooks/twilio/demo-twilio/status"
    both = {"To": f"whatsapp:{TO}", "From": f"whatsapp:{PHONE}", "StatusCallback": callback}
    texts(simulator, **{"from": f"whatsapp:{TO}"}, text="Hi", timestamp=time.time() - 90000)
    receiver.deliveries.clear()

    assert send(simulator, **both).status_code == 201

    item = read(receiver.wait_for(1)[0], receiver)
    assert (item.status, item.error_code) == ("failed", "63016")
    receiver.deliveries.clear()
    texts(simulator, **{"from": f"whatsapp:{TO}"}, text="Still here")
    send(simulator, **both)
    wait_for(lambda: listed(simulator)["messages"][0]["status"] == "read")


def test_a_media_address_that_does_not_open_fails_the_message(simulator, receiver):
    send(simulator, MediaUrl=f"{simulator.url}/storage/none/none.png")

    wait_for(lambda: listed(simulator)["messages"][0]["status"] == "failed")
    assert listed(simulator)["messages"][0]["error_code"] is not None


def test_a_callback_is_tried_again_as_its_address_asks(simulator, receiver):
    receiver.answer = lambda _delivery: 500
    send(simulator, StatusCallback=f"{receiver.url}/status")
    wait_for(lambda: simulator.accepted()[0]["states"] == ["sent", "delivered"])
    wait_for(lambda: simulator.control("deliveries")["owed"] == 0)

    assert len(receiver.deliveries) == 2
    receiver.deliveries.clear()
    send(simulator, StatusCallback=f"{receiver.url}/status#rc=2&rp=5xx")
    wait_for(lambda: len(receiver.deliveries) == 6)


# --- What comes in ------------------------------------------------------------------------------------------


def test_a_customer_writes_by_sms(simulator, receiver):
    told = texts(simulator, **{"from": TO}, text="Is it open? + & é")

    (delivery,) = receiver.deliveries
    item = read(delivery, receiver)
    assert isinstance(item, Inbound)
    assert (delivery.path, told["arrived"]) == ("/webhooks/twilio/demo-twilio", True)
    assert ([item.sid], item.sender, item.recipient, item.body) == (told["ids"], TO, PHONE, "Is it open? + & é")


def test_a_customer_writes_on_whatsapp_with_a_picture(simulator, receiver):
    texts(simulator, **{"from": f"whatsapp:{TO}"}, name="Ada", text="Look", sample="image")

    item = read(receiver.deliveries[0], receiver)
    assert (item.name, item.wa_id, item.type, item.body) == ("Ada", TO[1:], "image", "Look")
    (media,) = item.media
    assert simulator.http.get(media.url).status_code == 401
    onward = call(simulator, "GET", media.url)
    assert onward.status_code == 307
    picture = simulator.http.get(onward.headers["location"])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    rows = call(simulator, "GET", f"{API}/Messages/{item.sid}/Media.json").json()["media_list"]
    assert [row["content_type"] for row in rows] == ["image/png"]


def test_who_said_stop_is_not_written_to_until_start(simulator):
    texts(simulator, **{"from": TO}, text=" Stop ")
    assert (send(simulator).status_code, send(simulator).json()["code"]) == (400, 21610)
    assert send(simulator, To=f"whatsapp:{TO}", From=f"whatsapp:{PHONE}").status_code == 201

    texts(simulator, **{"from": TO}, text="START")
    assert send(simulator).status_code == 201


def test_another_account_can_be_connected(simulator, receiver):
    account = {"sid": "AC" + "a" * 32, "auth_token": "other", "phone": "+15550100077", "channel": "second"}
    simulator.control("accounts", account)

    texts(simulator, account=account["sid"], **{"from": TO}, text="Hi")

    assert receiver.deliveries[0].path == "/webhooks/twilio/second"


@pytest.mark.parametrize(
    "data", [{"from": "nobody"}, {"account": "ACx"}, {"sample": "film"}, {"mood": "grim"}, {"params": {"a": 1}}]
)
def test_a_text_that_makes_no_sense_is_refused(simulator, receiver, data):
    response = simulator.http.post(f"{simulator.url}/_control/texts", json=data)

    assert response.status_code == 400
    assert receiver.deliveries == []


# --- The list ---------------------------------------------------------------------------------------------


def test_the_list_is_newest_first_in_pages(simulator):
    for n in range(5):
        send(simulator, Body=f"Message {n}")

    page, bodies = listed(simulator, PageSize=2), []
    for _ in range(5):
        bodies.append([row["body"] for row in page["messages"]])
        if not page["next_page_uri"]:
            break
        page = call(simulator, "GET", page["next_page_uri"]).json()

    assert bodies == [["Message 4", "Message 3"], ["Message 2", "Message 1"], ["Message 0"]]


def test_the_list_is_filtered(simulator):
    texts(simulator, **{"from": TO}, text="in")
    send(simulator, Body="out")

    assert [row["body"] for row in listed(simulator, To=PHONE)["messages"]] == ["in"]
    assert [row["body"] for row in listed(simulator, From=PHONE)["messages"]] == ["out"]
    assert listed(simulator, To=PHONE)["messages"][0]["direction"] == "inbound"
    assert listed(simulator, **{"DateSent>": "2100-01-01T00:00:00Z"})["messages"] == []
    assert listed(simulator, **{"DateSent<": "2001-01-01"})["messages"] == []
    assert len(listed(simulator, **{"DateSent>": "2001-01-01T00:00:00Z"})["messages"]) == 2
    page = listed(simulator, To=PHONE, PageSize=1)
    assert dict(parse_qsl(urlsplit(page["uri"]).query))["To"] == PHONE


def test_a_single_one_can_be_read(simulator):
    sid = send(simulator).json()["sid"]

    assert call(simulator, "GET", f"{API}/Messages/{sid}.json").json()["sid"] == sid
    assert call(simulator, "GET", f"{API}/Messages/SM{'0' * 32}.json").status_code == 404


def test_parameters_that_are_empty_are_signed_too(simulator, receiver):
    texts(simulator, **{"from": TO}, text="")
    texts(simulator, **{"from": TO}, text="Hi")

    assert parse_qs(receiver.deliveries[1].body.decode(), keep_blank_values=True)["FromCity"] == [""]
    assert read(receiver.deliveries[1], receiver).body == "Hi"
