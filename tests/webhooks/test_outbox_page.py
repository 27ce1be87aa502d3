"""/outbox as the server draws it: who gets it, and what it says without any script."""

import pytest
from django.test import Client

from crm.models import Member
from crm.roles import Role
from jobs import crons, tasks
from jobs.models import JobAttempt
from tests.api import Api
from tests.cast import receive
from tests.webhooks.outbox_scene import keep, make_job, sent, text_payload, unpacked
from webhooks.outbox import words


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


def page(user, **query):
    return Api(user).get("/outbox", **query)


def text(answer) -> str:
    return answer.content.decode()


def test_those_who_manage_get_it_members_are_told_no_and_strangers_find_nothing(cast):
    expected = {"ada": 200, "ben": 403, "tia": 403, "vic": 403, "sam": 404}
    assert {name: page(getattr(cast, name)).status_code for name in expected} == expected
    assert page(cast.cleo, workspace=cast.workspace.slug).status_code == 404
    assert page(cast.ben, workspace=cast.workspace.slug).status_code == 403
    assert Client().get("/outbox").status_code == 302


def test_only_those_who_manage_have_it_in_the_rail(cast):
    make_job(cast)
    ada, ben = text(Api(cast.ada).get("/inbox")), text(Api(cast.ben).get("/inbox"))
    assert 'href="/outbox"' in ada
    assert '<span data-rail="failed-count">1</span>' in ada
    assert 'href="/outbox"' not in ben


def test_it_shows_what_is_not_over_and_says_why(cast):
    failed = make_job(cast, error_code="131026", last_error="ProviderError: the customer cannot be reached")
    done = make_job(cast, "completed")
    found = text(page(cast.ada))
    assert failed.key in found
    assert done.key not in found
    assert "The customer cannot be reached." in found
    assert "Retry the one that failed" in found
    assert done.key in text(page(cast.ada, status="completed"))


def test_an_opened_job_shows_its_tries_and_the_way_to_its_message(cast):
    conversation = receive(cast)
    message, job = sent(cast, conversation)
    JobAttempt.objects.create(job_id=job.pk, attempt=1, error="ProviderError: busy just now", error_code="130429")
    found = text(page(cast.ada, open=str(job.pk)))
    assert "Busy just now." in found
    assert f'href="/inbox/{conversation.pk}"' in found
    assert "Send a WhatsApp message" in found
    assert message.body not in found


def test_a_job_that_is_linked_to_shows_whatever_the_filter(cast):
    job = make_job(cast, "completed")
    assert job.key in text(page(cast.ada, open=str(job.pk)))
    other = make_job(None)
    assert other.key not in text(page(cast.ada, open=str(other.pk)))


def test_deliveries_show_what_they_became_and_their_body_when_opened(cast):
    broken = keep(cast, b'{"half": ', state="failed", outcome={"reason": "The body is not JSON."})
    unpacked(cast, text_payload("Halo"))
    found = text(page(cast.ada, tab="deliveries"))
    assert "The body is not JSON." in found
    assert "1 of 1 still to do" in found
    assert "half" not in found
    opened = text(page(cast.ada, tab="deliveries", open=str(broken.pk)))
    assert "{&quot;half&quot;: " in opened


@pytest.mark.parametrize(
    "query",
    [
        {"tab": "lost"},
        {"status": "lost,failed"},
        {"cursor": "nonsense"},
        {"open": "99999999999999999999"},
        {"tab": "calls", "open": "x"},
        {"tab": "deliveries", "provider": "lost", "status": "lost"},
        {"scope": "platform"},
    ],
)
def test_words_in_the_address_that_mean_nothing_are_ignored(cast, query):
    make_job(cast)
    assert page(cast.ada, **query).status_code == 200


def test_what_was_written_into_a_key_is_no_markup(cast):
    make_job(cast, key='<script>alert("x")</script>' + str(cast.workspace.pk))
    assert "<script>alert" not in text(page(cast.ada))


def test_the_page_takes_the_same_queries_for_few_rows_and_for_many(cast, assert_queries):
    for count in (2, 20):
        for _ in range(count):
            make_job(cast, payload={"message_id": str(cast.workspace.pk)})
        with assert_queries(9):
            page(cast.ada)


def test_the_part_that_is_fetched_again_has_no_shell(cast):
    found = text(page(cast.ada, part="body"))
    assert "data-rows" in found
    assert "<html" not in found


def test_an_admin_manages_too(cast):
    Member.objects.filter(workspace=cast.workspace, user=cast.bea).update(role=Role.ADMIN)
    assert page(cast.bea).status_code == 200


def test_words_are_for_jobs_and_crons_that_there_are():
    assert set(words.JOBS) - set(tasks.registered()) == set()
    assert set(words.CRONS) - set(crons.registered()) == set()
    assert words.job_title("inbox.do_what_is_new") == "Do what is new"
