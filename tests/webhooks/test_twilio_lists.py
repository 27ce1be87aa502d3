"""Twilio's lists come in pages: all of them are read, our key goes to nobody else, and an endless one is given up."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import orjson
import pytest

from inbox.clients.outgoing import Kind, Outgoing
from inbox.clients.twilio import TwilioClient
from jobs import http
from jobs.errors import ProviderError
from webhooks.backfill.pages import Row
from webhooks.backfill.twilio import TwilioSource

BASE, ACCOUNT = "https://api.twilio.com", "AC00000000000000000000000000000001"
LIST = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
NOW = datetime.now(UTC).replace(microsecond=0)
SINCE = NOW - timedelta(hours=2)
SOURCE = TwilioSource(account_sid=ACCOUNT, user=ACCOUNT, password="token", phone="+15550100002")
CLIENT = TwilioClient(account_sid=ACCOUNT, user=ACCOUNT, password="token", phone="+15550100002")

Answer = Callable[[str], dict[str, Any]]


class Twilio:
    """Answers by the address that was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Answer = lambda _address: {"messages": []}

    def request(self, method: str, url: str, *, params: Any = None, **_more: Any) -> http.Response:
        assert method == "GET"
        address = str(httpx.URL(url, params=params)) if params else url
        self.asked.append(address)
        content = orjson.dumps(self.answer(address))
        return http.Response(200, httpx.Headers(), content, "api.twilio.com", maybe_sent=False)


@pytest.fixture
def provider(monkeypatch: Any, settings: Any) -> Iterator[Twilio]:
    settings.TWILIO_API_URL = BASE
    provider = Twilio()
    monkeypatch.setattr(http, "request", provider.request)
    yield provider
    assert all(address.startswith(BASE) for address in provider.asked)


def message(sid: str, at: datetime, **fields: Any) -> dict[str, Any]:
    told = format_datetime(at)
    return {
        "sid": sid,
        "status": "received",
        "direction": "inbound",
        "from": "+34600000001",
        "to": "+15550100002",
        "body": f"Body of {sid}",
        "num_media": "0",
        "date_created": told,
        "date_sent": told,
        "date_updated": told,
        **fields,
    }


def page_of(address: str) -> int:
    return int(parse_qs(urlsplit(address).query).get("Page", ["0"])[0])


def is_first_list(address: str) -> bool:
    """Of the four: what came to us by text."""
    return "To" in parse_qs(urlsplit(address).query) and "whatsapp" not in address


def walk(source: TwilioSource = SOURCE, most: int = 60) -> list[Row]:
    rows: list[Row] = []
    cursor = ""
    for _ in range(most):
        page = source.page(SINCE, cursor)
        rows += page.rows
        cursor = page.cursor
        if not cursor:
            return rows
    raise AssertionError("the list does not end")


def following(number: int, host: str = "") -> str:
    return f"{host}{LIST}?To=%2B15550100002&PageSize=100&Page={number}&PageToken=PA{number}"


def test_every_page_of_every_list_is_read(provider: Twilio):
    def answer(address: str) -> dict[str, Any]:
        number = page_of(address)
        if not is_first_list(address):
            return {"messages": [], "next_page_uri": None}
        rows = [message(f"SM{number}{place}", NOW - timedelta(minutes=number)) for place in range(3)]
        return {"messages": rows, "next_page_uri": following(number + 1) if number < 4 else None}

    provider.answer = answer
    assert [row.provider_id for row in walk()] == [f"SM{number}{place}" for number in range(5) for place in range(3)]
    assert len(provider.asked) == 5 + 3


def test_what_is_older_than_asked_for_ends_its_list_and_not_the_others(provider: Twilio):
    def answer(address: str) -> dict[str, Any]:
        number = page_of(address)
        if not is_first_list(address):
            sid = f"SMother{len(provider.asked)}"
            return {"messages": [message(sid, NOW)], "next_page_uri": None}
        # The filter knows whole days: most of what comes is older than two hours.
        return {
            "messages": [message(f"SM{number}", NOW - timedelta(hours=number))],
            "next_page_uri": following(number + 1),
        }

    provider.answer = answer
    found = [row.provider_id for row in walk()]
    assert found[:3] == ["SM0", "SM1", "SM2"]
    assert len(found) == 3 + 3
    assert len([address for address in provider.asked if is_first_list(address)]) == 4


def test_a_page_of_which_nothing_can_be_read_is_passed_over(provider: Twilio):
    def answer(address: str) -> dict[str, Any]:
        number = page_of(address)
        if not is_first_list(address):
            return {"messages": []}
        rows: list[Any] = [{"sid": ""}, "nonsense", {"sid": "SMx", "date_sent": "soon"}] if number == 0 else []
        if number == 1:
            rows = [message("SM1", NOW)]
        return {"messages": rows, "next_page_uri": following(number + 1) if number < 1 else None}

    provider.answer = answer
    first = SOURCE.page(SINCE, "")
    assert (list(first.rows), first.unreadable) == ([], 3)
    assert [row.provider_id for row in walk()] == ["SM1"]


@pytest.mark.parametrize(
    "given",
    [
        following(1, "https://evil.example"),
        following(1, "//evil.example"),
        following(1, "https://api.twilio.com@evil.example"),
    ],
    ids=["host", "no-scheme", "userinfo"],
)
def test_the_next_page_is_asked_for_where_our_key_belongs(provider: Twilio, given: str):
    provider.answer = lambda address: {
        "messages": [message(f"SM{page_of(address)}", NOW)] if is_first_list(address) else [],
        "next_page_uri": given if is_first_list(address) and not page_of(address) else None,
    }
    assert [row.provider_id for row in walk()] == ["SM0", "SM1"]


def test_an_address_outside_of_the_lists_is_not_followed(provider: Twilio):
    provider.answer = lambda address: {"messages": [message("SM0", NOW)], "next_page_uri": "/v1/Secrets?Page=1"}
    assert len(walk()) == 4  # once for each list
    assert not any("Secrets" in address for address in provider.asked)


def test_a_list_that_names_itself_as_its_next_page_is_given_up(provider: Twilio):
    provider.answer = lambda _address: {"messages": [message("SM0", NOW)], "next_page_uri": following(1)}
    cursor = SOURCE.page(SINCE, "").cursor
    with pytest.raises(ProviderError) as refused:
        SOURCE.page(SINCE, cursor)
    assert (refused.value.code, refused.value.permanent) == ("endless_list", False)


@pytest.mark.parametrize("answer", [{}, {"messages": "x"}, {"messages": None}], ids=["none", "text", "null"])
def test_an_answer_of_another_form_is_said_to_be_one(provider: Twilio, answer: dict[str, Any]):
    provider.answer = lambda _address: answer
    with pytest.raises(ProviderError) as refused:
        SOURCE.page(SINCE, "")
    assert refused.value.code == "unreadable_answer"


# --- Looking for what may have been sent ----------------------------------------------------------------------------


def outgoing() -> Outgoing:
    return Outgoing(kind=Kind.TEXT, to="+34600000001", callback_data="01999999", body="Hello")


def sent(sid: str, at: datetime, body: str = "Hello") -> dict[str, Any]:
    return message(
        sid, at, direction="outbound-api", status="sent", body=body, to="+34600000001", **{"from": "+15550100002"}
    )


def test_what_we_sent_is_found_on_a_later_page(provider: Twilio):
    def answer(address: str) -> dict[str, Any]:
        number = page_of(address)
        rows = [sent(f"SM{number}", NOW - timedelta(minutes=number), body="Hello" if number == 2 else "Other")]
        return {"messages": rows, "next_page_uri": following(number + 1) if number < 3 else None}

    provider.answer = answer
    found = CLIENT.find_sent(outgoing(), since=SINCE)
    assert found is not None
    assert found.provider_id == "SM2"
    assert len(provider.asked) == 4  # to the end: an older one of the same words would be ours


def test_where_the_list_does_not_end_nothing_is_said_to_be_missing(provider: Twilio):
    provider.answer = lambda _address: {"messages": [sent("SM0", NOW, body="Other")], "next_page_uri": following(1)}
    with pytest.raises(ProviderError) as refused:
        CLIENT.find_sent(outgoing(), since=SINCE)
    assert refused.value.code == "endless_list"
    assert len(provider.asked) == 2
