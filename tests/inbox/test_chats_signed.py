"""Whose word counts for who a visitor is: the site's, once where it says so, and the identity provider's."""

import jwt
import pytest
from django.utils import timezone

from crm.issuer import keys
from crm.models import User
from inbox.models import Channel, Conversation, Visitor
from tests.api import Api, token_for
from tests.cast import Cast, unique
from tests.inbox.test_chats import Guest, admit, reply
from tests.inbox.test_chats_return import come_back, word_for
from tests.inbox.vouching import post, signed


@pytest.fixture
def widget(vouching_widget: Channel) -> Channel:
    return vouching_widget


def test_a_signed_in_user_is_the_same_customer_in_the_widget_as_by_their_token(cast: Cast, widget: Channel):
    sam = Api(cast.sam)
    earlier = sam.post("/api/v1/chats/", {"channel": widget.slug, "body": "Earlier"}).json()["id"]
    nobody = admit(widget)
    nobody.start(widget, "As nobody")
    answer = post(widget, {"identity": token_for(cast.sam)}, nobody.token)
    assert (answer.status_code, answer.json()["identified"]) == (201, True)
    guest = Guest(answer.json()["token"])
    assert [row["id"] for row in guest.get("chats/").json()["results"]] == [earlier]
    bodies = [row["body"] for row in guest.get(f"chats/{earlier}/messages").json()["results"]]
    assert bodies == ["As nobody", "Earlier"]
    assert Visitor.objects.get(pk=answer.json()["id"]).user_id == cast.sam.pk


def test_a_user_who_is_deactivated_is_out_of_the_widget_too(cast: Cast, widget: Channel):
    nobody = admit(widget)
    guest = Guest(post(widget, {"identity": token_for(cast.sam)}).json()["token"])
    assert guest.get("chats/").status_code == 200
    User.objects.filter(pk=cast.sam.pk).update(deactivated_at=timezone.now())
    assert (guest.get("chats/").status_code, nobody.get("chats/").status_code) == (401, 200)


def test_another_user_at_the_same_browser_is_another_visitor(cast: Cast, widget: Channel):
    first = post(widget, {"identity": token_for(cast.sam)}).json()["token"]
    chat = Guest(first).start(widget, "Hola").json()["id"]
    for body in ({"identity": token_for(cast.cleo)}, {"identity": signed()}, {}):
        assert Guest(post(widget, body, first).json()["token"]).get(f"chats/{chat}/").status_code == 404


def test_a_token_that_is_over_or_of_nobody_in_particular_is_refused_and_leaves_nothing(cast: Cast, widget: Channel):
    claims = jwt.decode(token_for(cast.cleo), options={"verify_signature": False})
    for token in (
        token_for(cast.cleo, seconds=-60),
        jwt.encode(claims, "x" * 32, algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
        keys.sign({**claims, "is_anonymous": True}),
    ):
        answer = post(widget, {"identity": token})
        assert (answer.status_code, answer.json()["code"]) == (401, "identity_refused")
    assert not Visitor.objects.filter(channel=widget).exists()


def test_a_word_that_names_itself_counts_once(widget: Channel):
    word, another = signed(jti=unique("word")), signed(jti=unique("word"))
    chat = Guest(post(widget, {"identity": word}).json()["token"]).start(widget, "Hola").json()["id"]
    copied = post(widget, {"identity": word})
    assert (copied.status_code, copied.json()["code"]) == (401, "identity_refused")
    assert Visitor.objects.filter(channel=widget).count() == 1
    elsewhere = Guest(post(widget, {"identity": another}).json()["token"])
    assert [row["id"] for row in elsewhere.get("chats/").json()["results"]] == [chat]


def test_who_came_by_a_link_and_signs_in_hands_nobody_on(cast: Cast, widget: Channel):
    """Whoever was sent the link may go on with one chat. Signing in as themselves must not make the rest theirs."""
    lucia = Guest(post(widget, {"identity": signed("lucia", email=f"{unique('lucia')}@shop.example")}).json()["token"])
    first = lucia.start(widget, "Of Lucía alone").json()["id"]
    lucia.post(f"chats/{first}/end")
    contact = Conversation.objects.get(pk=first).contact
    other = Conversation.objects.create(
        workspace=cast.workspace, channel=widget, contact=contact, last_activity_at=contact.created_at
    )
    reply(cast, str(other.pk))
    came = Guest(come_back(widget, word_for(str(other.pk))).json()["token"])
    mallory = Guest(post(widget, {"identity": signed("mallory")}, came.token).json()["token"])
    assert mallory.get(f"chats/{first}/").status_code == 404
    contact.refresh_from_db()
    assert contact.merged_into_id is None
