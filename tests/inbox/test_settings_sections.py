"""The inbox's sections of /settings, as plain forms: who reaches which, and what they change."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from crm.models import AuditEntry, Member, SavedView, Team
from inbox.models import Channel, Label, Macro, Rule, SavedReply
from tests.cast import unique
from tests.crm.conftest import account_for
from tests.crm.conftest import own_issuer as own_issuer

pytestmark = pytest.mark.usefixtures("own_issuer")
FOR_AGENTS = ("labels", "views", "saved-replies", "macros", "notifications")
FOR_ADMINS = ("teams", "channels", "rules")


def of(user: Any) -> Client:
    client = Client()
    account_for(user).sign_in(client)
    return client


def post(client: Client, section: str, **fields: Any) -> Any:
    return client.post(f"/settings/{section}", fields)


def test_each_section_is_for_those_who_may(cast, assert_queries):
    ada, ben, vic = (of(user) for user in (cast.ada, cast.ben, cast.vic))
    for section in (*FOR_AGENTS, *FOR_ADMINS):
        with assert_queries(14):
            answer = ada.get(f"/settings/{section}")
        assert answer.status_code == 200
        assert "{%" not in answer.content.decode()
        assert ben.get(f"/settings/{section}").status_code == (403 if section in FOR_ADMINS else 200)
        assert vic.get(f"/settings/{section}").status_code == (200 if section in {"views", "notifications"} else 403)


def test_a_label_is_made_changed_and_deleted(cast):
    ben, name = of(cast.ben), unique("Refund")
    assert post(ben, "labels", do="create", name=name, hue="4").status_code == 303
    label = Label.objects.get(workspace=cast.workspace, name=name)
    assert label.hue == 4
    post(ben, "labels", do="save", id=label.pk, name=f"{name} 2", hue="5")
    label.refresh_from_db()
    assert (label.name, label.hue) == (f"{name} 2", 5)
    again = post(ben, "labels", do="create", name=f"{name} 2")
    assert again.status_code == 409
    assert f'value="{name} 2"' in again.content.decode()
    post(ben, "labels", do="delete", id=label.pk)
    assert not Label.objects.filter(pk=label.pk).exists()


def test_a_saved_reply_with_an_unknown_blank_is_refused_where_it_was_typed(cast):
    ben, shortcut = of(cast.ben), unique("hello")
    fields = {"do": "create", "shortcut": shortcut, "title": "Hello", "audience": "everyone"}
    wrong = post(ben, "saved-replies", **fields, body="Dear {{contact.shoe}}")
    assert wrong.status_code == 400
    assert "Dear {{contact.shoe}}" in wrong.content.decode().replace("&#x27;", "'")
    assert post(ben, "saved-replies", **fields, body="Dear {{contact.name}}").status_code == 303
    row = SavedReply.objects.get(workspace=cast.workspace, shortcut=shortcut)
    post(ben, "saved-replies", **{**fields, "do": "save", "audience": "mine"}, id=row.pk, body="Dear")
    row.refresh_from_db()
    assert (row.body, row.audience, row.owner_id) == ("Dear", "mine", cast.ben.pk)
    assert post(of(cast.bea), "saved-replies", do="delete", id=row.pk).status_code == 404


def test_a_macro_keeps_its_steps_in_order_and_refuses_what_no_step_is(cast):
    ben, name = of(cast.ben), unique("Close")
    what = [json.dumps({"do": do, "value": value}) for do, value in (("reply", None), ("status", "resolved"))]
    fields = {"do": "create", "name": name, "audience": "everyone", "what": [*what, ""], "text": ["Bye", "", ""]}
    assert post(ben, "macros", **fields).status_code == 303
    row = Macro.objects.get(workspace=cast.workspace, name=name)
    assert row.steps == [{"do": "reply", "value": "Bye"}, {"do": "status", "value": "resolved"}]
    shown = ben.get("/settings/macros").content.decode()
    assert re.search(r'<option value="[^"]*resolved[^"]*" selected>', shown)
    for nonsense in ("[]", "nothing", '{"do": "explode"}', '{"do": "status", "value": "gone"}'):
        assert post(ben, "macros", **{**fields, "what": [nonsense], "text": [""]}).status_code == 400


def test_a_team_has_members_and_shares_out(cast):
    ada, name = of(cast.ada), unique("Night")
    fields = {"name": name, "members": [str(cast.ben.pk)], "assigns_itself": "on", "most_open": "7"}
    assert post(ada, "teams", do="create", **fields).status_code == 303
    team = Team.objects.get(workspace=cast.workspace, name=name)
    assert (team.assigns_itself, team.most_open, team.members.get().user_id) == (True, 7, cast.ben.pk)
    post(ada, "teams", do="save", id=team.pk, name=name)
    team.refresh_from_db()
    assert (team.assigns_itself, team.most_open, team.members.count()) == (False, None, 0)
    post(ada, "teams", do="delete", id=team.pk)
    assert not Team.objects.filter(pk=team.pk).exists()


def test_a_view_is_renamed_and_shared(cast, desk):
    view = desk.ben.post("views/", {"scope": "conversations", "name": "Mine", "filters": {"all": []}}).json()
    post(of(cast.ben), "views", do="save", id=view["id"], name="Ours", audience="everyone", position="3")
    row = SavedView.objects.get(pk=view["id"])
    assert (row.name, row.audience, row.position) == ("Ours", "everyone", 3)


def test_a_channel_takes_a_new_secret_and_never_shows_one(cast):
    ada, slug = of(cast.ada), unique("line").lower()
    fields = {"name": "Night line", "identifier": "123456", "phone": "+15550104444"}
    made = post(ada, "channels", do="create", kind="kapso", slug=slug, **fields, api_key="first-secret")
    assert made.status_code == 303
    post(ada, "channels", do="save", channel=slug, **fields, is_active="on", webhook_secrets="second-secret")
    row = Channel.objects.get(slug=slug)
    assert row.credentials == {"api_key": "first-secret", "webhook_secrets": ["second-secret"]}
    shown = ada.get("/settings/channels").content.decode()
    assert f"/webhooks/kapso/{slug}" in shown
    assert "first-secret" not in shown
    assert "second-secret" not in shown
    written = AuditEntry.objects.filter(workspace=cast.workspace, target_id=str(row.pk)).order_by("id")
    assert [(one.action, one.actor_id) for one in written] == [
        ("channel.created", cast.ada.pk),
        ("channel.changed", cast.ada.pk),
    ]
    assert "secret" not in str([one.detail for one in written]).replace("webhook_secrets", "").replace("secrets", "")
    wrong = post(ada, "channels", do="save", channel=slug, **{**fields, "phone": "12"})
    assert wrong.status_code == 400
    assert post(of(cast.cleo), "channels", do="save", channel=slug, **fields).status_code == 404


def test_one_is_away_by_choice(cast):
    ben = of(cast.ben)
    post(ben, "profile", do="available", availability="away")
    assert Member.objects.get(workspace=cast.workspace, user=cast.ben).availability == "away"
    assert post(ben, "profile", do="available", availability="gone").status_code == 400


def test_one_says_what_one_is_told(cast, desk):
    post(of(cast.ben), "notifications", do="save", wanted=["assigned.page", "mentioned.email"])
    kinds = {one["kind"]: one["ways"] for one in desk.ben.get("notices/preferences").json()["kinds"]}
    assert [way for way, on in kinds["assigned"].items() if on] == ["page"]
    assert [way for way, on in kinds["mentioned"].items() if on] == ["email"]
    assert not any(kinds["message"].values())


def test_a_rule_is_made_changed_and_deleted(cast):
    ada = of(cast.ada)
    steps = [{"do": "priority", "value": "urgent"}]
    macro = Macro.objects.create(workspace=cast.workspace, name="Hurry", steps=steps, owner=cast.ada)
    fields = {"name": "Refunds", "event": "wrote", "view": "", "words": "refund,  money back ,", "macro": str(macro.pk)}
    assert post(ada, "rules", do="create", **fields, is_on="on").status_code == 303
    rule = Rule.objects.get(workspace=cast.workspace)
    assert (rule.name, rule.words, rule.is_on, rule.is_last) == ("Refunds", ["refund", "money back"], True, False)
    page = ada.get("/settings/rules").content.decode()
    assert "The customer writes → <bdi>Hurry</bdi>" in page
    assert "has not run yet" in page
    refused = post(ada, "rules", do="save", id=rule.pk, **{**fields, "name": ""}, is_last="on")
    assert refused.status_code == 400
    typed = refused.content.decode()
    assert 'name="is_last" checked' in typed
    assert 'name="is_on" checked' in typed.split(f'data-rule="{rule.pk}"')[0]
    assert 'name="is_on" checked' not in typed.split(f'data-rule="{rule.pk}"')[1]
    post(ada, "rules", do="save", id=rule.pk, **fields, is_last="on")
    rule.refresh_from_db()
    assert (rule.is_on, rule.is_last) == (False, True)
    post(ada, "rules", do="delete", id=rule.pk)
    assert not Rule.objects.filter(pk=rule.pk).exists()
