"""What is set up is told to open desks: which labels, texts, teams, views, channels and members there are."""

import pytest

from config.live.events import events_after, head
from inbox import topics
from tests.cast import receive


@pytest.fixture
def told(cast):
    """What `inbox.<slug>` said of settings since the last time it was asked."""
    topic = topics.inbox(cast.workspace.slug)
    at = [head(topic)]

    def since():
        found = events_after(topic, at[0])
        at[0] = head(topic)
        return [event.data for event in found if event.type == "settings.updated"]

    return since


def test_a_label_says_what_it_was_called_since_rows_show_it(cast, desk, told):
    conversation = receive(cast)
    label = desk.ben.post("labels/", {"name": "VIP", "hue": 2}).json()
    desk.ben.post(f"conversations/{conversation.pk}/labels", {"labels": ["VIP"]})
    told()
    desk.ben.patch(f"labels/{label['id']}/", {"name": "Gold"})
    assert told() == [{"id": label["id"], "what": "label", "before": "VIP", "name": "Gold", "hue": 2}]
    desk.ben.delete(f"labels/{label['id']}/")
    assert told() == [{"id": label["id"], "what": "label", "before": "Gold", "deleted": True}]
    assert desk.ben.get(f"conversations/{conversation.pk}/").json()["labels"] == []


def test_the_rest_says_which(cast, desk, told):
    reply = desk.ben.post("saved-replies/", {"shortcut": "hi", "title": "Hi", "body": "Hello"}).json()
    macro = desk.ben.post("macros/", {"name": "Close", "steps": [{"do": "status", "value": "resolved"}]}).json()
    team = desk.ada.post("teams/", {"name": "Line", "members": [str(cast.ben.pk)]}).json()
    view = {"name": "x", "scope": "conversations", "audience": "everyone", "filters": {}}
    view = desk.ada.post("views/", view).json()
    assert [(one["what"], one["id"]) for one in told()] == [
        ("saved_reply", reply["id"]),
        ("macro", macro["id"]),
        ("team", team["id"]),
        ("view", view["id"]),
    ]
    assert desk.ada.patch(f"members/{cast.bea.pk}/", {"role": "admin"}).status_code == 200
    assert told() == [{"id": str(cast.bea.pk), "what": "member"}]
    desk.ada.delete(f"teams/{team['id']}/")
    assert told() == [{"id": team["id"], "what": "team"}]
