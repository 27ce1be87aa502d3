import json

import pytest

from tests.simulator.harness import CHANNEL, SECRET
from tests.waiting import wait_for
from webhooks.kapso.payload import Inbound, Receipt, Sent, parse
from webhooks.kapso.signature import is_genuine_delivery


def read(delivery):
    """What the product makes of it: signed rightly, and every item readable."""
    assert delivery.path == f"/webhooks/kapso/{CHANNEL}"
    assert is_genuine_delivery(delivery.headers, delivery.body, [SECRET])
    event, key = delivery.headers.get("x-webhook-event", ""), delivery.headers["x-idempotency-key"]
    return parse(delivery.body, event=event, idempotency_key=key)


def read_one(delivery):
    (item,) = read(delivery).items
    return item


def states(receiver, count):
    return [read_one(delivery).status for delivery in receiver.wait_for(count)]


# --- What became of a send --------------------------------------------------------------------------------


def test_a_send_is_told_sent_delivered_and_read(simulator, receiver):
    provider_id = simulator.send(body="Hi", biz_opaque_callback_data="ours").json()["messages"][0]["id"]

    found = [read_one(delivery) for delivery in receiver.wait_for(3)]

    assert {item.status for item in found} == {"sent", "delivered", "read"}
    assert simulator.accepted()[0]["states"] == ["sent", "delivered", "read"]
    for item in found:
        assert isinstance(item, Receipt)
        assert (item.provider_id, item.callback_data, item.body) == (provider_id, "ours", "Hi")
        assert (item.recipient.phone, item.phone_number_id) == ("+15551234567", "100000000000001")
        assert item.at
    assert len({read(delivery).event_key for delivery in receiver.deliveries}) == 3
    for delivery in receiver.deliveries:
        assert delivery.headers["x-webhook-event"] == f"whatsapp.message.{read_one(delivery).status}"
        assert delivery.headers["x-webhook-payload-version"] == "v2"


def test_statuses_can_be_switched_off(simulator, receiver):
    simulator.behave(statuses="off")
    simulator.send(body="quiet")
    simulator.behave(statuses="on")
    simulator.send(body="told")

    assert [read_one(delivery).body for delivery in receiver.wait_for(3)] == ["told"] * 3


def test_statuses_can_come_in_the_wrong_order(simulator, receiver):
    simulator.behave(statuses="out_of_order")
    simulator.send()

    found = [read_one(delivery) for delivery in receiver.wait_for(3)]

    assert sorted(item.status for item in found) == ["delivered", "read", "sent"]
    assert [row["states"] for row in simulator.accepted()] == [["read", "delivered", "sent"]]


def test_statuses_can_come_twice_and_under_another_key(simulator, receiver):
    simulator.behave(statuses="duplicate")
    simulator.send()

    deliveries = receiver.wait_for(12)

    keys = [delivery.headers["x-idempotency-key"] for delivery in deliveries if read_one(delivery).status == "read"]
    assert sorted(keys.count(key) for key in set(keys)) == [2, 2]


def test_a_send_can_fail_later(simulator, receiver):
    simulator.behave(statuses="failed", code=131047)
    simulator.send()

    found = {item.status: item for item in map(read_one, receiver.wait_for(2))}

    assert set(found) == {"sent", "failed"}
    assert found["failed"].error_code == "131047"


def test_a_reaction_is_only_sent(simulator, receiver):
    reaction = {"message_id": "wamid.1", "emoji": "👍"}
    assert simulator.send(type="reaction", reaction=reaction, text=None).status_code == 200
    simulator.send(body="after")

    assert sorted(states(receiver, 4)) == ["delivered", "read", "sent", "sent"]


# --- How a webhook is delivered ---------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [500, 204, 301, 404])
def test_anything_but_200_is_tried_again_under_the_same_key(simulator, receiver, answer):
    answers = iter([answer, answer, 200])
    receiver.answer = lambda _delivery: next(answers)

    assert simulator.customer(text="Hi")["arrived"] is True

    keys = {delivery.headers["x-idempotency-key"] for delivery in receiver.deliveries}
    assert (len(receiver.deliveries), len(keys)) == (3, 1)


def test_it_gives_up_after_the_last_try(simulator, receiver):
    receiver.answer = lambda _delivery: 503

    assert simulator.customer(text="Hi")["arrived"] is False

    assert len(receiver.deliveries) == 4
    told = simulator.control("deliveries")
    assert [row["status"] for row in told["deliveries"]] == [503] * 4
    assert told["owed"] == 0


def test_a_failed_batch_falls_back_to_single_deliveries(simulator, receiver):
    receiver.answer = lambda delivery: 500 if b'"batch"' in delivery.body else 200

    assert simulator.customer(text="Line", count=3, batch=True)["arrived"] is True

    batch, *singles = receiver.deliveries
    assert len(read(batch).items) == 3
    assert [read_one(single).body for single in singles] == ["Line 1", "Line 2", "Line 3"]
    assert len({delivery.headers["x-idempotency-key"] for delivery in receiver.deliveries}) == 4


def test_one_person_s_messages_keep_their_order_while_the_first_is_tried_again(simulator, receiver):
    failures = iter([500])
    receiver.answer = lambda delivery: next(failures, 200)

    simulator.customer(**{"from": "15550001111"}, text="Line", count=3)

    assert [read_one(delivery).body for delivery in receiver.deliveries] == ["Line 1", "Line 1", "Line 2", "Line 3"]


# --- Customers --------------------------------------------------------------------------------------------


def test_a_customer_writes(simulator, receiver):
    told = simulator.customer(**{"from": "+62 812 5550 0199"}, name="Siti", username="@siti", text="Halo kak")

    item = read_one(receiver.deliveries[0])
    assert isinstance(item, Inbound)
    assert [item.provider_id] == told["ids"]
    assert (item.body, item.sender.phone, item.sender.name, item.sender.username) == (
        "Halo kak",
        "+6281255500199",
        "Siti",
        "@siti",
    )
    assert json.loads(receiver.deliveries[0].body)["is_new_conversation"] is True
    simulator.customer(**{"from": "6281255500199"}, text="Lagi")
    assert json.loads(receiver.deliveries[1].body)["is_new_conversation"] is False


def test_a_customer_without_a_number_writes(simulator, receiver):
    simulator.customer(**{"from": None}, user_id="US.13491208655302741918", text="Hi")

    sender = read_one(receiver.deliveries[0]).sender
    assert (sender.phone, sender.bsuid) == (None, "US.13491208655302741918")


def test_somebody_of_the_cast_writes_when_nobody_is_named(simulator, receiver):
    simulator.customer()

    assert read_one(receiver.deliveries[0]).sender.name


def test_a_batch_is_one_delivery(simulator, receiver):
    simulator.customer(text="Line", count=4, batch=True)

    (delivery,) = receiver.deliveries
    assert [item.body for item in read(delivery).items] == ["Line 1", "Line 2", "Line 3", "Line 4"]
    assert (delivery.headers["x-webhook-batch"], delivery.headers["x-batch-size"]) == ("true", "4")


def test_meta_s_raw_form_can_be_had(simulator, receiver):
    simulator.customer(**{"from": "15550001111"}, name="Ann", text="Line", count=2, form="meta")

    (delivery,) = receiver.deliveries
    assert "x-webhook-signature" not in delivery.headers
    assert [(item.body, item.sender.name) for item in read(delivery).items] == [("Line 1", "Ann"), ("Line 2", "Ann")]


def test_staff_can_write_on_their_phone(simulator, receiver):
    simulator.customer(**{"from": "15550001111"}, text="We open at nine.", origin="business_app")

    item = read_one(receiver.deliveries[0])
    assert isinstance(item, Sent)
    assert (item.body, item.recipient.phone) == ("We open at nine.", "+15550001111")
    assert simulator.accepted() == []


def test_the_same_message_can_come_again(simulator, receiver):
    for _ in range(2):
        simulator.customer(**{"from": "15550001111"}, text="Again", ids=["wamid.again"])

    one, two = receiver.deliveries
    assert read_one(one).provider_id == read_one(two).provider_id == "wamid.again"
    assert one.headers["x-idempotency-key"] != two.headers["x-idempotency-key"]


def test_any_type_can_be_written(simulator, receiver):
    location = {"latitude": 52.5, "longitude": 13.4, "name": "Office"}
    simulator.customer(type="location", content=location, context={"id": "wamid.asked"}, timestamp=1763668790)

    item = read_one(receiver.deliveries[0])
    assert (item.type, item.body, item.reply_to, item.at.timestamp()) == (
        "location",
        "Office",
        "wamid.asked",
        1763668790,
    )


@pytest.mark.parametrize(
    "data",
    [
        {"from": "nobody"},
        {"from": None},
        {"from": 15550001111},
        {"count": 0},
        {"count": 1001},
        {"count": True},
        {"type": "image"},
        {"form": "twilio"},
        {"origin": "dream"},
        {"timestamp": "now"},
        {"ids": ["a", "b"]},
        {"phone_number_id": "999"},
        {"phone_number_id": []},
        {"mood": "grim"},
    ],
)
def test_a_customer_who_makes_no_sense_is_refused(simulator, receiver, data):
    response = simulator.http.post(f"{simulator.url}/_control/customer", json=data)

    assert response.status_code == 400
    assert receiver.deliveries == []


def test_another_number_can_be_connected_with_a_channel_and_secret_of_its_own(simulator, receiver):
    number = {
        "phone_number_id": "200",
        "phone": "+15550100200",
        "channel": "second",
        "secret": "another",
        "api_key": "k2",
    }
    simulator.control("numbers", number)

    simulator.customer(phone_number_id="200", text="Hi")

    (delivery,) = receiver.deliveries
    assert delivery.path == "/webhooks/kapso/second"
    assert is_genuine_delivery(delivery.headers, delivery.body, ["another"])
    data = {"messaging_product": "whatsapp", "to": "+15551234567", "type": "text", "text": {"body": "Hi"}}
    url = f"{simulator.url}/meta/whatsapp/v24.0/200/messages"
    assert simulator.http.post(url, json=data, headers={"X-API-Key": "k2"}).status_code == 200
    wait_for(lambda: simulator.accepted(phone_number_id="200")[0]["states"] == ["sent", "delivered", "read"])
