"""A reply on its way out: whatever breaks between us and the provider, it is sent once or says that nobody knows."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from inbox.clients.kapso import Accepted, KapsoClient
from inbox.clients.outgoing import Outgoing
from inbox.errors import NotRetryable
from inbox.models import Message
from inbox.services import outbox
from inbox.services.messages import retry_message, send_message
from inbox.states import MessageStatus
from jobs.errors import ProviderError
from jobs.models import Job
from tests.cast import receive, unique
from tests.jobs_at_hand import run_job


@dataclass
class Provider:
    """Stands in for the provider: what it accepted, and how the next calls break."""

    accepted: list[str] = field(default_factory=list)
    calls: int = 0
    breaks: list[ProviderError] = field(default_factory=list)
    lists: bool = True

    def send(self, callback_data: str) -> Accepted:
        self.calls += 1
        error = self.breaks.pop(0) if self.breaks else None
        if error is None or error.code == "accepted":
            self.accepted.append(callback_data)
        if error:
            raise error
        return Accepted(provider_id=f"wamid.{callback_data}", wa_id="34600")

    def find_sent(self, callback_data: str) -> Accepted | None:
        if not self.lists:
            raise ProviderError("no list here", permanent=False)
        return Accepted(f"wamid.{callback_data}", "34600") if callback_data in self.accepted else None


@pytest.fixture
def provider(monkeypatch):
    provider = Provider()

    def send(_client: KapsoClient, message: Outgoing) -> Accepted:
        return provider.send(message.callback_data)

    def find_sent(_client: KapsoClient, message: Outgoing, **_: object) -> Accepted | None:
        return provider.find_sent(message.callback_data)

    monkeypatch.setattr(KapsoClient, "send", send)
    monkeypatch.setattr(KapsoClient, "find_sent", find_sent)
    return provider


@pytest.fixture
def sent(cast):
    """A queued reply, and what drives its job."""
    conversation = receive(cast)
    message, _ = send_message(
        actor=cast.actor(cast.ben), conversation_id=conversation.pk, client_id=uuid4(), body="Voy"
    )
    return Sent(cast, message)


@dataclass
class Sent:
    cast: object
    message: Message

    @property
    def job(self) -> Job:
        return Job.objects.filter(key__startswith=f"send:{self.message.pk}:").latest("id")

    def run(self) -> Message:
        """The job's next run, however long it would have waited."""
        run_job(self.job.pk)
        self.message.refresh_from_db()
        return self.message

    def later(self, **delta: float) -> None:
        Message.objects.filter(pk=self.message.pk).update(sending_since=timezone.now() - timedelta(**delta))

    def hears(self, status: str, *, provider_id: str = "", **given: str) -> None:
        outbox.record_receipt(
            workspace_id=self.message.workspace_id,
            channel_id=self.message.channel_id,
            receipt=outbox.Receipt(
                provider_id=provider_id or f"wamid.{self.message.pk}",
                status=MessageStatus(status),
                at=datetime.now(UTC),
                **given,
            ),
        )
        self.message.refresh_from_db()


def broken(*, maybe_sent: bool, accepted: bool = False) -> ProviderError:
    return ProviderError(
        "the line broke", permanent=False, maybe_sent=maybe_sent, code="accepted" if accepted else "line"
    )


def test_accepted_means_sent(sent, provider):
    message = sent.run()
    assert (message.status, message.provider_id) == ("sent", f"wamid.{message.pk}")
    assert sent.job.status == "completed"


def test_it_climbs_and_never_falls(sent, provider):
    sent.run()
    seen = []
    for status in ("read", "sent", "delivered", "failed", "delivered"):
        sent.hears(status)
        seen.append(sent.message.status)
    assert seen == ["read"] * 5
    assert sent.message.delivered_at is not None
    assert sent.message.error_message == ""


def test_failed_after_sent_shows_the_providers_reason(sent, provider):
    sent.run()
    sent.hears("failed", error_code="131047", error_message="More than 24 hours have passed")
    assert (sent.message.status, sent.message.error_code) == ("failed", "131047")
    sent.hears("delivered")  # the provider knows better than its own failure
    assert (sent.message.status, sent.message.error_message) == ("delivered", "")


def test_receipts_that_come_before_the_answer_count(sent, provider):
    sent.hears("sent")
    sent.hears("delivered")
    assert sent.message.status == "queued"
    assert sent.run().status == "delivered"


def test_a_call_that_surely_failed_is_tried_again(sent, provider):
    provider.breaks = [broken(maybe_sent=False)]
    assert sent.run().status == "queued"
    assert sent.job.status == "pending"
    assert sent.run().status == "sent"
    assert len(provider.accepted) == 1


def test_a_call_that_broke_off_after_acceptance_is_found_not_repeated(sent, provider):
    provider.breaks = [broken(maybe_sent=True, accepted=True)]
    assert sent.run().status == "unknown"
    assert sent.run().status == "sent"
    assert provider.calls == 1


def test_a_call_that_broke_off_is_sent_again_only_when_the_providers_list_has_settled(sent, provider):
    provider.breaks = [broken(maybe_sent=True)]
    assert sent.run().status == "unknown"
    assert sent.run().status == "unknown"
    assert provider.calls == 1
    sent.later(seconds=20)
    assert sent.run().status == "sent"
    assert (provider.calls, len(provider.accepted)) == (2, 1)


def test_a_worker_killed_between_acceptance_and_commit_sends_once(sent, provider):
    outbox.begin(message_id=sent.message.pk, attempt=0)
    provider.send(str(sent.message.pk))  # accepted, and the worker is gone
    message = sent.run()
    assert message.status == "sent"
    assert provider.accepted == [str(message.pk)]


def test_a_receipt_that_names_our_id_settles_an_unknown(sent, provider):
    provider.breaks = [broken(maybe_sent=True, accepted=True)]
    sent.run()
    sent.hears("delivered", provider_id=unique("wamid"), callback_data=str(sent.message.pk))
    assert sent.message.status == "delivered"
    assert sent.run().status == "delivered"
    assert provider.calls == 1


def test_what_nobody_can_find_out_stays_unknown_and_a_person_decides(sent, provider):
    provider.breaks, provider.lists = [broken(maybe_sent=True)], False
    sent.run()
    Job.objects.filter(pk=sent.job.pk).update(attempts=7)
    message = sent.run()
    assert (sent.job.status, message.status) == ("failed", "unknown")
    assert message.error_message

    retry_message(actor=sent.cast.actor(sent.cast.ben), conversation_id=message.conversation_id, message_id=message.pk)
    assert sent.run().status == "sent"
    assert provider.calls == 2


def test_a_permanent_refusal_fails_at_once_with_its_reason_and_retry_really_sends(sent, provider):
    provider.breaks = [ProviderError("This number is not on WhatsApp.", permanent=True, code="131026")]
    message = sent.run()
    assert (message.status, message.error_code) == ("failed", "131026")
    assert message.error_message == "This number is not on WhatsApp."
    assert provider.accepted == []

    retry_message(actor=sent.cast.actor(sent.cast.bea), conversation_id=message.conversation_id, message_id=message.pk)
    message.refresh_from_db()
    assert (message.status, message.error_message) == ("queued", "")
    assert sent.run().status == "sent"
    assert provider.calls == 2


def test_only_what_did_not_arrive_can_be_retried(sent, provider):
    sent.run()
    with pytest.raises(NotRetryable):
        retry_message(
            actor=sent.cast.actor(sent.cast.ben),
            conversation_id=sent.message.conversation_id,
            message_id=sent.message.pk,
        )


def test_two_impatient_retries_send_once(sent, provider, at_once):
    provider.breaks = [ProviderError("No.", permanent=True)]
    message = sent.run()
    results = at_once(
        lambda: retry_message(
            actor=sent.cast.actor(sent.cast.ben), conversation_id=message.conversation_id, message_id=message.pk
        ),
        2,
    )
    assert sum(isinstance(result, NotRetryable) for result in results) == 1
    sent.run()
    assert len(provider.accepted) == 1


def test_a_receipt_and_the_answer_at_the_same_instant_both_count(cast, provider, at_once):
    for _ in range(8):
        conversation = receive(cast)
        message, _ = send_message(
            actor=cast.actor(cast.ben), conversation_id=conversation.pk, client_id=uuid4(), body="Ya"
        )
        outbox.begin(message_id=message.pk, attempt=0)
        case = Sent(cast, message)
        results = at_once(
            [
                lambda case=case: outbox.mark_accepted(
                    message_id=case.message.pk, attempt=0, provider_id=f"wamid.{case.message.pk}"
                ),
                lambda case=case: case.hears("delivered"),
            ]
        )
        assert [result for result in results if isinstance(result, Exception)] == []
        message.refresh_from_db()
        assert message.status == "delivered"
