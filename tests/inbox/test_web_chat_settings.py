"""A workspace sets up its web chat in /settings: what is saved is what the chat does, and secrets are shown once."""

import re
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.test import Client
from django.utils import timezone

from crm.models import AuditEntry
from inbox.models import Channel
from tests.api import token_for
from tests.cast import Cast
from tests.inbox.test_chats import make_widget

FORM = {"do": "save", "origins": "", "greeting": "", "email_after": "60", "proof_bits": "0", "files": "on"}


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""


@pytest.fixture
def widget(cast: Cast) -> Channel:
    return make_widget(cast, note_of_another_kind="stays")


def signed_in(user: Any) -> Client:
    return Client(headers={"authorization": f"Bearer {token_for(user)}"})


def post(user: Any, channel: Channel, **fields: Any) -> Any:
    return signed_in(user).post("/settings/web-chat", {"channel": channel.slug, **fields})


def secret_in(answer: Any) -> str:
    found = re.search(r'id="new-secret"[^>]* value="([^"]+)"', answer.content.decode())
    assert found
    return found[1]


def identified(channel: Channel, secret: str) -> int:
    word = jwt.encode({"sub": "u-1", "exp": timezone.now() + timedelta(hours=1)}, secret, "HS256")
    body = {"identity": word}
    path = f"/api/v1/widgets/{channel.slug}/visitors"
    return Client().post(path, body, content_type="application/json").status_code


def test_what_is_saved_is_what_the_chat_says_and_asks(cast: Cast, widget: Channel):
    fields = {
        **FORM,
        "origins": "https://shop.example\nhttps://*.Shop.example/",
        "greeting": "¡Hola!",
        "accent_on": "on",
        "accent": "#A01234",
        "label_0": "Your e-mail",
        "kind_0": "email",
        "required_0": "on",
        "label_3": "Order number",
        "kind_3": "other",
        "continue_by_email": "on",
    }
    assert post(cast.ada, widget, **fields).status_code == 303
    shown = Client().get(f"/api/v1/widgets/{widget.slug}/").json()
    assert (shown["greeting"], shown["accent"], shown["files"], shown["rating"]) == ("¡Hola!", "#a01234", True, False)
    assert shown["questions"] == [
        {"name": "email", "label": "Your e-mail", "required": True},
        {"name": "order-number", "label": "Order number", "required": False},
    ]
    widget.refresh_from_db()
    assert widget.settings["origins"] == ["https://shop.example", "https://*.shop.example"]
    assert widget.settings["continue_by_email"] is True
    assert widget.settings["note_of_another_kind"] == "stays"
    page = signed_in(cast.ada).get("/settings/web-chat", {"channel": widget.slug}).content.decode()
    assert f"data-channel=&quot;{widget.slug}&quot; data-accent=&quot;#a01234&quot; async" in page
    entry = AuditEntry.objects.get(workspace=cast.workspace, action="channel.changed")
    assert entry.detail["greeting"] == [None, "¡Hola!"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"origins": "shop.example"},
        {"origins": "https://shop.example; script-src *"},
        {"origins": "https://shop.example/path"},
        {"accent_on": "on", "accent": "red"},
        {"email_after": "-1"},
        {"email_after": "soon"},
        {"proof_bits": "99"},
        {"label_0": "A", "kind_0": "email", "label_1": "B", "kind_1": "email"},
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(cast: Cast, widget: Channel, wrong: dict[str, str]):
    answer = post(cast.ada, widget, **{**FORM, "greeting": "As typed", **wrong})
    assert answer.status_code == 400
    assert "As typed" in answer.content.decode()
    widget.refresh_from_db()
    assert "greeting" not in widget.settings


def test_a_secret_is_shown_once_and_the_old_one_stays_good_until_it_is_dropped(cast: Cast, widget: Channel):
    first = secret_in(post(cast.ada, widget, do="renew"))
    assert identified(widget, first) == 201
    second = secret_in(post(cast.ada, widget, do="renew"))
    page = signed_in(cast.ada).get("/settings/web-chat", {"channel": widget.slug}).content.decode()
    assert first not in page
    assert second not in page
    assert (identified(widget, first), identified(widget, second)) == (201, 201)
    assert post(cast.ada, widget, do="drop").status_code == 303
    assert (identified(widget, first), identified(widget, second)) == (401, 201)
    told = str(list(AuditEntry.objects.filter(workspace=cast.workspace).values_list("detail", flat=True)))
    assert first not in told
    assert second not in told


def test_who_does_not_manage_channels_neither_sees_nor_changes_it(cast: Cast, widget: Channel):
    for user in (cast.ben, cast.vic, cast.tia):
        assert post(user, widget, **FORM).status_code in {403, 404}
    assert signed_in(cast.ben).get("/settings/web-chat").status_code in {403, 404}
    assert post(cast.cleo, widget, **FORM).status_code == 404
    assert post(cast.cleo, widget, do="renew").status_code == 404
    widget.refresh_from_db()
    assert widget.settings == {"note_of_another_kind": "stays"}
