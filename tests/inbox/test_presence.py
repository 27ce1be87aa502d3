"""Who looks at a workspace and at a conversation, over HTTP as over the socket: for those who may see it."""

from uuid import uuid4

import pytest

from config.live.events import events_after
from tests.api import Api
from tests.cast import receive

# Fixed, since it is part of a test's name.
SOME_ID = "5b0a1f52-9a3c-4b55-8f65-0f6f0d1f2a3b"


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


def api(cast, user) -> Api:
    return Api(user).of(cast.workspace.slug)


def touch(cast, user, scope: str, **more: object):
    return api(cast, user).post("presence/", {"scope": scope, "tab": str(uuid4()), **more})


def names(answer) -> list[str]:
    return [person["name"] for person in answer.json()["results"]]


def test_colleagues_see_who_is_here(cast):
    assert touch(cast, cast.ben, "workspace").status_code == 204
    assert touch(cast, cast.tia, "workspace", state="idle").status_code == 204
    answer = api(cast, cast.vic).get("presence/")
    topic = f"presence.workspace.{cast.workspace.slug}"
    assert names(answer) == ["Ben", "Tia"]
    assert [person["state"] for person in answer.json()["results"]] == ["active", "idle"]
    assert answer.json()["live"] == {"topic": topic, "seq": 2}
    assert [event.type for event in events_after(topic, 0)] == ["presence.joined"] * 2


def test_those_in_a_conversation_are_seen_with_their_draft(cast):
    scope = f"conversation.{receive(cast).pk}"
    assert touch(cast, cast.bea, scope, draft=True).status_code == 204
    (bea,) = api(cast, cast.ben).get("presence/", scope=scope).json()["results"]
    whole = api(cast, cast.ben).get("presence/", scope=f"presence.{scope}").json()
    assert whole["results"] == [bea]
    assert (bea["id"], bea["kind"], bea["role"], bea["draft"]) == (str(cast.bea.pk), "member", "agent", True)


@pytest.mark.parametrize("name", ["cleo", "tia", "sam"])
def test_who_may_not_see_a_conversation_sees_nobody_in_it(cast, name):
    scope = f"conversation.{receive(cast).pk}"
    user = getattr(cast, name)
    for answer in (api(cast, user).get("presence/", scope=scope), touch(cast, user, scope)):
        assert answer.status_code == 404


@pytest.mark.parametrize("scope", ["", "nothing", "conversation.x", f"conversation.{SOME_ID}", "workspace.elsewhere"])
def test_there_is_nothing_beyond_the_known_scopes(cast, scope):
    assert touch(cast, cast.ben, scope).status_code in {400, 404}
