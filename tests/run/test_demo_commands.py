"""The demo comes in only where it may, goes out whole, and is never served as if it were real."""

import os
from collections import Counter
from collections.abc import Iterator
from io import StringIO

import psycopg
import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from config.live.models import LiveEvent, LiveTopic
from config.run.demo.guard import check_demo_allowed, has_demo_data
from config.run.demo.people import DEMO, USERS
from config.run.demo.purge import purge
from crm.access import member_of
from crm.actors import System
from crm.models import Member, User, Workspace
from crm.phones import from_international
from crm.roles import Role
from crm.services.contacts import Sender
from inbox.models import Channel, Conversation, Message
from inbox.services.conversations import assign_conversation
from inbox.services.inbound import receive_message
from inbox.services.messages import send_message
from jobs.models import Job
from proctoring import watch
from tests.cast import incoming, new_id, receive
from tests.run.demo_data import demo_loaded
from webhooks.models import Delivery


@pytest.fixture(autouse=True)
def _no_demo():
    purge()
    yield
    purge()


def said(command: str) -> str:
    out = StringIO()
    call_command(command, stdout=out)
    return out.getvalue()


@pytest.fixture
def mark() -> Workspace:
    """As much of a demo as a test needs that is not about its stories."""
    for user in USERS.values():
        User.objects.create(pk=user.id, email=user.email, name=user.name)
    return Workspace.objects.create(pk=DEMO.id, slug="demo", name=DEMO.name)


def rows() -> Counter[str]:
    """Of every table but the event log, which tells of the purge itself."""
    models = [model for model in apps.get_models() if model not in (LiveEvent, LiveTopic)]
    return Counter({model._meta.label: model._base_manager.count() for model in models})


def test_without_demo_it_is_refused(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO=1"):
        call_command("load_demo")
    assert not has_demo_data()


def test_it_loads_once_though_an_old_token_brought_a_user_back(settings):
    """A token outlives a purge for up to an hour, and the user's row appears at first sight of it."""
    settings.DEMO = True
    User.objects.create(pk=USERS["ada"].id, email="ada@demo.example", name="")
    assert not has_demo_data()
    assert "conversations" in said("load_demo")
    assert "already" in said("load_demo")
    assert User.objects.get(pk=USERS["ada"].id).name == USERS["ada"].name


def test_a_workspace_of_somebodys_own_is_left_alone(settings):
    settings.DEMO = True
    own = Workspace.objects.create(slug="demo", name="Demolition Ltd")
    try:
        with pytest.raises(CommandError, match="demo"):
            call_command("load_demo")
        assert not User.objects.filter(pk=USERS["ada"].id).exists()
        call_command("purge_demo", stdout=StringIO())
        assert Workspace.objects.filter(pk=own.pk).exists()
    finally:
        own.delete()


@pytest.fixture
def nobody_watches_exams() -> Iterator[None]:
    """What servers of other tests would write about theirs meanwhile."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", [watch._LOCK])
        yield


@pytest.mark.usefixtures("nobody_watches_exams")
def test_a_purge_takes_all_of_it_and_only_it(cast):
    theirs = receive(cast, "Do not lose me")
    assign_conversation(actor=cast.actor(cast.ada), conversation_id=theirs.pk, assignee_id=cast.ben.pk)
    before = rows()
    with demo_loaded():
        conversation = work_in_the_demo()
        assert rows()["inbox.Message"] > before["inbox.Message"]
        assert LiveEvent.objects.filter(topic="inbox.demo").exists()
        purged = purge()
    assert (purged.workspaces, purged.users) == (2, len(USERS))
    assert rows() == before
    topics = ["inbox.demo", f"conversation.{conversation.pk}", f"user.{USERS['ben'].id}"]
    assert not LiveTopic.objects.filter(name__in=topics).exists()
    assert not LiveEvent.objects.filter(topic__in=topics).exists()
    assert LiveEvent.objects.filter(topic=f"conversation.{theirs.pk}").exists()
    theirs.refresh_from_db()
    assert theirs.assignee_id == cast.ben.pk


def work_in_the_demo() -> Conversation:
    """Rows of other tables too: events, jobs, deliveries."""
    channel = Channel.objects.select_related("workspace").get(slug="demo-kapso")
    sender = Sender(name="Somebody", phone=from_international("15005550006"), whatsapp="15005550006")
    message = receive_message(actor=System(DEMO.id, "test"), channel=channel, incoming=incoming("Hello", who=sender))
    assert message is not None
    ben = member_of(USERS["ben"].id, DEMO.id)
    send_message(actor=ben, conversation_id=message.conversation_id, client_id=new_id(), body="Hello!")
    assert Job.objects.filter(workspace_id=DEMO.id).exists()
    Delivery.objects.create(provider="kapso", workspace_id=DEMO.id, event_key=str(message.pk), body=b"{}")
    return Conversation.objects.get(pk=message.conversation_id)


def test_a_purge_takes_the_demos_people_out_of_other_workspaces(cast, mark):
    bea = User.objects.get(pk=USERS["bea"].id)
    Member.objects.create(workspace=cast.workspace, user=bea, role=Role.AGENT)
    theirs = receive(cast, "Mine stays")
    assign_conversation(actor=cast.actor(cast.ada), conversation_id=theirs.pk, assignee_id=bea.pk)
    send_message(actor=cast.actor(bea), conversation_id=theirs.pk, client_id=new_id(), body="I was here")
    purge()
    theirs.refresh_from_db()
    assert theirs.assignee_id is None
    assert Message.objects.get(conversation=theirs, body="I was here").sender_user_id is None


def test_a_purge_closes_the_sockets_of_the_demos_people(mark):
    def told() -> int:
        return LiveEvent.objects.filter(topic="_access", data__contains=str(USERS["ada"].id)).count()

    before = told()
    purge()
    assert told() == before + 1
    purge()
    assert told() == before + 1


def test_a_purge_without_demo_data_says_so():
    assert "no demo data" in said("purge_demo")


def test_a_purge_needs_no_demo(settings, mark):
    settings.DEMO = False
    assert "1 workspaces, 8 users" in said("purge_demo")
    assert not has_demo_data()


def test_demo_data_without_demo_is_refused_in_one_sentence(settings, mark):
    settings.DEMO = True
    check_demo_allowed()
    settings.DEMO = False
    with pytest.raises(ImproperlyConfigured, match="purge_demo"):
        check_demo_allowed()


def test_a_database_without_demo_data_is_served(settings):
    settings.DEMO = False
    check_demo_allowed()


def test_a_database_without_tables_is_no_reason_to_fail(settings):
    settings.DEMO = False
    with connection.cursor() as cursor:
        cursor.execute("set search_path to pg_catalog")
        try:
            check_demo_allowed()
        finally:
            cursor.execute("reset search_path")
