"""Django admin: who gets in, every table has its pages, and nothing secret is on them."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from crm.encryption import EncryptedJSONField
from crm.models import ApiKey, AuditEntry, Invitation, Member, User, Workspace
from crm.models.people import PLATFORM_ADMIN
from crm.roles import Role
from crm.services import roles
from inbox.models import Channel, Message
from jobs import crons
from jobs.models import Job, JobMeta
from jobs.states import Status
from tests.api import token_for
from tests.cast import Cast, make_user, receive, unique
from tests.jobs_at_hand import run_job
from tests.webhooks.outbox_scene import keep, run_items, text_payload
from webhooks.models import Delivery, DeliveryState

OURS = ("live", "jobs", "crm", "inbox", "proctoring", "webhooks")
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""


def browser(user: Any = None) -> Client:
    headers = {"authorization": f"Bearer {token_for(user)}"} if user else {}
    return Client(headers=headers)


@pytest.fixture(scope="module")
def root() -> Any:
    user = make_user("root")
    return roles.grant_role(by=None, user_id=user.pk, role=PLATFORM_ADMIN)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


def path(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_table_is_in_the_admin():
    missing = {
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in OURS
        and model not in admin.site._registry
        # All that Django admin cannot show
        and not model._meta.is_composite_pk
    }
    assert missing == set()


@pytest.mark.parametrize("address", ["/admin/", "/admin/crm/contact/", "/admin/jobs/job/", "/admin/nothing/here/"])
def test_only_platform_admins_find_it(cast: Cast, address: str):
    assert browser(cast.ada).get(address).status_code == 404
    answer = browser().get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=%2Fadmin")


def test_a_deactivated_admin_is_out(cast: Cast):
    other = make_user("gone")
    roles.grant_role(by=None, user_id=other.pk, role=PLATFORM_ADMIN)
    roles.grant_role(by=None, user_id=make_user("stays").pk, role=PLATFORM_ADMIN)
    assert browser(other).get("/admin/").status_code == 200
    roles.deactivate_user(by=None, user_id=other.pk)
    assert browser(other).get("/admin/").status_code == 401


def test_there_is_no_password_to_change_and_no_sign_in_of_its_own(root: Any):
    assert browser(root).get("/admin/password_change/").status_code == 404
    assert browser().get("/admin/login/").status_code == 302


def test_the_first_page_opens(root: Any):
    answer = browser(root).get("/admin/")
    assert answer.status_code == 200
    assert "script-src 'self' 'unsafe-eval'" in answer["Content-Security-Policy"]
    assert "unsafe-inline" not in answer["Content-Security-Policy"].split("style-src")[0]


def test_every_page_leads_to_the_others(root: Any):
    for address in ("/admin/", "/admin/crm/contact/"):
        shown = browser(root).get(address).content.decode()
        assert 'id="nav-sidebar"' in shown
        assert 'href="/admin/jobs/job/"' in shown
        assert "favicon.svg" in shown


def test_the_rest_of_the_product_keeps_its_policy(cast: Cast):
    policy = browser(cast.ada).get("/inbox")["Content-Security-Policy"]
    assert "unsafe" not in policy


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_a_list_opens_and_searches(root: Any, model: Any, assert_queries: Any):
    page = admin.site._registry[model]
    with assert_queries(12):
        answer = browser(root).get(path(model, "changelist"))
    assert answer.status_code == 200
    for term in ("12345", "0199a000-0000-7000-8000-000000000000", "%_' lucía"):
        rows, _ = page.get_search_results(answer.wsgi_request, page.get_queryset(answer.wsgi_request), term)
        list(rows[:2])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_nothing_secret_is_listed_or_shown(root: Any, model: Any):
    page, request = admin.site._registry[model], RequestFactory().get("/admin/")
    request.user = root
    names = {*page.get_fields(request, model()), *page.get_list_display(request)}
    for field in model._meta.concrete_fields:
        if isinstance(field, EncryptedJSONField) or "digest" in field.name or "password" in field.name:
            assert field.name not in names


def test_secrets_are_not_even_read(root: Any, cast: Cast):
    answer = browser(root).get(path(Channel, "change", cast.channel.pk))
    assert answer.status_code == 200
    assert "test-kapso" not in answer.content.decode()


def test_what_people_wrote_is_not_shown(root: Any, cast: Cast):
    conversation = receive(cast, "my secret diary")
    client = browser(root)
    for page in (
        path(type(conversation), "change", conversation.pk),
        path(conversation.last_message.__class__, "change", conversation.last_message_id),
        path(conversation.last_message.__class__, "changelist"),
    ):
        answer = client.get(page)
        assert answer.status_code == 200
        assert "secret diary" not in answer.content.decode()


def act(client: Client, model: Any, action: str, *rows: Any) -> str:
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    answer = client.post(path(model, "changelist"), data, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_failed_job_is_tried_again_and_dismissed(root: Any, cast: Cast):
    job = Job.objects.create(
        key=unique("job"),
        type="crm.nothing",
        workspace_id=cast.workspace.pk,
        status=Status.FAILED,
        completed_at="2026-01-01T00:00Z",
    )
    client = browser(root)
    assert "1 job is dismissed." in act(client, Job, "dismiss", job)
    job.refresh_from_db()
    assert job.status == Status.DISMISSED
    assert "dismissed already" in act(client, Job, "dismiss", job)
    assert "1 job is tried again." in act(client, Job, "retry", job)
    entry = AuditEntry.objects.filter(action="job.retried", target_id=str(job.pk)).get()
    assert entry.actor_id == root.pk


def test_a_delivery_is_read_anew_once(root: Any, cast: Cast):
    delivery = keep(cast, text_payload("Halo"), state=DeliveryState.FAILED, outcome={"reason": "unreadable"})
    client = browser(root)
    for state, shown in (("failed", True), ("applied", False)):
        page = client.get(path(Delivery, "changelist"), {"state": state, "workspace": str(cast.workspace.pk)})
        assert (f'value="{delivery.pk}"' in page.content.decode()) == shown
    assert "1 delivery is read anew." in act(client, Delivery, "replay", delivery)
    assert "being read right now" in act(client, Delivery, "replay", delivery)
    run_job(Job.objects.get(key=f"delivery:{delivery.pk}:1").pk)
    run_items(delivery)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.replays) == (DeliveryState.APPLIED, 1)
    assert Message.objects.filter(workspace=cast.workspace, body="Halo").count() == 1
    assert AuditEntry.objects.get(action="delivery.replayed", target_id=str(delivery.pk)).actor_id == root.pk


def test_whoever_alone_owns_a_workspace_is_not_deactivated(root: Any, cast: Cast):
    said = act(browser(root), User, "deactivate", cast.ada, cast.ben)
    assert "1 person is deactivated." in said
    assert "keeps at least one owner" in said
    for user, stays in ((cast.ada, True), (cast.ben, False)):
        user.refresh_from_db()
        assert user.is_active == stays


def test_crons_say_in_words_how_they_stand(root: Any):
    name = min(crons.registered())
    row, _made = JobMeta.objects.get_or_create(name=name)
    before = (row.last_run_at, row.last_duration, row.stats)
    try:
        for ago, word in ((timedelta(minutes=3, seconds=5), "on time"), (timedelta(days=30), "overdue")):
            row.last_run_at, row.last_duration = datetime.now(UTC) - ago, timedelta(seconds=1.25)
            row.stats = {"removed": 12_000, "away": False, "marks": ["0199a000"]}
            row.save()
            shown = browser(root).get(path(JobMeta, "changelist"), {"q": name}).content.decode()
            for words in (word, "3 min ago" if ago.days == 0 else "30 d ago", "1,250 ms", "away no, removed 12,000"):
                assert words in shown
            assert "0199a000" not in shown
    finally:
        row.last_run_at, row.last_duration, row.stats = before
        row.save()


def test_a_list_that_nothing_narrows_offers_no_more(root: Any, cast: Cast):
    client = browser(root)
    assert "Show all" not in client.get(path(Workspace, "changelist")).content.decode()
    assert "Show all" in client.get(path(Workspace, "changelist"), {"q": cast.workspace.slug}).content.decode()


@pytest.mark.parametrize("page", ["add", "delete"])
def test_the_journal_the_jobs_and_the_audit_log_take_no_changes(root: Any, page: str):
    job = Job.objects.create(key=unique("job"), type="crm.nothing")
    client = browser(root)
    for model, row in ((Job, job), (AuditEntry, AuditEntry.objects.create(action="a.b", target_kind="x"))):
        assert client.post(path(model, page, *([row.pk] if page == "delete" else []))).status_code == 403
        assert client.post(path(model, "change", row.pk), {"status": "failed", "action": "c.d"}).status_code == 403


def test_a_role_changes_by_the_service_which_keeps_the_last_owner(root: Any, cast: Cast):
    client = browser(root)
    owner = Member.objects.get(workspace=cast.workspace, user=cast.ada)
    answer = client.post(path(Member, "change", owner.pk), {"role": Role.AGENT}, follow=True)
    assert "keeps at least one owner" in answer.content.decode()
    agent = Member.objects.get(workspace=cast.workspace, user=cast.ben)
    client.post(path(Member, "change", agent.pk), {"role": Role.VIEWER})
    agent.refresh_from_db()
    owner.refresh_from_db()
    assert (agent.role, owner.role) == (Role.VIEWER, Role.OWNER)
    assert client.post(path(Member, "delete", agent.pk), {"post": "yes"}).status_code == 302
    assert not Member.objects.filter(pk=agent.pk).exists()


def test_a_workspace_is_made_with_its_owner(root: Any, cast: Cast):
    slug = unique("made")
    form = {"slug": slug, "name": "Made", "timezone": "Europe/Madrid", "default_region": "ES", "owner": cast.ben.email}
    assert browser(root).post(path(Workspace, "add"), form).status_code == 302
    made = Workspace.objects.get(slug=slug)
    assert Member.objects.get(workspace=made).user == cast.ben
    again = browser(root).post(
        path(Workspace, "add"), {**form, "slug": unique("m"), "timezone": "Mars/Olympus"}, follow=True
    )
    assert "no time zone" in again.content.decode()


def test_new_credentials_of_a_channel_go_in_and_never_come_out(root: Any, cast: Cast):
    client, page = browser(root), path(Channel, "change", cast.channel.pk)
    form = {"name": "Desk", "identifier": "1", "phone": "+15550100001", "is_active": "on"}
    assert client.post(page, {**form, "webhook_secrets": "fresh-secret"}).status_code == 302
    cast.channel.refresh_from_db()
    assert cast.channel.name == "Desk"
    assert cast.channel.credentials["webhook_secrets"][0] == "fresh-secret"
    assert len(cast.channel.credentials["webhook_secrets"]) == 2
    assert cast.channel.credentials["api_key"] == "test-kapso-key"
    assert "fresh-secret" not in client.get(page).content.decode()
    entry = AuditEntry.objects.get(action="channel.changed", target_id=str(cast.channel.pk))
    assert "fresh-secret" not in str(entry.detail)
    assert entry.detail["secrets"] == ["webhook_secrets"]
    slug = unique("new")
    made = {**form, "workspace": str(cast.workspace.pk), "slug": slug, "kind": "twilio", "auth_tokens": "tok"}
    assert client.post(path(Channel, "add"), made).status_code == 302
    assert Channel.objects.get(slug=slug).credentials == {"auth_tokens": ["tok"]}


def test_a_key_and_an_invitation_are_revoked_and_it_is_written_down(root: Any, cast: Cast):
    key = ApiKey.objects.create(
        workspace=cast.workspace, name="bot", prefix="sb_12345678", digest=os.urandom(32), created_by=cast.ada
    )
    invitation = Invitation.objects.create(
        workspace=cast.workspace, email="new@demo.example", role=Role.AGENT, digest=os.urandom(32), expires_at=soon()
    )
    client = browser(root)
    assert "1 key is revoked." in act(client, ApiKey, "revoke", key)
    assert "1 invitation is revoked." in act(client, Invitation, "revoke", invitation)
    key.refresh_from_db()
    invitation.refresh_from_db()
    assert key.revoked_at is not None
    assert invitation.revoked_at is not None
    entries = AuditEntry.objects.filter(workspace=cast.workspace, actor_name__startswith="platform admin")
    assert entries.count() == 2


def test_the_first_page_reads_a_bounded_number_of_rows(root: Any, assert_queries: Any):
    with assert_queries(12):
        answer = browser(root).get("/admin/")
    assert "Messages" in answer.content.decode()
