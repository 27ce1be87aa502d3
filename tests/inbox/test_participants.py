"""Members who take part in what is not theirs."""

from uuid import uuid4

import pytest

from inbox.models import Participant, ParticipantRole
from tests.cast import receive


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["name"] for one in answer.json()["results"]]


def test_one_takes_part_and_stops(cast, desk):
    path = f"conversations/{receive(cast).pk}/participants/"
    assert names(desk.vic.post(path, {})) == ["Vic"]
    assert names(desk.vic.post(path, {"user": "me"})) == ["Vic"]
    assert names(desk.ben.post(path, {"user": str(cast.bea.pk)})) == ["Vic", "Bea"]
    assert names(desk.ben.delete(f"{path}{cast.bea.pk}/")) == ["Vic"]
    assert names(desk.vic.delete(f"{path}me/")) == []


def test_who_answers_takes_part_unless_it_is_theirs(cast, desk):
    conversation = receive(cast)
    desk.bea.post(f"conversations/{conversation.pk}/claim")
    for person in (desk.ben, desk.bea):
        person.post(f"conversations/{conversation.pk}/messages/", {"client_id": str(uuid4()), "body": "Hm"})
    assert names(desk.ben.get(f"conversations/{conversation.pk}/participants/")) == ["Ben"]


def test_viewers_name_nobody_else_and_strangers_see_nothing(cast, desk):
    path = f"conversations/{receive(cast).pk}/participants/"
    assert desk.vic.post(path, {"user": str(cast.ben.pk)}).status_code == 403
    assert desk.cleo.post(path, {}).status_code == 404
    assert desk.tia.get(path).status_code == 404
    assert desk.ben.post(path, {"user": str(cast.tia.pk)}).status_code == 400
    assert desk.ben.post(path, {"user": "bea"}).status_code == 400


def test_a_customer_who_is_a_member_as_well_stays_the_customer(cast, desk):
    conversation = receive(cast)
    Participant.objects.create(
        workspace=cast.workspace, conversation=conversation, user=cast.ben, role=ParticipantRole.CUSTOMER
    )
    assert names(desk.ben.post(f"conversations/{conversation.pk}/participants/", {})) == []
    assert Participant.objects.get(conversation=conversation).role == ParticipantRole.CUSTOMER


@pytest.mark.parametrize("role", ["viewer", "tutor"])
def test_who_may_no_longer_read_takes_part_in_nothing(cast, desk, role):
    conversation = receive(cast)
    desk.bea.post(f"conversations/{conversation.pk}/participants/", {})
    cast.workspace.members.filter(user=cast.bea).update(role=role)
    shown = names(desk.ben.get(f"conversations/{conversation.pk}/participants/"))
    assert shown == (["Bea"] if role == "viewer" else [])
