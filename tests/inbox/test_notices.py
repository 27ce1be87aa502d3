"""What concerns somebody reaches them: once, live, in the ways they want, and nobody else."""

from uuid import uuid4

import pytest

from config.live.events import events_after, head
from crm.models import Member, Team, TeamMember
from inbox import topics
from inbox.models import Notice
from inbox.services import snoozing
from inbox.services.deleting import delete_message
from inbox.services.notices import clear_old
from tests.cast import long_ago, receive, sender


def listed(desk, name, **query):
    return getattr(desk, name).get("notices/", **query).json()


def kinds(desk, name):
    return [row["kind"] for row in listed(desk, name)["results"]]


def write(desk, name, conversation, body="Hm", **more):
    return getattr(desk, name).post(
        f"conversations/{conversation.pk}/messages/", {"client_id": str(uuid4()), "body": body, **more}
    )


def note(desk, name, conversation, body="Hm", **more):
    return write(desk, name, conversation, body, direction="note", **more)


def test_whom_a_conversation_is_given_hears_of_it_and_who_takes_it_does_not(cast, desk):
    conversation = receive(cast, "Hello?")
    after = head(topics.user(cast.bea.pk))
    desk.ben.post(f"conversations/{conversation.pk}/assign", {"assignee": str(cast.bea.pk)})
    (row,) = listed(desk, "bea")["results"]
    assert (row["kind"], row["conversation"]["id"], row["actor"]["name"]) == ("assigned", str(conversation.pk), "Ben")
    assert (row["conversation"]["contact"], row["message"], row["read_at"]) == ("Lucía", None, None)
    (event,) = [event for event in events_after(topics.user(cast.bea.pk), after) if event.type == "notice.created"]
    assert event.data["id"] == row["id"]
    assert event.data["ways"] == ["page", "sound", "desktop", "email", "push"]
    assert event.data["workspace"] == cast.workspace.slug
    desk.ben.post(f"conversations/{receive(cast).pk}/assign", {"assignee": "me"})
    assert kinds(desk, "ben") == []


def test_what_a_customer_writes_is_one_unread_notice_however_much_it_is(cast, desk):
    who = sender()
    conversation = receive(cast, who=who)
    desk.ben.post(f"conversations/{conversation.pk}/claim")
    after = head(topics.user(cast.ben.pk))
    for body in ("One", "Two"):
        receive(cast, body, who=who)
    answer = listed(desk, "ben")
    assert [(row["kind"], row["message"]["words"]) for row in answer["results"]] == [("message", "Two")]
    assert answer["unread_count"] == 1
    first, second = [event.data for event in events_after(topics.user(cast.ben.pk), after)]
    assert (first["replaces"], second["replaces"]) == (None, first["id"])
    assert kinds(desk, "bea") == []


def test_reading_the_conversation_reads_its_notices(cast, desk):
    who = sender()
    conversation = receive(cast, who=who)
    desk.ben.post(f"conversations/{conversation.pk}/claim")
    receive(cast, who=who)
    after = head(topics.user(cast.ben.pk))
    desk.ben.post(f"conversations/{conversation.pk}/read", {})
    answer = listed(desk, "ben")
    assert answer["unread_count"] == 0
    assert answer["results"][0]["read_at"]
    told = [event.data for event in events_after(topics.user(cast.ben.pk), after) if event.type == "notice.read"]
    assert told == [{"workspace": cast.workspace.slug, "ids": [answer["results"][0]["id"]]}]
    receive(cast, who=who)
    assert len(listed(desk, "ben")["results"]) == 2


def test_a_note_tells_those_it_names_and_they_take_part_from_then_on(cast, desk):
    team = Team.objects.create(workspace=cast.workspace, name="Night")
    TeamMember.objects.create(workspace=cast.workspace, team=team, user=cast.vic)
    who = sender()
    conversation = receive(cast, who=who)
    made = note(desk, "ben", conversation, "See this", mentions=[str(cast.bea.pk), str(team.pk)])
    assert made.status_code == 201
    assert [(one["name"], one["kind"]) for one in made.json()["detail"]["mentions"]] == [
        ("Bea", "member"),
        ("Night", "team"),
    ]
    assert (kinds(desk, "bea"), kinds(desk, "vic"), kinds(desk, "ben")) == (["mentioned"], ["mentioned"], [])
    people = desk.vic.get(f"conversations/{conversation.pk}/participants/").json()["results"]
    assert sorted(one["name"] for one in people) == ["Bea", "Ben", "Vic"]
    receive(cast, "More", who=who)
    assert kinds(desk, "bea") == ["message", "mentioned"]
    note(desk, "ada", conversation, f"And @{cast.bea.pk}")
    assert kinds(desk, "bea") == ["mentioned", "message", "mentioned"]
    assert kinds(desk, "ben") == ["note", "message"]


def test_a_note_about_a_contact_tells_those_it_names_and_leads_to_the_contact(cast, desk):
    team = Team.objects.create(workspace=cast.workspace, name="Night")
    TeamMember.objects.create(workspace=cast.workspace, team=team, user=cast.vic)
    contact = receive(cast).contact
    path, after = f"contacts/{contact.pk}/notes/", head(topics.user(cast.bea.pk))
    named = [str(cast.bea.pk), str(team.pk), str(cast.ben.pk)]
    made = desk.ben.post(path, {"body": "Likes  mornings", "mentions": named}).json()
    assert [kinds(desk, name) for name in ("bea", "vic", "ben", "ada")] == [["mentioned"], ["mentioned"], [], []]
    (row,) = listed(desk, "bea")["results"]
    assert row["note"] == {
        "id": made["id"],
        "contact": {"id": str(contact.pk), "name": contact.display_name},
        "words": "Likes mornings",
    }
    assert (row["conversation"], row["message"], row["actor"]["name"]) == (None, None, "Ben")
    told = [event for event in events_after(topics.user(cast.bea.pk), after) if event.type == "notice.created"]
    assert [(event.data["id"], event.data["note"]) for event in told] == [(row["id"], row["note"])]

    # Changed, it tells who had not heard; taken back and named again, nobody hears twice
    for mentions in ([], named, [*named, str(cast.ada.pk)]):
        desk.ben.patch(f"{path}{made['id']}", {"mentions": mentions})
    assert [kinds(desk, name) for name in ("bea", "vic", "ada")] == [["mentioned"]] * 3
    desk.bea.post("notices/read", {"ids": [row["id"]]})
    assert (listed(desk, "bea")["unread_count"], listed(desk, "vic")["unread_count"]) == (0, 1)
    desk.ben.delete(f"{path}{made['id']}")
    assert (kinds(desk, "vic"), listed(desk, "vic")["unread_count"]) == ([], 0)


@pytest.mark.parametrize("who", ["tia", "cleo"])
def test_nobody_is_named_who_could_not_read_it(cast, desk, who):
    refused = note(desk, "ben", receive(cast), mentions=[str(getattr(cast, who).pk)])
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["mentions"])


def test_a_team_hears_of_what_is_given_to_it_while_nobody_has_it(cast, desk):
    team = Team.objects.create(workspace=cast.workspace, name="Day")
    for user in (cast.ben, cast.bea):
        TeamMember.objects.create(workspace=cast.workspace, team=team, user=user)
    desk.ben.post(f"conversations/{receive(cast).pk}/team", {"team": str(team.pk)})
    assert (kinds(desk, "ben"), kinds(desk, "bea")) == ([], ["team"])


def test_what_comes_back_from_snoozing_is_told(cast, desk):
    conversation = receive(cast)
    desk.ben.post(f"conversations/{conversation.pk}/claim")
    desk.ben.post(f"conversations/{conversation.pk}/snooze", {"preset": "month"})
    type(conversation).objects.filter(pk=conversation.pk).update(snoozed_until=long_ago(minutes=1))
    assert snoozing.wake(conversation_id=conversation.pk)
    assert kinds(desk, "ben") == ["returned"]


def test_who_wants_to_hears_of_every_new_conversation(cast, desk):
    desk.bea.patch("notices/preferences", {"kinds": {"opened": {"page": True}}})
    receive(cast, "New here")
    assert (kinds(desk, "bea"), kinds(desk, "ben")) == (["opened"], [])


def test_what_is_not_wanted_is_not_written_and_what_is_unnamed_stays(cast, desk):
    before = desk.ben.get("notices/preferences").json()["kinds"]
    assert before[0]["ways"] == {"page": True, "sound": True, "desktop": True, "email": True, "push": True}
    everything = dict.fromkeys(("page", "sound", "desktop", "email", "push"), False)
    changed = desk.ben.patch("notices/preferences", {"kinds": {"assigned": everything, "mentioned": {"email": False}}})
    now = {row["kind"]: row["ways"] for row in changed.json()["kinds"]}
    assert not any(now["assigned"].values())
    assert (now["mentioned"]["email"], now["mentioned"]["push"], now["message"]["email"]) == (False, True, True)
    desk.bea.post(f"conversations/{receive(cast).pk}/assign", {"assignee": str(cast.ben.pk)})
    assert not Notice.objects.filter(user=cast.ben).exists()
    kept = Member.objects.get(workspace=cast.workspace, user=cast.ben).preferences["notices"]
    assert kept["mentioned"] == {"email": False}


@pytest.mark.parametrize("kinds", [{"nothing": {}}, {"assigned": {"pigeon": True}}, {"assigned": 1}], ids=str)
def test_other_preferences_are_refused(desk, kinds):
    assert desk.ben.patch("notices/preferences", {"kinds": kinds}).status_code == 400


def test_all_or_some_are_marked_read_and_nobody_elses(cast, desk):
    rows = [receive(cast) for _ in range(3)]
    for conversation in rows:
        desk.ben.post(f"conversations/{conversation.pk}/assign", {"assignee": str(cast.bea.pk)})
    ids = [row["id"] for row in listed(desk, "bea")["results"]]
    assert desk.ben.post("notices/read", {"ids": ids}).json() == {"unread_count": 0}
    assert desk.bea.post("notices/read", {"ids": ids[:1]}).json() == {"unread_count": 2}
    assert [row["id"] for row in listed(desk, "bea", unread="true")["results"]] == ids[1:]
    assert desk.bea.get("notices/", unread="perhaps").json()["errors"].keys() == {"unread"}
    assert desk.bea.post("notices/read", {"all": True}).json() == {"unread_count": 0}
    assert desk.bea.post("notices/read", {}).status_code == 400


def test_pages_follow_each_other_and_cost_the_same(cast, desk, django_assert_max_num_queries):
    for _ in range(5):
        desk.ben.post(f"conversations/{receive(cast).pk}/assign", {"assignee": str(cast.bea.pk)})
    with django_assert_max_num_queries(7):
        first = listed(desk, "bea", limit=3)
    assert len(first["results"]) == 3
    second = desk.bea._client.get(first["next"]).json()
    assert len(second["results"]) == 2
    assert first["live"]["topic"] == f"user.{cast.bea.pk}"


def test_spam_and_what_is_taken_back_are_not_shown(cast, desk):
    who = sender()
    conversation = receive(cast, who=who)
    desk.ben.post(f"conversations/{conversation.pk}/claim")
    made = note(desk, "bea", conversation, "Secret")
    delete_message(actor=cast.actor(cast.bea), conversation_id=conversation.pk, message_id=made.json()["id"])
    assert [row["message"] for row in listed(desk, "ben")["results"]] == [None]
    desk.ben.post(f"conversations/{conversation.pk}/spam", {"spam": True})
    assert listed(desk, "ben")["results"] == []
    receive(cast, who=who)
    assert Notice.objects.filter(user=cast.ben).count() == 1


def test_strangers_and_tutors_have_none(cast, desk):
    assert desk.cleo.get("notices/").status_code == 404
    assert desk.tia.get("notices/").status_code == 403
    assert desk.tia.post("notices/read", {"all": True}).status_code == 403
    assert desk.tia.patch("notices/preferences", {"kinds": {}}).status_code == 403


def test_old_ones_are_cleared_away(cast, desk):
    for _ in range(3):
        desk.ben.post(f"conversations/{receive(cast).pk}/assign", {"assignee": str(cast.bea.pk)})
    rows = list(Notice.objects.filter(user=cast.bea).order_by("pk"))
    Notice.objects.filter(pk=rows[0].pk).update(read_at=long_ago(days=31))
    Notice.objects.filter(pk=rows[1].pk).update(created_at=long_ago(days=91))
    clear_old()
    assert list(Notice.objects.filter(user=cast.bea)) == rows[2:]
