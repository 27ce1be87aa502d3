import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from inbox.clients import kapso, kapso_errors
from inbox.clients.outgoing import Kind, Outgoing
from jobs import http
from jobs.errors import ProviderError

NUMBER_ID = "100000000000001"
BASE = f"https://kapso.test/meta/whatsapp/v24.0/{NUMBER_ID}"
SINCE = datetime(2025, 11, 20, 20, 0, tzinfo=UTC)
OURS = "0197a7c0-0000-7000-8000-000000000001"


class Provider:
    """Stands where the network would be: hands out prepared answers and keeps what it was asked."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.answers: list[http.Response] = []

    def answer(self, status: int, data: Any = None, *, content: bytes | None = None, **headers: Any) -> None:
        raw = orjson.dumps(data) if content is None else content
        named = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()})
        self.answers.append(http.Response(status, named, raw, "kapso.test", maybe_sent=True))

    def request(self, method: str, url: str, **more: Any) -> http.Response:
        self.calls.append({"method": method, "url": url, **more, "params": dict(more.get("params") or {})})
        return self.answers.pop(0)


@pytest.fixture
def provider(monkeypatch, settings):
    settings.KAPSO_API_URL = "https://kapso.test"
    stub = Provider()
    monkeypatch.setattr(http, "request", stub.request)
    return stub


def send(**changes: Any) -> kapso.Accepted:
    return _client(changes).send(_message(changes))


def find(**changes: Any) -> kapso.Accepted | None:
    known = changes.pop("known", ())
    return _client(changes).find_sent(_message(changes), since=SINCE, known=known)


def _client(changes: dict[str, Any]) -> kapso.KapsoClient:
    return kapso.KapsoClient(
        api_key=changes.pop("api_key", "key"), phone_number_id=changes.pop("phone_number_id", NUMBER_ID)
    )


def _message(changes: dict[str, Any]) -> Outgoing:
    return Outgoing(**{"kind": Kind.TEXT, "to": "+15551234567", "body": "Hello", "callback_data": OURS, **changes})


def accepted(provider_id: str = "wamid.1", wa_id: str = "15551234567") -> dict[str, Any]:
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "+15551234567", "wa_id": wa_id}],
        "messages": [{"id": provider_id}],
    }


def refused(provider: Provider, status: int, data: Any, **headers: Any) -> ProviderError:
    provider.answer(status, data, **headers)
    with pytest.raises(ProviderError) as caught:
        send()
    return caught.value


def graph(code: int, **more: Any) -> dict[str, Any]:
    return {"error": {"message": f"(#{code}) Something", "type": "OAuthException", "code": code, **more}}


# --- Sending --------------------------------------------------------------------------------------------


def test_a_text_goes_out_as_the_provider_documents_it(provider):
    provider.answer(200, accepted())

    assert send(reply_to="wamid.asked") == kapso.Accepted("wamid.1", "15551234567")
    (call,) = provider.calls
    assert (call["method"], call["url"], call["headers"]["X-API-Key"]) == ("POST", f"{BASE}/messages", "key")
    assert call["json"] == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+15551234567",
        "type": "text",
        "text": {"body": "Hello"},
        "context": {"message_id": "wamid.asked"},
        "biz_opaque_callback_data": OURS,
    }


@pytest.mark.parametrize("to", ["15551234567", "+15551234567", "+1 (555) 123-4567", "whatsapp:+15551234567"])
def test_a_number_always_leaves_with_its_plus(provider, to):
    provider.answer(200, accepted())

    send(to=to)

    assert provider.calls[0]["json"]["to"] == "+15551234567"


def test_a_person_without_a_number_is_addressed_by_the_user_id(provider):
    provider.answer(200, accepted())

    send(to="US.13491208655302741918")

    assert provider.calls[0]["json"]["recipient"] == "US.13491208655302741918"
    assert "to" not in provider.calls[0]["json"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": ""}, "no_recipient"),
        ({"to": "nobody"}, "no_recipient"),
        ({"to": "1" * 16}, "no_recipient"),
        ({"api_key": ""}, "no_key"),
        ({"api_key": "a\nb"}, "no_key"),
        ({"api_key": "schlüssel"}, "no_key"),
        ({"phone_number_id": ""}, "bad_channel"),
        ({"phone_number_id": "../admin"}, "bad_channel"),
        ({"phone_number_id": "1?x=y"}, "bad_channel"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anybody_is_called(provider, change, code):
    with pytest.raises(ProviderError) as caught:
        send(**change)

    assert (caught.value.code, caught.value.permanent, caught.value.maybe_sent) == (code, True, False)
    assert provider.calls == []


@pytest.mark.parametrize(
    "data", [None, [], {}, {"messages": []}, {"messages": [{}]}, {"messages": [{"id": 5}]}, {"messages": {"id": "x"}}]
)
def test_an_acceptance_without_an_id_may_have_been_sent(provider, data):
    error = refused(provider, 200, data)

    assert (error.maybe_sent, error.permanent) == (True, False)


def test_an_acceptance_that_is_no_json_may_have_been_sent(provider):
    provider.answer(200, content=b"<html>")

    with pytest.raises(ProviderError) as caught:
        send()

    assert caught.value.maybe_sent


def test_an_acceptance_without_contacts_is_good_enough(provider):
    provider.answer(200, {"messages": [{"id": "wamid.1", "message_status": "accepted"}]})

    assert send() == kapso.Accepted("wamid.1", "")


# --- Refusals -------------------------------------------------------------------------------------------

RETRIED = {130429, 131056, 131048, 80007, 4, 131000, 131016, 1, 2}


@pytest.mark.parametrize("code", sorted(kapso_errors.MEANINGS))
def test_every_known_code_says_whether_to_try_again_and_why_in_plain_words(provider, code):
    error = refused(provider, 400, graph(code))

    assert error.code == str(code)
    assert error.permanent is (code not in RETRIED)
    assert not error.maybe_sent
    assert len(error.message) > 20
    assert error.message.endswith(".")
    assert str(code) not in error.message
    assert kapso.explain(str(code)) == error.message


def test_the_closed_window_is_told_as_the_reference_has_it(provider):
    error = refused(
        provider,
        400,
        graph(131047, error_data={"details": "More than 24 hours"}, error_subcode=2494073),
    )

    assert (error.code, error.permanent, error.retry_after) == ("131047", True, None)
    assert "24 hours" in error.message


@pytest.mark.parametrize(
    ("status", "permanent", "maybe_sent"),
    [
        (302, True, False),
        (400, True, False),
        (401, True, False),
        (403, True, False),
        (404, True, False),
        (408, False, False),
        (409, False, False),
        (413, True, False),
        (422, True, False),
        (429, False, False),
        (500, False, True),
        (502, False, True),
        (503, False, True),
        (504, False, True),
    ],
)
@pytest.mark.parametrize("data", [{"error": "Some words", "message": "More words"}, None, [], "text", {"error": None}])
def test_kapso_s_own_refusals_are_judged_by_the_status(provider, status, permanent, maybe_sent, data):
    error = refused(provider, status, data)

    assert (error.permanent, error.maybe_sent, error.code) == (permanent, maybe_sent, f"http_{status}")
    assert "words" not in error.message


def test_a_page_instead_of_json_is_judged_by_the_status(provider):
    provider.answer(502, content=b"<html>Bad gateway</html>")

    with pytest.raises(ProviderError) as caught:
        send()

    assert caught.value.maybe_sent


@pytest.mark.parametrize(
    ("status", "code", "maybe_sent"),
    [(500, 131000, False), (500, 131047, False), (500, 1, True), (500, 2, True), (503, 999999, True), (400, 2, False)],
)
def test_a_server_error_may_have_been_sent_unless_its_code_proves_otherwise(provider, status, code, maybe_sent):
    assert refused(provider, status, graph(code)).maybe_sent is maybe_sent


def test_an_unknown_code_is_final_unless_it_is_said_to_pass(provider):
    assert refused(provider, 400, graph(999999)).permanent
    assert not refused(provider, 400, graph(999999, is_transient=True)).permanent


def test_a_number_that_is_not_there_is_told_from_a_bad_parameter(provider):
    gone, bad = refused(provider, 400, graph(100, error_subcode=33)), refused(provider, 400, graph(100))

    assert "reconnect" in gone.message
    assert "content" in bad.message


@pytest.mark.parametrize(
    ("status", "data", "headers", "pause"),
    [
        (429, {"error": "Rate limit exceeded", "message": "Wait"}, {"retry_after": "60"}, 60.0),
        (429, {"error": "Rate limit exceeded", "message": "Wait"}, {}, 60.0),
        (429, {"error": "Rate limit exceeded", "message": "Wait"}, {"retry_after": "999999"}, 3600.0),
        (409, {"error": "Conflict", "message": "In flight"}, {}, 2.0),
        (400, graph(131056), {}, 6.0),
        (400, graph(131056), {"retry_after": "9"}, 9.0),
        (400, graph(131047), {"retry_after": "9"}, None),
        (500, {"error": "Oops"}, {}, None),
    ],
)
def test_pauses_are_the_provider_s_or_the_code_s(provider, status, data, headers, pause):
    assert refused(provider, status, data, **headers).retry_after == pause


@pytest.mark.parametrize(
    "error", [{"code": None}, {"code": True}, {"code": "x"}, {"code": "131047"}, {"code": 1.5}, {}, []]
)
def test_odd_error_objects_are_read_all_the_same(provider, error):
    assert refused(provider, 400, {"error": error}).permanent


def test_an_unknown_code_in_a_status_is_explained_by_its_title():
    assert kapso.explain("131026").startswith("It cannot be delivered")
    assert kapso.explain("77", "Provider's title") == "Provider's title"
    assert kapso.explain("", "") == kapso.explain("no_number") == "The provider refused this message."


# --- Looking up ---------------------------------------------------------------------------------------------


def listed(
    provider_id: str, *, to: str = "15551234567", body: str = "Hello", at: int = 10, **more: Any
) -> dict[str, Any]:
    stamp = str(int((SINCE + timedelta(seconds=at)).timestamp()))
    return {"id": provider_id, "type": "text", "to": to, "text": {"body": body}, "timestamp": stamp, **more}


def page(*rows: Any, after: str | None = None) -> dict[str, Any]:
    return {"data": list(rows), "paging": {"cursors": {"before": "b", "after": after or "end"}, "next": after}}


def statuses(callback: str) -> dict[str, Any]:
    return {"direction": "outbound", "statuses": [{"status": "sent", "biz_opaque_callback_data": callback}]}


def test_nothing_listed_means_that_it_was_never_taken(provider):
    provider.answer(200, page())

    assert find() is None
    (call,) = provider.calls
    assert (call["method"], call["url"]) == ("GET", f"{BASE}/messages")
    assert call["params"]["direction"] == "outbound"
    assert call["params"]["since"] == "2025-11-20T19:59:00Z"


@pytest.mark.parametrize(
    "more",
    [{"biz_opaque_callback_data": OURS}, {"kapso": {"biz_opaque_callback_data": OURS}}, {"kapso": statuses(OURS)}],
)
def test_our_own_id_finds_the_message_wherever_it_is_echoed(provider, more):
    provider.answer(200, page(listed("wamid.other"), listed("wamid.ours", body="Changed", to="1", **more)))

    assert find() == kapso.Accepted("wamid.ours", "1")


def test_the_same_words_with_another_s_id_are_another_message(provider):
    provider.answer(200, page(listed("wamid.other", kapso=statuses("somebody-else"))))

    assert find() is None


def test_without_echo_the_oldest_with_the_same_words_to_the_same_person_counts(provider):
    provider.answer(
        200,
        page(
            listed("wamid.later", at=20),
            listed("wamid.first", at=5, to="+1 555 123 4567", body=" Hello\n"),
            listed("wamid.words", body="Hello!"),
            listed("wamid.person", to="15550000000"),
            listed("wamid.before", at=-61),
            {"id": "wamid.image", "type": "image", "to": "15551234567"},
            "nonsense",
            {},
        ),
    )

    assert find() == kapso.Accepted("wamid.first", "+1 555 123 4567")


def test_of_two_in_the_same_second_the_one_further_down_the_list_is_older(provider):
    provider.answer(200, page(listed("wamid.second", at=5), listed("wamid.first", at=5)))

    assert find() == kapso.Accepted("wamid.first", "15551234567")


def test_messages_that_are_accounted_for_are_passed_over(provider):
    provider.answer(200, page(listed("wamid.later", at=20), listed("wamid.first", at=5)))

    assert find(known={"wamid.first"}) == kapso.Accepted("wamid.later", "15551234567")


@pytest.mark.parametrize(
    ("to", "known_as"),
    [
        ("+5511987654321", "551187654321"),
        ("+525512345678", "5215512345678"),
        ("+5491123456789", "541123456789"),
        ("US.13491208655302741918", "US.13491208655302741918"),
    ],
)
def test_the_other_form_of_a_number_is_the_same_person(provider, to, known_as):
    provider.answer(200, page(listed("wamid.1", to=known_as)))

    found = find(to=to)

    assert found
    assert found.wa_id == known_as


def test_the_number_may_stand_in_kapso_s_extension(provider):
    row = listed("wamid.1", kapso={"phone_number": "+15551234567"})
    del row["to"]
    provider.answer(200, page(row))

    assert find() == kapso.Accepted("wamid.1", "+15551234567")


def test_every_page_is_read(provider):
    provider.answer(200, page(listed("wamid.a", body="x"), after="c1"))
    provider.answer(200, page(listed("wamid.b", body="y"), after="c2"))
    provider.answer(200, page(listed("wamid.c")))

    assert find() == kapso.Accepted("wamid.c", "15551234567")
    assert [call["params"].get("after") for call in provider.calls] == [None, "c1", "c2"]


def test_a_full_page_without_a_word_about_the_next_is_followed(provider):
    full = {"data": [listed(f"wamid.{n}", body="x") for n in range(100)], "paging": {"cursors": {"after": "c1"}}}
    provider.answer(200, full)
    provider.answer(200, {"data": [], "paging": {"cursors": {}}})

    assert find() is None
    assert len(provider.calls) == 2


@pytest.mark.parametrize("data", [[], None, {}, {"data": None}, {"data": {}}, {"error": "words"}], ids=json.dumps)
def test_a_list_that_cannot_be_read_is_never_taken_for_an_empty_one(provider, data):
    provider.answer(200, data)

    with pytest.raises(ProviderError) as caught:
        find()

    assert not caught.value.permanent
    assert not caught.value.maybe_sent


def test_a_list_that_goes_round_in_circles_is_never_taken_for_an_empty_one(provider):
    for _ in range(3):
        provider.answer(200, page(listed("wamid.a", body="x"), after="same"))

    with pytest.raises(ProviderError) as caught:
        find()

    assert caught.value.code == "endless_list"


def test_a_look_up_that_fails_has_sent_nothing(provider):
    provider.answer(500, {"error": "Oops"})

    with pytest.raises(ProviderError) as caught:
        find()

    assert (caught.value.maybe_sent, caught.value.permanent) == (False, False)


# --- The connection -----------------------------------------------------------------------------------------


def test_the_connection_tells_the_number(provider):
    provider.answer(200, {"id": NUMBER_ID, "display_phone_number": "+1 555-010-0001", "verified_name": "Demo"})

    found = kapso.KapsoClient("key", NUMBER_ID).check_connection()

    assert found == kapso.Connection(NUMBER_ID, "+1 555-010-0001", "Demo")


def test_a_wrong_key_is_told_in_words(provider):
    provider.answer(401, {"error": "Unauthorized"})

    with pytest.raises(ProviderError) as caught:
        kapso.KapsoClient("wrong", NUMBER_ID).check_connection()

    assert "API key" in caught.value.message
