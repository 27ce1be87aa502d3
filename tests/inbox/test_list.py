"""The list and the thread: pages by cursor, filters, and a number of queries that never grows with the rows."""

import pytest

from config.errors import Invalid
from crm.models import Member
from inbox import queries
from inbox.answers import list_answer, thread_answer
from inbox.counts import NOTHING
from inbox.models import Conversation, ConversationLabel, Label
from inbox.narrowing import ListFilter
from inbox.services.conversations import assign_conversation, mark_read
from tests.cast import make_user, receive, sender


@pytest.fixture
def busy(cast):
    """Twelve conversations, with labels, a third of them Ben's, some read."""
    label = Label.objects.create(workspace=cast.workspace, name="Billing", hue=2)
    for number in range(12):
        conversation = receive(cast, f"line l{number}", who=sender(name=f"Person p{number}"))
        ConversationLabel.objects.create(workspace=cast.workspace, conversation=conversation, label=label)
        if number % 3 == 0:
            assign_conversation(actor=cast.actor(cast.ada), conversation_id=conversation.pk, assignee_id=cast.ben.pk)
        if number % 4 == 0:
            mark_read(actor=cast.actor(cast.ben), conversation_id=conversation.pk)
    return cast


def walk(actor, wanted, limit):
    cursor, seen = None, []
    while True:
        found = queries.list_conversations(actor, wanted, cursor=cursor, limit=limit)
        seen += [row.pk for row in found.rows]
        if not found.next:
            return seen, found
        cursor = found.next


@pytest.mark.parametrize("order", ["newest", "waiting"])
def test_pages_join_without_gap_or_double_and_lead_back(busy, order):
    actor, wanted = busy.actor(busy.ben), ListFilter(order=order)
    whole, _ = walk(actor, wanted, 200)
    paged, last = walk(actor, wanted, 5)
    assert len(whole) == 12
    assert paged == whole
    back = queries.list_conversations(actor, wanted, cursor=last.previous, limit=5)
    assert [row.pk for row in back.rows] == whole[5:10]


def test_a_row_that_moves_up_between_pages_hides_no_other(busy):
    actor = busy.actor(busy.ben)
    first = queries.list_conversations(actor, ListFilter(), limit=5)
    last = Conversation.objects.filter(workspace=busy.workspace).order_by("last_activity_at").first()
    receive(busy, "me again", who=sender(last.peer_address))
    rest, _ = [], None
    cursor = first.next
    while cursor:
        found = queries.list_conversations(actor, ListFilter(), cursor=cursor, limit=5)
        rest += [row.pk for row in found.rows]
        cursor = found.next
    assert {row.pk for row in first.rows} | set(rest) | {last.pk} == set(
        Conversation.objects.filter(workspace=busy.workspace).values_list("pk", flat=True)
    )


@pytest.mark.parametrize(
    ("wanted", "how_many"),
    [
        (ListFilter(assignee="me"), 4),
        (ListFilter(assignee="none"), 8),
        (ListFilter(status="resolved"), 0),
        (ListFilter(unread=True), 9),
        (ListFilter(search="Person p11"), 1),
        (ListFilter(search="line l7"), 1),
        (ListFilter(scope="exam"), 0),
        (ListFilter(channel="no-such"), 0),
    ],
    ids=str,
)
def test_filters_narrow(busy, wanted, how_many):
    assert len(queries.list_conversations(busy.actor(busy.ben), wanted).rows) == how_many


def test_search_by_the_digits_of_a_number(busy):
    one = Conversation.objects.filter(workspace=busy.workspace).first()
    digits = one.contact.phone_normalized[-7:]
    found = queries.list_conversations(busy.actor(busy.ben), ListFilter(search=digits))
    assert [row.pk for row in found.rows] == [one.pk]


@pytest.mark.parametrize("limit", [2, 12])
@pytest.mark.parametrize("wanted", [ListFilter(), ListFilter(unread=True), ListFilter(order="waiting")], ids=str)
def test_the_list_takes_the_same_queries_for_two_rows_and_for_twelve(busy, assert_queries, limit, wanted):
    actor = busy.actor(busy.ben)
    with assert_queries(3):  # counts and number, the page with its labels, what was read
        answer = list_answer(actor, wanted, given={}, limit=limit)
    assert len(answer["results"]) == min(limit, 9 if wanted.unread else 12)
    assert answer["results"][0]["labels"] == [{"name": "Billing", "hue": 2}]


def test_a_newcomer_to_old_conversations_costs_no_query_more(busy, assert_queries):
    newcomer = make_user("nia")
    Member.objects.create(workspace=busy.workspace, user=newcomer, role="agent")
    for row in Conversation.objects.filter(workspace=busy.workspace)[:3]:
        receive(busy, "after you joined", who=sender(row.peer_address))
    actor = busy.actor(newcomer)
    with assert_queries(3):
        answer = list_answer(actor, ListFilter(), given={})
    assert sorted(row["unread_count"] for row in answer["results"]) == [0] * 9 + [1] * 3


@pytest.mark.parametrize("count", [1, 30])
def test_the_thread_takes_the_same_queries_however_long(cast, assert_queries, count):
    who = sender()
    for number in range(count):
        conversation = receive(cast, f"nr {number}", who=who)
    actor = cast.actor(cast.ben)
    with assert_queries(4):
        answer = thread_answer(actor, conversation.pk)
    assert answer["results"][0]["body"] == f"nr {count - 1}"
    assert len(answer["results"]) == count


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "W10",
        "bnVsbA",
        "eyJhIjoxfQ",
        "Wy0xLCAieCIsICJ5Il0",
        "💥",
        "WzAsMSwyXQ",
        "WzAsICIxIiwgIjIiXQ",
        "WzAsICIyMDI2LTAxLTAxVDAwOjAwOjAwKzAwOjAwIiwgIjIwMjYtMDEtMDFUMDA6MDA6MDArMDA6MDAiXQ",
    ],
)
def test_a_cursor_that_is_not_ours_is_refused(cast, cursor):
    with pytest.raises(Invalid):
        queries.list_conversations(cast.actor(cast.ben), ListFilter(), cursor=cursor)


def test_a_stranger_sees_nothing(busy):
    assert queries.list_conversations(busy.actor(busy.cleo, busy.elsewhere), ListFilter()).rows == []
    assert queries.list_conversations(busy.actor(busy.tia), ListFilter()).rows == []
    assert queries.get_tabs_and_live(busy.actor(busy.tia))[0] == {**NOTHING, "mine": 0}


def test_a_channel_is_meant_by_its_name_or_its_id(busy):
    channel = busy.channel
    by_name, _ = walk(busy.actor(busy.ben), ListFilter(channel=channel.slug.upper()), 200)
    assert len(by_name) == 12
    assert walk(busy.actor(busy.ben), ListFilter(channel=str(channel.pk)), 200)[0] == by_name
    assert walk(busy.actor(busy.ben), ListFilter(channel=str(busy.workspace.pk)), 200)[0] == []


def test_a_name_that_several_labels_have_means_all_of_them(busy):
    upper = Label.objects.create(workspace=busy.workspace, name="BILLING", hue=3)
    one = receive(busy, "only in capitals")
    ConversationLabel.objects.create(workspace=busy.workspace, conversation=one, label=upper)
    found, _ = walk(busy.actor(busy.ben), ListFilter(label="billing", channel=busy.channel.slug), 200)
    assert len(found) == 13
    assert walk(busy.actor(busy.ben), ListFilter(label="no such"), 200)[0] == []
    assert walk(busy.actor(busy.ben), ListFilter(label="billing", channel="no-such"), 200)[0] == []


def test_who_asks_by_names_asks_once_for_their_ids(busy, assert_queries):
    actor = busy.actor(busy.ben)
    with assert_queries(4):
        answer = list_answer(actor, ListFilter(label="billing", channel=busy.channel.slug), given={})
    assert len(answer["results"]) == 12
