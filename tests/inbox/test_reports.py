"""Reports: every number by hand, who may see them, and what never counts."""

import csv
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client

from crm.ids import uuid7_at
from crm.models import Contact, Member, User
from inbox.models import Conversation, Message
from inbox.reports import queries
from inbox.reports.asked import Asked
from inbox.reports.queries import ReportTooSlow, get_choices, get_report
from inbox.services.conversations import set_status
from inbox.states import ChannelKind, ConversationStatus, Direction, MessageStatus, Scope, SenderKind
from tests.api import Api
from tests.cast import Cast, make_channel, make_workspace, receive, unique

NOW = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)  # a Wednesday
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""


class Book:
    """Writes conversations of the past as the services would have left them."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast

    def talk(self, began: datetime, **fields: Any) -> Conversation:
        cast = self.cast
        contact = Contact.objects.create(workspace=fields.get("workspace", cast.workspace), name=unique("Lucía"))
        values: dict[str, Any] = {
            "id": uuid7_at(began),
            "workspace": cast.workspace,
            "channel": cast.channel,
            "contact": contact,
            "last_activity_at": began,
            **fields,
        }
        talk = Conversation.objects.create(**values)
        Conversation.objects.filter(pk=talk.pk).update(created_at=began)
        talk.created_at = began
        return talk

    def say(self, talk: Conversation, at: datetime, direction: Direction, by: User | None = None, **more: Any) -> None:
        kinds = {Direction.IN: SenderKind.CONTACT, Direction.OUT: SenderKind.MEMBER}
        values: dict[str, Any] = {
            "id": uuid7_at(at),
            "workspace_id": talk.workspace_id,
            "conversation": talk,
            "channel_id": talk.channel_id,
            "direction": direction,
            "sender_kind": kinds.get(direction, SenderKind.MEMBER),
            "sender_user": by,
            "body": "…",
            "status": MessageStatus.SENT if direction == Direction.OUT else MessageStatus.RECEIVED,
            **more,
        }
        message = Message.objects.create(**values)
        Message.objects.filter(pk=message.pk).update(created_at=at)
        Conversation.objects.filter(pk=talk.pk, last_activity_at__lt=at).update(last_activity_at=at)

    def asks(self, talk: Conversation, at: datetime, **more: Any) -> None:
        self.say(talk, at, Direction.IN, **more)

    def answers(self, talk: Conversation, at: datetime, by: User | None, **more: Any) -> None:
        self.say(talk, at, Direction.OUT, by, **more)

    def stands(self, talk: Conversation, at: datetime, kind: str, before: str, by: User | None = None) -> None:
        status = {"resolved": "resolved"}.get(kind, "open")
        detail = {"activity": {"status": status, "before": before, "until": None}}
        kinds = SenderKind.MEMBER if by else SenderKind.SYSTEM
        self.say(talk, at, Direction.ACTIVITY, by, type=kind, detail=detail, sender_kind=kinds)

    def report(self, period: str = "7", **asked: Any) -> Any:
        actor = self.cast.actor(self.cast.vic)
        return get_report(actor, Asked(period, **asked), get_choices(actor), now=NOW)

    def figures(self, period: str = "7", **asked: Any) -> Any:
        return self.report(period, **asked)["figures"]


@pytest.fixture
def book(cast: Cast) -> Book:
    return Book(cast)


def agent(report: Any, user: User) -> Any:
    return next((row for row in report["agents"] if row["id"] == user.pk), None)


# --- First replies ----------------------------------------------------------------------------------------------------


def test_the_first_reply_is_a_persons_to_the_first_message_that_waits(book: Book) -> None:
    began = NOW - 2 * DAY
    talk = book.talk(began)
    book.answers(talk, began, None, sender_kind=SenderKind.BOT)  # a template that nobody had asked for
    book.asks(talk, began + 10 * MINUTE)
    book.asks(talk, began + 11 * MINUTE)
    book.answers(talk, began + 12 * MINUTE, book.cast.ada, sender_kind=SenderKind.BOT)
    book.answers(talk, began + 14 * MINUTE, book.cast.ben)
    book.answers(talk, began + 15 * MINUTE, book.cast.bea)
    report = book.report()
    assert report["figures"]["first_reply"] == {"median_seconds": 240.0, "before_seconds": None, "count": 1}
    assert [bar["count"] for bar in report["first_replies"]] == [0, 0, 1, 0, 0, 0]
    assert [row["name"] for row in report["agents"]] == ["Ben"]
    assert agent(report, book.cast.ben)["within_goal"] == 1.0


def test_who_wrote_first_and_reactions_are_no_replies(book: Book) -> None:
    talk = book.talk(NOW - DAY)
    book.answers(talk, NOW - DAY, book.cast.ben)
    book.asks(talk, NOW - DAY + HOUR)
    book.answers(talk, NOW - DAY + HOUR + MINUTE, book.cast.ben, type="reaction")
    assert book.figures()["first_reply"]["count"] == 0
    book.answers(talk, NOW - DAY + 3 * HOUR, None, sender_kind=SenderKind.SYSTEM)  # from the phone itself
    report = book.report()
    assert report["figures"]["first_reply"]["median_seconds"] == 7200.0
    assert [bar["count"] for bar in report["first_replies"]] == [0, 0, 0, 0, 0, 1]
    assert report["agents"] == []


def test_medians_and_bars_and_the_goal(book: Book) -> None:
    for seconds, by in ((30, "ben"), (60, "ben"), (179, "bea"), (600, "ben"), (601, "ben"), (3600, "ben")):
        talk = book.talk(NOW - 5 * HOUR)
        book.asks(talk, NOW - 5 * HOUR)
        book.answers(talk, NOW - 5 * HOUR + timedelta(seconds=seconds), getattr(book.cast, by))
    report = book.report()
    assert report["figures"]["first_reply"]["median_seconds"] == (179 + 600) / 2
    assert [bar["count"] for bar in report["first_replies"]] == [1, 2, 0, 2, 0, 1]
    assert agent(report, book.cast.ben)["within_goal"] == 3 / 5
    assert agent(report, book.cast.ben)["first_reply_median_seconds"] == 600.0
    assert [bar["count"] for bar in book.report(agent_id=book.cast.bea.pk)["first_replies"]] == [0, 1, 0, 0, 0, 0]


# --- Resolving --------------------------------------------------------------------------------------------------------


def test_each_resolving_counts_from_opening_or_from_the_last_reopening(book: Book) -> None:
    talk = book.talk(NOW - 3 * DAY)
    book.asks(talk, NOW - 3 * DAY)
    book.stands(talk, NOW - 3 * DAY + HOUR, "resolved", "open", book.cast.ben)
    book.stands(talk, NOW - 2 * DAY, "reopened", "resolved")
    book.stands(talk, NOW - 2 * DAY + HOUR, "snoozed", "open", book.cast.bea)
    book.stands(talk, NOW - 2 * DAY + 2 * HOUR, "woken", "snoozed")
    book.stands(talk, NOW - 2 * DAY + 3 * HOUR, "resolved", "open", book.cast.bea)
    report = book.report()
    assert report["figures"]["resolved_in"] == {"median_seconds": 7200.0, "before_seconds": None, "count": 2}
    assert agent(report, book.cast.ben)["resolved_median_seconds"] == 3600.0
    assert agent(report, book.cast.bea)["resolved_median_seconds"] == 3 * 3600.0


def test_it_counts_what_the_product_itself_writes(cast: Cast) -> None:
    talk, ben = receive(cast), cast.actor(cast.ben)
    for status in (ConversationStatus.RESOLVED, ConversationStatus.OPEN, ConversationStatus.RESOLVED):
        set_status(actor=ben, conversation_id=talk.pk, status=status)
    report = Api(cast.vic).of(cast.workspace.slug).get("reports/", period="7").json()
    assert report["figures"]["resolved_in"]["count"] == 2
    assert report["figures"]["conversations"] == {"count": 1, "before": 0}
    assert report["agents"][0]["resolved"] == 2
    assert sum(day["in"] for day in report["days"]) == 1


def test_ratings_go_to_whose_the_chat_was(book: Book) -> None:
    cast = book.cast
    for rating, assignee in ((5, cast.ben), (4, cast.ben), (None, cast.ben), (1, cast.bea)):
        talk = book.talk(NOW - DAY, rating=rating, assignee=assignee)
        book.stands(talk, NOW - HOUR, "resolved", "open")  # ended by the customer
    report = book.report()
    assert (agent(report, cast.ben)["rating"], agent(report, cast.ben)["ratings"]) == (4.5, 2)
    assert agent(report, cast.bea)["rating"] == 1.0
    assert agent(report, cast.ben)["resolved"] == 0
    assert report["figures"]["resolved_in"]["count"] == 4


def test_who_has_left_is_named(book: Book) -> None:
    cast = book.cast
    talk = book.talk(NOW - DAY)
    book.stands(talk, NOW - HOUR, "resolved", "open", cast.bea)
    Member.objects.filter(workspace=cast.workspace, user=cast.bea).delete()
    row = agent(book.report(), cast.bea)
    assert (row["name"], row["has_left"], row["resolved"]) == ("Bea", True, 1)


# --- Messages ---------------------------------------------------------------------------------------------------------


def test_days_and_hours_are_the_workspaces(book: Book) -> None:
    book.cast.workspace.timezone = "Asia/Kolkata"  # five and a half hours ahead
    book.cast.workspace.save()
    talk = book.talk(NOW - 6 * DAY)
    book.asks(talk, datetime(2026, 3, 16, 18, 29, tzinfo=UTC))  # 23:59 there
    book.asks(talk, datetime(2026, 3, 16, 18, 30, tzinfo=UTC))  # midnight there
    book.answers(talk, datetime(2026, 3, 17, 18, 30, tzinfo=UTC), book.cast.ben)
    report = book.report()
    days = {str(day["date"]): (day["in"], day["out"]) for day in report["days"]}
    assert list(days) == [f"2026-03-{day}" for day in range(12, 19)]
    assert (days["2026-03-16"], days["2026-03-17"], days["2026-03-18"]) == ((1, 0), (1, 0), (0, 1))
    assert (report["hours"][0][23], report["hours"][1][0], sum(map(sum, report["hours"]))) == (1, 1, 2)
    assert report["period"]["timezone"] == "Asia/Kolkata"
    assert report["period"]["begins"] == datetime(2026, 3, 12, tzinfo=ZoneInfo("Asia/Kolkata"))


def test_the_period_before_is_as_long_as_this_one_so_far(book: Book) -> None:
    talk = book.talk(NOW - 30 * DAY)
    before = NOW - 7 * DAY
    for at in (before - MINUTE, before + MINUTE, NOW - MINUTE, NOW - 2 * MINUTE):
        book.talk(at)
        book.answers(talk, at, book.cast.ben)
    book.answers(talk, before - HOUR, book.cast.ben, status=MessageStatus.FAILED, error_code="131026")
    figures = book.figures()
    assert figures["conversations"] == {"count": 2, "before": 1}
    assert figures["not_delivered"] == {"count": 0, "sent": 2, "share": 0.0, "before_share": 0.5}


def test_what_failed_has_its_code_and_its_meaning(book: Book) -> None:
    sms = make_channel(book.cast.workspace, ChannelKind.TWILIO)
    talk, other = book.talk(NOW - DAY), book.talk(NOW - DAY, channel=sms)
    for _ in range(2):
        book.answers(talk, NOW - HOUR, book.cast.ben, status=MessageStatus.FAILED, error_code="131047")
    book.answers(talk, NOW - HOUR, book.cast.ben, status=MessageStatus.UNKNOWN)
    book.answers(talk, NOW - HOUR, book.cast.ben)
    book.answers(other, NOW - HOUR, book.cast.ben, status=MessageStatus.FAILED, error_code="21610")
    report = book.report()
    assert [(one["code"], one["count"]) for one in report["failures"]] == [("131047", 2), ("", 1), ("21610", 1)]
    assert "24 hours" in report["failures"][0]["message"]
    assert "STOP" in report["failures"][2]["message"]
    assert report["figures"]["not_delivered"]["share"] == 4 / 5
    assert [one["code"] for one in book.report(channel_id=sms.pk)["failures"]] == ["21610"]


def test_who_waits_now_and_since_when(book: Book) -> None:
    book.talk(NOW - 40 * DAY, waiting_since=NOW - 3 * HOUR)
    book.talk(NOW - DAY, waiting_since=NOW - HOUR, assignee=book.cast.ben)
    book.talk(NOW - DAY)
    book.talk(NOW - DAY, waiting_since=NOW - 9 * HOUR, status=ConversationStatus.RESOLVED)
    assert book.figures()["waiting"] == {"count": 2, "longest_since": NOW - 3 * HOUR}
    assert book.figures(agent_id=book.cast.ben.pk)["waiting"]["count"] == 1


# --- What never counts ------------------------------------------------------------------------------------------------


def test_exams_notes_spam_and_what_is_gone_or_elsewhere_never_count(book: Book) -> None:
    cast = book.cast
    first = book.talk(NOW - DAY)
    elsewhere = make_channel(cast.elsewhere)
    apart = [
        book.talk(NOW - DAY, scope=Scope.EXAM),
        book.talk(NOW - DAY, spam_at=NOW),
        book.talk(NOW - DAY, deleted_at=NOW),
        book.talk(NOW - DAY, merged_into=first),
        book.talk(NOW - DAY, workspace=cast.elsewhere, channel=elsewhere),
    ]
    for talk in apart:
        book.asks(talk, NOW - 5 * HOUR)
        book.answers(talk, NOW - 4 * HOUR, cast.ben, status=MessageStatus.FAILED, error_code="131047")
        book.stands(talk, NOW - 3 * HOUR, "resolved", "open", cast.ben)
        Conversation.objects.filter(pk=talk.pk).update(waiting_since=NOW - HOUR, rating=5)
    book.say(first, NOW - HOUR, Direction.NOTE, cast.ben)
    book.asks(first, NOW - HOUR, deleted_at=NOW)
    book.asks(first, NOW - HOUR, detail={"blocked": True})
    report = book.report()
    assert report["figures"] == {
        "first_reply": {"median_seconds": None, "before_seconds": None, "count": 0},
        "resolved_in": {"median_seconds": None, "before_seconds": None, "count": 0},
        "conversations": {"count": 1, "before": 0},
        "waiting": {"count": 0, "longest_since": None},
        "not_delivered": {"count": 0, "sent": 0, "share": None, "before_share": None},
    }
    assert sum(day["in"] + day["out"] for day in report["days"]) == 0
    assert (report["failures"], report["agents"]) == ([], [])


# --- Who sees it, and how ---------------------------------------------------------------------------------------------


def test_who_gets_the_page_and_the_numbers(cast: Cast) -> None:
    slug = cast.workspace.slug
    page = {"ada": 200, "ben": 200, "vic": 200, "tia": 403, "cleo": 404, "sam": 404}
    assert {name: Api(getattr(cast, name)).get("/reports", workspace=slug).status_code for name in page} == page
    rest = page | {"sam": 404}
    for path in ("reports/", "reports/report.csv"):
        answers = {name: Api(getattr(cast, name)).of(slug).get(path).status_code for name in rest}
        assert answers == rest
    assert Client().get("/reports").status_code == 302
    assert Api().of(slug).get("reports/").status_code == 401


def test_wrong_parameters_are_named_over_rest_and_mean_nothing_on_the_page(cast: Cast) -> None:
    api = Api(cast.ben).of(cast.workspace.slug)
    for wrong in ({"period": "8"}, {"channel": "none-such"}, {"agent": "ben"}):
        answer = api.get("reports/", **wrong)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, list(wrong))
        assert Api(cast.ben).get("/reports", **wrong).status_code == 200
    assert api.get("reports/", agent="me").json()["agent"] == str(cast.ben.pk)
    hidden = make_channel(make_workspace("other"))
    assert api.get("reports/", channel=hidden.slug).status_code == 400


def test_the_page_says_what_rest_says(book: Book, cast: Cast) -> None:
    now = datetime.now(UTC)
    talk = book.talk(now - HOUR, waiting_since=now - 20 * MINUTE)
    book.asks(talk, now - HOUR)
    book.answers(talk, now - 56 * MINUTE - timedelta(seconds=36), cast.ben)
    text = Api(cast.vic).get("/reports").content.decode()
    assert 'data-figure="first-reply"><bdi>3 m 24<' in text
    assert 'data-figure="conversations"><bdi>1<' in text
    assert "longest 20 m" in text
    assert "100 %" in text
    assert 'href="/reports" aria-current="page"' in text
    assert "Open outbox" not in text
    assert "Open outbox" in Api(cast.ada).get("/reports").content.decode()


def test_what_takes_too_long_is_said_and_not_tried_again_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def slow(*_args: Any) -> Any:
        asked.append(1)
        with connection.cursor() as cursor:
            cursor.execute("select set_config('statement_timeout', '1', true), pg_sleep(0)")
            cursor.execute("select pg_sleep(30)")

    monkeypatch.setattr(queries, "count_messages", slow)
    answer = Api(cast.ben).of(cast.workspace.slug).get("reports/", period="90")
    assert (answer.status_code, answer.json()["code"]) == (422, "too_slow")
    page = Api(cast.ben).get("/reports", period="90")
    assert page.status_code == 200
    assert ReportTooSlow.message in page.content.decode()
    assert len(asked) == 1


def test_it_counts_in_its_time_and_in_memory(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def settings() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("select current_setting('statement_timeout'), current_setting('work_mem')")
            return cursor.fetchone()

    counted: list[Any] = []
    before = settings()

    def count(*_given: Any) -> list[Any]:
        counted.append(settings())
        return []

    monkeypatch.setattr(queries, "count_talks", count)
    assert Api(cast.ben).of(cast.workspace.slug).get("reports/", period="28").status_code == 200
    assert counted == [("8s", "32MB")]
    assert settings() == before


def test_a_spreadsheet_takes_no_name_for_a_formula(book: Book, cast: Cast) -> None:
    User.objects.filter(pk=cast.ben.pk).update(name="=1+1")
    now = datetime.now(UTC)
    talk = book.talk(now - HOUR)
    book.asks(talk, now - HOUR)
    book.answers(talk, now - HOUR + MINUTE, cast.ben)
    answer = Api(cast.ada).of(cast.workspace.slug).get("reports/report.csv", period="7")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert answer["Content-Disposition"] == 'attachment; filename="report.csv"'
    assert {row["of"] for row in rows if row["part"] == "agents"} == {"'=1+1"}
    assert next(row for row in rows if row["of"] == "first_reply")["value"] == "60.0"
    assert len([row for row in rows if row["part"] == "messages"]) == 14


def test_the_page_costs_few_statements_and_fewer_within_the_minute(
    cast: Cast, assert_queries: Callable[[int], AbstractContextManager[None]]
) -> None:
    api = Api(cast.ben)
    api.get("/reports", period="90")  # whatever is read once for all
    with assert_queries(12):
        api.get("/reports", period="7")
    with assert_queries(6):
        api.get("/reports", period="7")
