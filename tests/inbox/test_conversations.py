"""Assigning, resolving, reopening and reading."""

import pytest

from config.errors import Forbidden, NotFound
from config.live.events import events_after, head
from crm.services.members import change_role, remove_member
from inbox import queries, topics
from inbox.errors import AnotherIsOpen, UnknownAssignee
from inbox.models import Conversation
from inbox.services.conversations import assign_conversation, mark_read, set_status
from inbox.states import ConversationStatus
from tests.cast import receive, sender


def test_assigning_is_announced_and_counted(cast):
    conversation = receive(cast)
    before = queries.get_tab_counts(cast.actor(cast.ben))
    assign_conversation(actor=cast.actor(cast.ben), conversation_id=conversation.pk, assignee_id=cast.ben.pk)
    after = queries.get_tab_counts(cast.actor(cast.ben))
    assert (before["mine"], before["unassigned"], before["all"]) == (0, 1, 1)
    assert (after["mine"], after["unassigned"], after["all"]) == (1, 0, 1)
    last = events_after(topics.inbox(cast.workspace.slug), 0)[-1]
    assert last.data["assignee"] == {"id": str(cast.ben.pk), "name": "Ben"}


@pytest.mark.parametrize("name", ["vic", "tia", "cleo"])
def test_only_who_can_answer_here_can_be_assigned(cast, name):
    conversation = receive(cast)
    with pytest.raises(UnknownAssignee):
        assign_conversation(
            actor=cast.actor(cast.ada), conversation_id=conversation.pk, assignee_id=getattr(cast, name).pk
        )


def test_a_viewer_changes_nothing(cast):
    conversation = receive(cast)
    vic = cast.actor(cast.vic)
    with pytest.raises(Forbidden):
        assign_conversation(actor=vic, conversation_id=conversation.pk, assignee_id=cast.ben.pk)
    with pytest.raises(Forbidden):
        set_status(actor=vic, conversation_id=conversation.pk, status=ConversationStatus.RESOLVED)


def test_a_stranger_cannot_tell_whether_the_conversation_exists(cast):
    conversation = receive(cast)
    cleo = cast.actor(cast.cleo, cast.elsewhere)
    with pytest.raises(NotFound):
        set_status(actor=cleo, conversation_id=conversation.pk, status=ConversationStatus.RESOLVED)


def test_resolving_takes_it_off_the_counts_and_reopening_brings_it_back(cast):
    conversation, ben = receive(cast), cast.actor(cast.ben)
    set_status(actor=ben, conversation_id=conversation.pk, status=ConversationStatus.RESOLVED)
    assert queries.get_tab_counts(ben)["all"] == 0
    set_status(actor=ben, conversation_id=conversation.pk, status=ConversationStatus.OPEN)
    assert queries.get_tab_counts(ben)["all"] == 1


def test_reopening_beside_an_open_one_is_refused_with_its_id(cast):
    who = sender()
    old = receive(cast, who=who)
    Conversation.objects.filter(pk=old.pk).update(status=ConversationStatus.RESOLVED)
    fresh = Conversation.objects.create(
        workspace=cast.workspace,
        channel=cast.channel,
        contact=old.contact,
        last_activity_at=old.last_activity_at,
    )
    with pytest.raises(AnotherIsOpen) as refused:
        set_status(actor=cast.actor(cast.ben), conversation_id=old.pk, status=ConversationStatus.OPEN)
    assert refused.value.data["conversation"] == fresh.pk


@pytest.mark.parametrize("leave", ["removed", "made a viewer"])
def test_who_can_no_longer_answer_hands_back_what_they_had(cast, leave):
    conversation = receive(cast)
    assign_conversation(actor=cast.actor(cast.ada), conversation_id=conversation.pk, assignee_id=cast.ben.pk)
    if leave == "removed":
        remove_member(actor=cast.actor(cast.ada), user_id=cast.ben.pk)
    else:
        change_role(actor=cast.actor(cast.ada), user_id=cast.ben.pk, role="viewer")
    conversation.refresh_from_db()
    assert conversation.assignee is None
    told = events_after(topics.inbox(cast.workspace.slug), 0)
    last = [event.data for event in told if event.type == "conversation.updated"][-1]
    assert (last["id"], last["assignee"]) == (str(conversation.pk), None)


def unread(cast, user, conversation):
    actor = cast.actor(user)
    rows = queries.visible_conversations(actor).filter(pk=conversation.pk)
    return queries.for_reader(actor, queries.with_lines(rows))[0]["unread_count"]


def test_unread_is_each_readers_own(cast):
    who = sender()
    for body in ("uno", "dos", "tres"):
        conversation = receive(cast, body, who=who)
    assert unread(cast, cast.ben, conversation) == 3
    seq = head(topics.user(cast.ben.pk))
    mark_read(actor=cast.actor(cast.ben), conversation_id=conversation.pk, seen_count=2)
    assert unread(cast, cast.ben, conversation) == 1
    assert unread(cast, cast.bea, conversation) == 3
    (event,) = events_after(topics.user(cast.ben.pk), seq)
    assert event.data == {"id": str(conversation.pk), "seen_count": 2}


def test_reading_never_goes_backwards_nor_beyond_what_there_is(cast):
    conversation = receive(cast)
    ben = cast.actor(cast.ben)
    assert mark_read(actor=ben, conversation_id=conversation.pk, seen_count=99).seen_count == 1
    assert mark_read(actor=ben, conversation_id=conversation.pk, seen_count=0).seen_count == 1


def test_what_came_before_a_member_joined_counts_as_read(cast):
    from crm.models import Member
    from tests.cast import make_user

    who = sender()
    receive(cast, who=who)
    newcomer = make_user("nia")
    Member.objects.create(workspace=cast.workspace, user=newcomer, role="agent")
    assert unread(cast, newcomer, receive(cast, who=who)) == 1
    assert unread(cast, cast.ben, Conversation.objects.get(contact__name="Lucía", workspace=cast.workspace)) == 2


def test_two_agents_take_one_conversation_at_once_and_the_last_word_is_one(cast, at_once):
    conversation = receive(cast)
    at_once(
        [
            lambda user=user: assign_conversation(
                actor=cast.actor(user), conversation_id=conversation.pk, assignee_id=user.pk
            )
            for user in (cast.ben, cast.bea)
        ]
    )
    conversation.refresh_from_db()
    last = events_after(topics.inbox(cast.workspace.slug), 0)[-1]
    assert last.data["assignee"]["id"] == str(conversation.assignee_id)
