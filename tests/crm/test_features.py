"""What is switched off says so by its code wherever somebody would find it: REST, pages and topics."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from config.live import topics
from config.live.identity import Identity
from crm.features import Feature, FeatureOff
from crm.services.features import set_features
from crm.services.roles import subject
from tests.api import Api
from tests.cast import receive
from tests.crm.conftest import account_for
from tests.crm.test_isolation import BELOW, filled
from tests.proctoring.scene import make_scene, service_was_always_there

pytestmark = pytest.mark.usefixtures("own_issuer")

# Of an app, the addresses that stay when its feature is off: look-ups of contacts, and the admins' own.
STAY = re.compile(r"^(contacts/(by-phone|context)|search|channels/.*backfill|deliveries|jobs)")
OF_APP = {
    "inbox": {Feature.INBOX},
    "proctoring": {Feature.PROCTORING, Feature.LEADERBOARD},
    "webhooks.outgoing": {Feature.OUTGOING_WEBHOOKS},
}


def views() -> dict[str, Any]:
    """By address below a workspace, the class that answers."""

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[tuple[str, Any]]:
        for one in patterns:
            route = before + str(one.pattern)
            if isinstance(one, URLResolver):
                yield from walk(one.url_patterns, route)
            elif hasattr(one.callback, "cls"):
                yield route, one.callback.cls

    found = walk(get_resolver().url_patterns, "")
    return {route.removeprefix(BELOW): view for route, view in found if route.startswith(BELOW)}


def test_every_address_of_an_app_has_its_switch():
    without = [
        route
        for route, view in views().items()
        for app, features in OF_APP.items()
        if view.__module__.startswith(f"{app}.") and view.feature not in features and not STAY.match(route)
    ]
    assert without == []


@pytest.mark.parametrize("feature", [Feature.INBOX, Feature.PROCTORING, Feature.LEADERBOARD, Feature.OUTGOING_WEBHOOKS])
def test_rest_answers_by_the_code_while_it_is_off(cast, feature):
    api = Api(cast.ada)
    stranger = Api(cast.cleo)
    set_features(actor=cast.actor(cast.ada), switches={feature: False})
    closed = 0
    for route, view in views().items():
        path = filled(BELOW + route, cast.workspace.slug)
        answer = api.get(path)
        if view.feature == feature:
            assert (answer.status_code, answer.json()["code"], answer.json()["feature"]) == (
                403,
                "feature_off",
                feature.value,
            ), route
            assert answer["Content-Type"] == "application/problem+json"
            assert stranger.get(path).status_code == 404, route
            closed += 1
        elif answer["Content-Type"].startswith("application/problem"):
            assert answer.json()["code"] != "feature_off", route
    assert closed >= 3


def who(user: Any) -> Identity:
    return Identity(user.pk, subject(user.pk), actor=user.pk)


def hears(user: Any, topic: str) -> bool | str:
    try:
        return topics.may_listen(who(user), topic)
    except FeatureOff as off:
        return str(off.data["feature"])


def test_topics_say_so_to_those_who_would_hear_them(cast):
    conversation = receive(cast)
    inbox = [
        f"inbox.{cast.workspace.slug}",
        f"conversation.{conversation.pk}",
        f"presence.conversation.{conversation.pk}",
    ]
    feed = f"workspace.{cast.workspace.slug}"
    assert [hears(cast.ben, topic) for topic in inbox] == [True] * 3
    assert hears(cast.ada, feed) is True
    set_features(actor=cast.actor(cast.ada), switches={"inbox": False, "outgoing_webhooks": False})
    assert [hears(cast.ben, topic) for topic in inbox] == ["inbox"] * 3
    assert [hears(cast.cleo, topic) for topic in inbox] == [False] * 3
    assert (hears(cast.ada, feed), hears(cast.ben, feed)) == ("outgoing_webhooks", False)
    assert hears(cast.ben, f"contact.{conversation.contact_id}") is True
    there = Api(cast.ben).of(cast.workspace.slug).get("presence/", scope=f"conversation.{conversation.pk}")
    assert (there.status_code, there.json()["code"]) == (403, "feature_off")


def test_exams_close_for_tutors_and_not_for_who_sits_one():
    service_was_always_there()
    scene = make_scene()
    session = scene.start()["id"]
    tutors = [f"exam.{scene.exam.slug}", f"presence.exam.{scene.exam.slug}", f"session.{session}"]
    set_features(actor=scene.cast.actor(scene.cast.ada), switches={"proctoring": False})
    assert [hears(scene.cast.tia, topic) for topic in tutors] == ["proctoring"] * 3
    assert hears(scene.cast.sam, f"session.{session}") is True
    assert hears(scene.cast.cleo, f"session.{session}") is False
    for user, path in (
        (scene.cast.tia, "/proctor"),
        (scene.cast.tia, f"/proctor/{scene.exam.slug}"),
        (scene.sue, f"/exam/{scene.exam.slug}"),
    ):
        answer = Api(user).get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "feature_off"), path
    assert Api(scene.cast.sam).get(f"/exam/{scene.exam.slug}").status_code == 200
    assert Api(scene.cast.cleo).get(f"/proctor/{scene.exam.slug}").status_code == 404


def test_pages_lead_to_nothing_that_is_off(cast):
    ben = account_for(cast.ben).sign_in(Client())
    assert ben.get("/")["Location"] == "/inbox"
    assert 'href="/inbox"' in ben.get("/contacts").content.decode()
    set_features(actor=cast.actor(cast.ada), switches={"inbox": False})
    answer = ben.get("/inbox")
    assert (answer.status_code, "Switched off" in answer.content.decode()) == (403, True)
    assert ben.get("/")["Location"] == "/contacts"
    assert 'href="/inbox"' not in ben.get("/contacts").content.decode()
    receive(cast, "Still kept")
    set_features(actor=cast.actor(cast.ada), switches={"inbox": True})
    assert "Still kept" in ben.get("/inbox").content.decode()
