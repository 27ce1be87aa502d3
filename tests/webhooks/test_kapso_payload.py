import copy
import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from webhooks.bodies import Unreadable, event_key, load_object
from webhooks.kapso.payload import Inbound, Other, Receipt, Sent, WhoIs, parse

PAYLOADS = Path(__file__).parent / "payloads"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
RECEIVED = "whatsapp.message.received"


def example(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())


def items(data: Any, event: str = RECEIVED) -> list[Any]:
    return parse(json.dumps(data).encode(), event=event).items


def only(data: Any, event: str = RECEIVED) -> Any:
    (item,) = items(data, event)
    return item


def received(**message: Any) -> Any:
    data = example("v2_received_text")
    data["message"].update(message)
    return data


def of_type(kind: str, content: Any) -> Any:
    data = received(type=kind)
    del data["message"]["text"]
    data["message"][kind] = content
    return data


# --- Version 2, one message ---------------------------------------------------------------------------


def test_a_received_text_says_who_wrote_what_and_when():
    data = example("v2_received_text")

    item = only(data)

    assert item == Inbound(
        provider_id="wamid.HBgMNjI4MTIzNDU2Nzg5FQIAEhgUM0E0QTY1OTlBRUUwMzgxMDE0NEYA",
        at=datetime(2025, 11, 20, 19, 59, 50, tzinfo=UTC),
        sender=WhoIs(
            phone="+6281234567890",
            wa_id="6281234567890",
            bsuid="ID.13491208655302741918",
            username="@budi",
            name="Budi Santoso",
        ),
        type="text",
        body="Halo, apakah pesanan saya sudah dikirim?",
        reply_to=None,
        phone_number_id="123456789012345",
        origin="cloud_api",
        detail=data["message"],
    )
    assert item.item_key == f"inbound:{item.provider_id}"
    assert item.peer_key == "ID.13491208655302741918"


def test_the_event_name_comes_from_the_header_or_else_from_the_body():
    body = orjson.dumps(example("v2_received_text"))

    assert parse(body, event=RECEIVED).event == RECEIVED
    assert parse(body).event == ""
    assert parse(orjson.dumps({**example("v2_received_text"), "type": RECEIVED})).event == RECEIVED
    assert parse(orjson.dumps({"event": "workflow.execution.failed"})).event == "workflow.execution.failed"


def test_a_message_is_read_without_any_event_name():
    assert isinstance(only(example("v2_received_text"), event=""), Inbound)
    assert only(example("v2_delivered"), event="").status == "delivered"


def test_the_direction_decides_and_not_the_status():
    data = example("v2_received_text")
    data["message"]["kapso"]["status"] = "delivered"

    assert isinstance(only(data, event="whatsapp.message.delivered"), Inbound)


@pytest.mark.parametrize(
    ("event", "kind"), [(RECEIVED, Inbound), ("whatsapp.message.delivered", Receipt), ("", Inbound)]
)
def test_without_a_direction_the_event_decides(event, kind):
    data = example("v2_received_text")
    del data["message"]["kapso"]

    assert isinstance(only(data, event), kind)


def test_a_sender_without_a_number_is_known_by_the_user_id():
    item = only(example("v2_received_without_a_number"))

    assert (item.sender.phone, item.sender.wa_id) == (None, None)
    assert item.sender.bsuid == item.peer_key == "ID.13491208655302741918"


@pytest.mark.parametrize("empty", ["", None, "missing"])
def test_an_empty_number_is_no_number(empty):
    data = example("v2_received_without_a_number")
    data["message"]["from"] = data["conversation"]["phone_number"] = empty if empty != "missing" else None
    if empty == "missing":
        del data["message"]["from"], data["conversation"]["phone_number"]

    assert only(data).sender.wa_id is None


def test_a_user_id_in_the_number_s_place_is_taken_for_what_it_is():
    data = example("v2_received_without_a_number")
    data["message"] |= {"from": "US.ENT.13491208655302741918", "from_user_id": None}
    data["conversation"]["business_scoped_user_id"] = None

    assert only(data).sender == WhoIs(bsuid="US.ENT.13491208655302741918", username="@budi", name="Budi Santoso")


@pytest.mark.parametrize(
    ("number", "phone", "wa_id"),
    [
        ("+6281234567890", "+6281234567890", "6281234567890"),
        ("6281234567890", "+6281234567890", "6281234567890"),
        ("+62 812-3456-7890", "+6281234567890", "6281234567890"),
        ("5215512345678", "+5215512345678", "5215512345678"),  # "impossible" to phonenumbers, and real
        ("551187654321", "+551187654321", "551187654321"),
        ("15551234567", "+15551234567", "15551234567"),
        ("12345", None, "12345"),  # a short code is nobody's phone
        ("0812345678", None, "0812345678"),
        (6281234567890, "+6281234567890", "6281234567890"),
    ],
)
def test_numbers_with_and_without_plus_are_one(number, phone, wa_id):
    sender = only(received(**{"from": number})).sender

    assert (sender.phone, sender.wa_id) == (phone, wa_id)


def test_the_conversation_lends_its_number_when_the_message_has_none():
    data = received(**{"from": None})
    data["conversation"]["phone_number"] = "6281234567890"

    assert only(data).sender.phone == "+6281234567890"


@pytest.mark.parametrize("place", [("conversation", "kapso"), ("conversation",), ("message", "kapso")])
def test_the_name_is_found_in_each_of_its_three_places(place):
    data = example("v2_received_text")
    del data["conversation"]["kapso"]
    target = data
    for step in place:
        target = target.setdefault(step, {})
    target["contact_name"] = "  สมชาย ใจดี "

    assert only(data).sender.name == "สมชาย ใจดี"


def test_a_missing_conversation_is_no_obstacle():
    data = example("v2_received_text")
    del data["conversation"]

    item = only(data)

    assert (item.sender.phone, item.sender.name, item.phone_number_id) == ("+6281234567890", None, "123456789012345")


def test_the_business_number_is_found_on_the_conversation_too():
    data = example("v2_received_text")
    del data["phone_number_id"]

    assert only(data).phone_number_id == "123456789012345"


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("1763668790", datetime(2025, 11, 20, 19, 59, 50, tzinfo=UTC)),
        (1763668790, datetime(2025, 11, 20, 19, 59, 50, tzinfo=UTC)),
        (1763668790.0, datetime(2025, 11, 20, 19, 59, 50, tzinfo=UTC)),
        ("1763668790000", datetime(2025, 11, 20, 19, 59, 50, tzinfo=UTC)),
        ("2025-11-20T19:59:50Z", datetime(2025, 11, 20, 19, 59, 50, tzinfo=UTC)),
        ("2025-11-20T16:59:50-03:00", datetime(2025, 11, 20, 19, 59, 50, tzinfo=UTC)),
        ("2025-11-20T19:59:50", datetime(2025, 11, 20, 19, 59, 50, tzinfo=UTC)),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        ([], None),
        ("9" * 400, None),
        ("9999999999999999", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
    ],
)
def test_times_are_read_in_every_form_seen_and_absurd_ones_dropped(stamp, at):
    assert only(received(timestamp=stamp)).at == at


def test_a_reply_names_the_message_it_answers():
    assert only(received(context={"from": "15550783881", "id": "wamid.asked"})).reply_to == "wamid.asked"
    assert only(received(context={"forwarded": True})).reply_to is None


# --- Words --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "body"),
    [
        ("text", {"body": "Olá 👋 café"}, "Olá 👋 café"),
        ("image", {"id": "1", "caption": "Receipt"}, "Receipt"),
        ("document", {"id": "1", "filename": "a.pdf", "caption": "Contract"}, "Contract"),
        ("audio", {"id": "1", "voice": True}, ""),
        ("sticker", {"id": "1"}, ""),
        ("location", {"latitude": 1.5, "longitude": -2, "name": "Office", "address": "Main St 1"}, "Office, Main St 1"),
        ("location", {"latitude": 1.5, "longitude": -2, "name": "Office"}, "Office"),
        ("location", {"latitude": 1.5, "longitude": -2}, "1.5, -2"),
        ("contacts", [{"name": {"formatted_name": "Ada"}}, {"name": {"formatted_name": "Béla"}}, 7, {}], "Ada, Béla"),
        ("interactive", {"type": "button_reply", "button_reply": {"id": "y", "title": "Yes"}}, "Yes"),
        ("interactive", {"type": "list_reply", "list_reply": {"id": "r", "title": "営業時間"}}, "営業時間"),
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"body": "Sent", "response_json": "{}"}}, "Sent"),
        ("interactive", {"type": "button", "body": {"text": "Choose"}, "action": {}}, "Choose"),
        ("button", {"payload": "STOP", "text": "Stop"}, "Stop"),
        ("reaction", {"message_id": "wamid.1", "emoji": "👍"}, "👍"),
        ("reaction", {"message_id": "wamid.1"}, ""),
        ("order", {"catalog_id": "1", "text": "Two please", "product_items": []}, "Two please"),
        ("system", {"body": "Changed number", "wa_id": "1", "type": "user_changed_number"}, "Changed number"),
        ("unsupported", {"type": "poll"}, ""),
        ("hologram", {"caption": "From the future"}, "From the future"),
        ("hologram", "not even an object", ""),
        ("text", {"body": 5}, ""),
        ("text", None, ""),
        ("interactive", {"type": "list_reply", "list_reply": []}, ""),
        ("contacts", {"name": "not a list"}, ""),
    ],
)
def test_each_type_is_put_into_words(kind, content, body):
    item = only(of_type(kind, content))

    assert (item.type, item.body) == (kind, body)
    assert item.detail[kind] == content


def test_the_address_that_opens_a_picture_is_never_shown_as_words():
    item = only(example("v2_received_image"))

    assert item.body == "Receipt"
    assert "https://" not in item.body
    assert item.detail["image"]["id"] == "1371993794424264"


# --- Batches ------------------------------------------------------------------------------------------


def test_a_batch_is_its_items_in_order():
    first, second = items(example("v2_received_batch"), event="")

    assert (first.body, second.body) == ("First", "Second")
    assert first.sender.phone == second.sender.phone == "+15551234567"


def test_a_batch_tells_its_event_in_the_body():
    assert parse(orjson.dumps(example("v2_received_batch"))).event == RECEIVED


@pytest.mark.parametrize(
    "bad", [None, 7, "text", [], {"message": []}, {"message": {}}, {"message": {"id": "wamid.x", "type": "text"}}]
)
def test_a_bad_item_does_not_disturb_its_siblings(bad):
    data = example("v2_received_batch")
    data["data"].insert(1, bad)

    first, broken, second = items(data)

    assert (first.body, second.body) == ("First", "Second")
    assert (broken.kind, broken.raw) == ("unreadable_item", bad)
    assert broken.reason


@pytest.mark.parametrize("message_id", [None, "", "  ", [], "w" * 256])
def test_a_message_that_cannot_be_told_apart_is_unreadable(message_id):
    assert only(received(id=message_id)).kind == "unreadable_item"


def test_an_item_wrapped_in_an_object_is_read_too():
    data = {"event": RECEIVED, "data": example("v2_received_text")}

    assert isinstance(only(data, event=""), Inbound)


def test_an_empty_batch_has_no_items():
    assert items({"type": RECEIVED, "batch": True, "data": []}) == []


# --- What became of a message ---------------------------------------------------------------------------


def test_a_failure_says_why():
    item = only(example("v2_failed"), "whatsapp.message.failed")

    assert (item.status, item.error_code, item.error_title) == ("failed", "131047", "Re-engagement message")
    assert item.error_details == "More than 24 hours have passed since the recipient last replied"
    assert item.at == datetime(2025, 11, 20, 20, 1, 40, tzinfo=UTC)
    assert (item.recipient.phone, item.peer_key) == ("+15551234567", "15551234567")
    assert item.item_key == "receipt:wamid.789:failed"


def test_a_status_carries_our_own_id_back():
    item = only(example("v2_delivered"), "whatsapp.message.delivered")

    assert item.callback_data == "0197a7c0-0000-7000-8000-000000000001"
    assert (item.status, item.body, item.error_code) == ("delivered", "Your order is on its way", "")


def test_a_status_is_read_without_the_history():
    data = example("v2_delivered")
    del data["message"]["kapso"]["statuses"]

    item = only(data, "whatsapp.message.delivered")

    assert (item.status, item.callback_data) == ("delivered", None)
    assert item.at is not None


def test_what_is_signed_counts_more_than_the_header():
    assert only(example("v2_delivered"), "whatsapp.message.failed").status == "delivered"


def test_an_unknown_state_falls_back_to_the_event_and_then_to_the_history():
    data = example("v2_delivered")
    data["message"]["kapso"]["status"] = "pending"

    assert only(data, "whatsapp.message.read").status == "read"
    assert only(data, event="").status == "delivered"


def test_a_state_that_nobody_knows_is_kept_as_other():
    data = example("v2_delivered")
    data["message"]["kapso"] = {"direction": "outbound", "status": "played"}

    item = only(data, event="")

    assert (item.kind, item.peer_key) == ("status.played", "15551234567")


def test_what_staff_typed_on_the_phone_is_a_message_we_never_sent():
    item = only(example("v2_sent_from_the_phone_app"), "whatsapp.message.sent")

    assert isinstance(item, Sent)
    assert (item.body, item.origin, item.recipient.phone) == ("We open at nine.", "business_app", "+15551234567")
    assert item.item_key == "sent:wamid.phone1"


def test_its_later_states_bring_both_the_message_and_the_state():
    data = example("v2_sent_from_the_phone_app")
    data["message"]["kapso"]["status"] = "read"

    message, state = items(data, "whatsapp.message.read")

    assert isinstance(message, Sent)
    assert (state.provider_id, state.status) == (message.provider_id, "read")


def test_history_is_told_apart_both_ways():
    inbound, outbound = example("v2_received_text"), example("v2_sent_from_the_phone_app")
    inbound["message"]["kapso"]["origin"] = outbound["message"]["kapso"]["origin"] = "history_sync"

    assert only(inbound).origin == "history_sync"
    assert isinstance(only(outbound, "whatsapp.message.sent"), Sent)


# --- What is kept and not handled -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("v2_conversation_ended", "whatsapp.conversation.ended"),
        ("v2_conversation_inactive", "whatsapp.conversation.inactive"),
    ],
)
def test_conversation_events_are_kept(name, event):
    item = only(example(name), event)

    assert isinstance(item, Other)
    assert (item.kind, item.raw) == (event, example(name))
    assert item.reason.startswith("Nothing to do")
    assert (item.peer_key, item.phone_number_id) == ("15551234567", "123456789012345")


def test_an_event_nobody_knows_is_kept_even_about_a_message():
    assert only(example("v2_received_text"), "whatsapp.message.teleported").kind == "whatsapp.message.teleported"


def test_a_body_that_says_nothing_is_kept():
    assert only({}, event="").kind == "unknown"


def test_a_message_event_without_a_message_is_an_anomaly():
    assert only({"phone_number_id": "1"}).kind == "unreadable_item"


def test_version_1_is_recognised_and_refused_with_a_reason():
    item = only(example("v1_received_text"))

    assert item.kind == "legacy"
    assert "version 2" in item.reason


def test_other_items_are_told_apart_by_what_they_say():
    one, two = (only({"n": n}, "whatsapp.x") for n in (1, 2))

    assert one.item_key != two.item_key
    assert one.item_key == only({"n": 1}, "whatsapp.x").item_key


# --- Meta's raw form ------------------------------------------------------------------------------------


def test_a_raw_text_is_read():
    item = only(example("meta_text"), event="")

    assert parse(orjson.dumps(example("meta_text"))).event == "meta.messages"
    assert (item.body, item.phone_number_id) == ("Does it come in another color?", "106540352242922")
    assert item.sender == WhoIs(
        phone="+16505551234", wa_id="16505551234", bsuid="US.13491208655302741918", name="Sheena Nelson"
    )


def test_a_raw_status_is_read():
    item = only(example("meta_delivered"), event="")

    assert isinstance(item, Receipt)
    assert (item.status, item.recipient.phone, item.at) == (
        "delivered",
        "+16505551234",
        datetime(2025, 11, 20, 20, 0, tzinfo=UTC),
    )


def test_many_updates_in_one_body_keep_their_order_and_their_names():
    no_number, japanese, sent, failed, warning, echo, account = items(example("meta_many"), event="")

    assert no_number.sender == WhoIs(bsuid="US.13491208655302741918", username="@sheena", name="Sheena Nelson")
    assert (japanese.sender.name, japanese.body, japanese.reply_to) == ("山田 花子", "営業時間", "wamid.asked")
    assert (sent.status, sent.callback_data) == ("sent", "ours-1")
    assert (failed.status, failed.error_code, failed.error_details) == ("failed", "131026", "Message Undeliverable.")
    assert warning.kind == "status.warning"
    assert isinstance(echo, Sent)
    assert (echo.origin, echo.recipient.phone, echo.phone_number_id) == (
        "business_app",
        "+16505551234",
        "106540352242923",
    )
    assert account.kind == "meta.account_update"


@pytest.mark.parametrize("path", ["messages", "statuses"])
@pytest.mark.parametrize("bad", [None, 7, [], {}, {"id": 5}, {"from": "16505551234"}])
def test_a_bad_raw_update_does_not_disturb_its_siblings(path, bad):
    data = example("meta_many")
    change = data["entry"][0]["changes"][0 if path == "messages" else 1]
    change["value"][path].insert(0, bad)

    found = items(data, event="")

    assert len(found) == 8
    assert sum(isinstance(item, Inbound | Receipt | Sent) for item in found) == 5


@pytest.mark.parametrize(
    "entry",
    [
        None,
        [],
        [None],
        [{}],
        [{"changes": None}],
        [{"changes": [None]}],
        [{"changes": [{"field": "messages"}]}],
        [{"changes": [{"field": "messages", "value": {}}]}],
        [{"changes": [{"field": [], "value": {"messages": 1}}]}],
    ],
)
def test_odd_raw_bodies_never_raise(entry):
    assert all(isinstance(item, Other) for item in items({"object": "whatsapp_business_account", "entry": entry}))


# --- Bodies and keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"{} x",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":"\xff"}',
        b'{"a":"raw \x00 byte"}',
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b"\xff\xfe{\x00}\x00",
        b"message=form",
    ],
)
def test_a_body_no_provider_would_send_is_unreadable(body):
    with pytest.raises(Unreadable):
        parse(body, event=RECEIVED)


def test_a_wide_body_is_not_taken_for_a_deep_one():
    assert len(load_object(b'{"a":[' + b",".join([b"[]"] * 500) + b"]}")["a"]) == 500
    assert load_object(b'{"a":' * 63 + b"1" + b"}" * 63)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (rb"a\u0000b", "ab"),
        (rb"\u0000\u0000", ""),
        (rb"\\u0000", "\\u0000"),
        (rb"\\\u0000", "\\"),
        (rb"half \ud83d", "half \ufffd"),
        (rb"half \ude00!", "half \ufffd!"),
        (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\u0000\ud83d\ude00", "\U0001f600"),
        (rb"\\ud83d \ud83d", "\\ud83d \ufffd"),
    ],
)
def test_escapes_that_no_database_can_hold_are_mended(raw, text):
    body = orjson.dumps(received(text={"body": "HERE"})).replace(b'"body":"HERE"', b'"body":"' + raw + b'"')

    (item,) = parse(body, event=RECEIVED).items

    assert isinstance(item, Inbound)
    assert item.body == text


def test_the_provider_s_key_makes_a_delivery_unique_or_else_its_body():
    assert parse(b"{}", idempotency_key=" 0d9b7a52 ").event_key == "0d9b7a52"
    assert event_key("", b"{}") == event_key("  ", b"{}") != event_key("", b"{ }")
    assert len(event_key("k" * 5000, b"")) < 100
    assert event_key("k" * 5000, b"") != event_key("j" * 5000, b"")


def test_long_names_of_events_and_kinds_are_cut():
    delivery = parse(b"{}", event="e" * 5000)

    assert len(delivery.event) == 80
    assert len(only(example("v2_delivered") | {"message": {"type": "t" * 5000, "id": "1", "to": "1"}}).type) == 100


@pytest.mark.parametrize("name", ["kapso-received-text", "kapso-received-batch"])
def test_the_examples_of_the_documentation_are_for_the_demo_number(name):
    found = parse((EXAMPLES / f"{name}.json").read_bytes(), event=RECEIVED).items

    assert found
    assert {item.phone_number_id for item in found} == {"100000000000001"}
    assert all(isinstance(item, Inbound) for item in found)


@pytest.mark.parametrize("name", sorted(path.stem for path in PAYLOADS.glob("*.json")))
def test_no_mutilation_of_an_example_raises(name):
    chance = random.Random(name)
    whole = example(name)
    for _ in range(300):
        data = copy.deepcopy(whole)
        for _ in range(chance.randint(1, 3)):
            mutilate(data, chance)
        for item in parse(orjson.dumps(data), event=chance.choice(["", RECEIVED, "whatsapp.message.read"])).items:
            assert item.item_key
            assert isinstance(item.peer_key, str)


def mutilate(data: Any, chance: random.Random) -> None:
    """Replaces, or drops, something anywhere inside."""
    while isinstance(data, dict | list) and data:
        keys = list(data) if isinstance(data, dict) else list(range(len(data)))
        key = chance.choice(keys)
        if not isinstance(data[key], dict | list) or not data[key] or chance.random() < 0.3:
            if chance.random() < 0.3:
                del data[key]
            else:
                data[key] = chance.choice([None, True, 0, -1, 1.5, "", "x", [], {}, [{}], {"id": 1}, [None], "\x00"])
            return
        data = data[key]
