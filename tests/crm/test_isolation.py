"""Every address with every method, and every kind of topic, met by those who have no business there."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from config.live import topics
from config.live.identity import Identity
from crm.ids import uuid7
from crm.models import ContactImport
from crm.services.roles import subject
from jobs.models import Job
from proctoring.models import Exam, Violation
from tests.api import Api, token_for
from tests.cast import long_ago, make_channel, make_user, receive, unique
from tests.inbox.test_chats import admit, make_widget
from tests.proctoring.scene import item, make_scene

pytestmark = pytest.mark.usefixtures("own_issuer")

METHODS = ("get", "post", "put", "patch", "delete")
BELOW = "api/v1/workspaces/<slug:workspace>/"
# Answered to anybody, on purpose; what of it is somebody's own, its own tests see to.
PUBLIC = re.compile(
    r"^(healthz|readyz|metrics|login|logout|session/renew|auth/v1/|api/v1/schema|api/docs|api/v1/leaderboards/|leaderboard"
    r"|api/v1/widgets/|widget|worker\.js|media/|static/|$)"
)
# What a viewer changes is their own alone.
OWN = {"members/leave"}


def addresses() -> list[str]:
    return sorted(set(_walk(get_resolver().url_patterns, "")))


def _walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[str]:
    for one in patterns:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, route)
        else:
            yield route


def filled(route: str, slug: str) -> str:
    path = route.replace("<slug:workspace>", slug).replace("^", "").replace("$", "")
    path = re.sub(r"<uuid:\w+>", str(uuid7()), path)
    path = re.sub(r"<int:\w+>", "1", path)
    path = re.sub(r"<(?:\w+:)?\w+>", "x", path)
    return "/" + re.sub(r"\(\?P?<?[^)]*\)", "x", path)


def ask(client: Client, method: str, path: str) -> Any:
    if method == "get":
        return client.get(path)
    return getattr(client, method)(path, "{}", content_type="application/json")


def client_of(user=None, *, seconds: int = 3600) -> Client:
    headers = {"authorization": f"Bearer {token_for(user, seconds=seconds)}"} if user else {}
    return Client(headers=headers, raise_request_exception=False)


@pytest.mark.parametrize("method", METHODS)
def test_below_a_workspace_nobody_gets_past_the_door(cast, method):
    routes = [route for route in addresses() if route.startswith(BELOW)]
    assert len(routes) > 30
    nobody, expired = client_of(), client_of(cast.ada, seconds=-60)
    strangers = [client_of(cast.cleo), client_of(cast.sam)]
    for route in routes:
        path = filled(route, cast.workspace.slug)
        assert ask(nobody, method, path).status_code == 401, route
        assert ask(expired, method, path).status_code == 401, route
        for stranger in strangers:
            answer = ask(stranger, method, path)
            missing = ask(stranger, method, filled(route, "no-such-workspace"))
            assert (answer.status_code, answer.content) == (missing.status_code, missing.content), route
            assert answer.status_code == 404, route


@pytest.mark.parametrize("method", METHODS[1:])
def test_a_viewer_changes_nothing(cast, method):
    vic = client_of(cast.vic)
    for route in addresses():
        if route.startswith(BELOW) and route.removeprefix(BELOW) not in OWN:
            answer = ask(vic, method, filled(route, cast.workspace.slug))
            assert 400 <= answer.status_code < 500, (route, answer.status_code)


@pytest.mark.parametrize("method", METHODS)
def test_elsewhere_nobody_is_let_in_and_nothing_breaks(cast, method):
    nobody, expired = client_of(), client_of(cast.ada, seconds=-60)
    others = [client_of(cast.cleo), client_of(cast.sam), client_of(cast.vic)]
    for route in addresses():
        if route.startswith(BELOW) or PUBLIC.match(route.replace("^", "")):
            continue
        is_admin = route.startswith("admin/")  # hundreds behind one door
        for client in (nobody,) if is_admin else (nobody, expired):
            answer = ask(client, method, filled(route, cast.workspace.slug))
            assert 300 <= answer.status_code < 500, (route, answer.status_code)
        for client in others[-1:] if is_admin else others:
            assert ask(client, method, filled(route, cast.workspace.slug)).status_code < 500, route


def test_no_topic_is_heard_by_whom_it_is_not_for(cast):
    conversation = receive(cast)
    ids = [cast.workspace.slug, str(conversation.pk), str(conversation.contact_id), str(cast.ada.pk), "demo-exam"]

    def who(user) -> Identity:
        return Identity(user.pk, subject(user.pk), actor=user.pk)

    kinds = [kind for kind in topics._kinds.values() if not kind.public]
    assert {"inbox", "conversation", "contact", "user", "workspace", "outbox"} <= {kind.prefix for kind in kinds}
    for kind in kinds:
        for key in ids:
            for identity in (None, who(cast.cleo), who(cast.sam), Identity(None, "key:x"), Identity(UUID(int=0), "x")):
                assert not topics.may_listen(identity, f"{kind.prefix}.{key}"), (kind.prefix, identity)
    vic = who(cast.vic)
    heard = {kind.prefix for kind in kinds for key in ids if topics.may_listen(vic, f"{kind.prefix}.{key}")}
    assert heard.isdisjoint({"user", "workspace", "outbox", "exam", "session"})


def rows_elsewhere(cast) -> dict[str, str]:
    """What stands in the other workspace, by the names that addresses give it."""
    cleo = Api(cast.cleo).of(cast.elsewhere.slug)

    def made(path: str, **body: Any) -> str:
        answer = cleo.post(path, body)
        assert answer.status_code in {200, 201}, (path, answer.content)
        return str(answer.json().get("id") or answer.json()["user"])

    channel = make_channel(cast.elsewhere)
    conversation = receive(cast, channel=channel)
    job = Job.objects.create(
        workspace_id=cast.elsewhere.pk,
        key=unique("job"),
        type="tests.none",
        status="failed",
        completed_at=long_ago(hours=1),
    )
    exam = Exam.objects.create(workspace=cast.elsewhere, slug=unique("exam"), title="Elsewhere")
    return {
        "contact": str(conversation.contact_id),
        "conversation": str(conversation.pk),
        "message": str(conversation.messages.get().pk),
        "channel": channel.slug,
        "note": made(f"contacts/{conversation.contact_id}/notes/", body="Theirs"),
        "attribute": made("attributes/", key="kids", label="Children", type="number"),
        "view": made("views/", name="Theirs", scope="contacts", audience="everyone", filters={}),
        "team": made("teams/", name="Theirs"),
        "label": made("labels/", name="Theirs"),
        "key": made("api-keys/", name="Theirs", scopes=["read_inbox"]),
        "invitation": made("invitations/", email=f"{unique('new')}@demo.example", role="agent"),
        "user": str(cast.cleo.pk),
        "contact_import": str(
            ContactImport.objects.create(workspace=cast.elsewhere, filename="a.csv", storage_name="none", size=1).pk
        ),
        "job": str(job.pk),
        "exam": exam.slug,
    }


def asked_of(route: str, workspace: str, found: dict[str, str]) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda name: found[name[1]], "/" + route.replace("<slug:workspace>", workspace))


def test_rows_of_another_workspace_are_as_if_they_were_nowhere(cast):
    found = rows_elsewhere(cast)
    nowhere = {name: "999999999" if name == "job" else str(uuid7()) for name in found}
    ada, cleo = client_of(cast.ada), client_of(cast.cleo)
    walked, seen = 0, set()
    for route in addresses():
        names = re.findall(r"<(?:\w+:)?(\w+)>", route.removeprefix(BELOW))
        if not route.startswith(BELOW) or not names or not set(names) <= set(found):
            continue
        if ask(cleo, "get", asked_of(route, cast.elsewhere.slug, found)).status_code == 200:
            seen |= set(names)
        for method in METHODS:
            answer = ask(ada, method, asked_of(route, cast.workspace.slug, found))
            if answer.status_code not in {404, 405}:
                # Refused for its body or by its kind, before anything was looked up
                missing = ask(ada, method, asked_of(route, cast.workspace.slug, nowhere))
                assert method != "get", (route, answer.status_code)
                assert answer.status_code in {400, 403}, (method, route, answer.status_code)
                assert answer.status_code == missing.status_code, (method, route, answer.status_code)
            walked += 1
    assert walked > 250
    assert {"contact", "conversation", "view", "team", "key", "contact_import", "job"} <= seen


# What a viewer reads; a student and a stranger find nothing there either
PAGES_OF_MEMBERS = ("inbox/", "contacts/")


@pytest.mark.parametrize("method", METHODS)
def test_outside_of_workspaces_what_is_somebody_elses_is_as_if_it_were_nowhere(method):
    """A sitting, its exam and a chat, asked for by a stranger, a viewer and another student."""
    scene = make_scene()
    cast = scene.cast
    session = scene.start()["id"]
    assert scene.log(session, item()).status_code == 200
    widget = make_widget(cast)
    guest = admit(widget)
    talk = receive(cast)
    found = {
        "session": session,
        "violation": str(Violation.objects.get(session=session).pk),
        "exam": scene.exam.slug,
        "chat": guest.start(widget, "Hola").json()["id"],
        "conversation": str(talk.pk),
        "contact_id": str(talk.contact_id),
    }
    nowhere = {name: "no-such-exam" if name == "exam" else str(uuid7()) for name in found}
    people = {"stranger": cast.cleo, "viewer": cast.vic, "student": make_user("sid")}
    walked = set()
    for route in addresses():
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        if route.startswith((BELOW, "admin/")) or not names or not set(names) <= set(found):
            continue
        for who, user in people.items():
            if who == "viewer" and route.startswith(PAGES_OF_MEMBERS):
                continue
            answer = ask(client_of(user), method, asked_of(route, "", found))
            missing = ask(client_of(user), method, asked_of(route, "", nowhere))
            assert 400 <= answer.status_code < 500, (who, route, answer.status_code)
            assert answer.status_code == missing.status_code, (who, route, answer.status_code, missing.status_code)
        walked |= set(names)
    assert walked == set(found)
