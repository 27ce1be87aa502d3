"""What admins do in the outbox: try again, now, let it be, read a delivery anew. Nothing is done twice by it."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from config.errors import Conflict, DomainError
from config.live.unit import unit_of_work
from inbox.models import Message
from inbox.services.messages import retry_message
from inbox.states import MessageStatus
from jobs.models import Job
from jobs.queue import enqueue
from jobs.services.jobs import dismiss_job, hurry_job, retry_failed, retry_job, supersede_job
from jobs.states import Status
from webhooks.journal import UNPACK
from webhooks.models import Delivery, DeliveryState
from webhooks.outbox import words
from webhooks.outbox.access import Manager, delivery_for, job_for, visible_jobs
from webhooks.outbox.queries import unpack_key
from webhooks.outbox.topics import changed

SEND = "inbox.deliver_message"
# So many in one request; whoever asked asks again while some are left.
BATCH = 200


class CannotRetry(Conflict):
    code = "job_not_retryable"


class CannotDismiss(Conflict):
    code = "job_not_dismissable"


class BeingRead(Conflict):
    code = "delivery_being_read"
    message = "This delivery is being read right now. Wait for what becomes of it."


class WasErased(Conflict):
    code = "delivery_erased"
    message = "What this delivery said was erased with the contact it was about."


class MessageMoved(Conflict):
    code = "message_moved_on"
    message = "Another try of this message took this one's place. Look at the conversation for how it went."


@dataclass(frozen=True, slots=True)
class Retried:
    retried: int
    refused: int  # could not be tried again, such as a text outside the 24-hour window
    left: int


def retry(*, who: Manager, job_id: int) -> Job:
    """A failed or dismissed job starts anew, one that waits for its next try has it now. For a message that failed
    that means what the Retry under its bubble does: it goes out again, as a new job that takes this one's place."""
    job = job_for(who, job_id)
    if job.status in {Status.COMPLETED, Status.PROCESSING} or _is_due(job):
        raise CannotRetry(str(words.REFUSED_RETRY[job.status]), status=job.status)
    if job.status == Status.PENDING:
        done = hurry_job(job_id=job.pk)
    elif job.type == SEND:
        done = _send_again(who, job)
    else:
        done = retry_job(job_id=job.pk)
    changed(job.workspace_id)
    return done


def dismiss(*, who: Manager, job_id: int) -> Job:
    job = job_for(who, job_id)
    if job.status in words.REFUSED_DISMISSAL:
        raise CannotDismiss(str(words.REFUSED_DISMISSAL[job.status]), status=job.status)
    done = dismiss_job(job_id=job.pk)
    changed(job.workspace_id)
    return done


def retry_all(*, who: Manager, type_: str = "", after: int = 0) -> tuple[Retried, int]:
    """The failed ones of the workspace, oldest first and at most so many; also where to go on, for those refused would
    otherwise come first again."""
    rows = visible_jobs(who).filter(status=Status.FAILED)
    if type_:
        rows = rows.filter(type=type_)
    jobs = list(rows.filter(pk__gt=after).order_by("pk")[:BATCH])
    sends = [job for job in jobs if job.type == SEND]
    others = [job.pk for job in jobs if job.type != SEND]
    retried = retry_failed(workspace_id=who.workspace_id, job_ids=others) if others else 0
    refused = 0
    for job in sends:
        try:
            _send_again(who, job)
        except DomainError:
            refused += 1
        else:
            retried += 1
    changed(who.workspace_id)
    last = jobs[-1].pk if jobs else after
    return Retried(retried, refused, rows.filter(pk__gt=last).count()), last


@unit_of_work
def _send_again(who: Manager, job: Job) -> Job:
    message = Message.objects.filter(pk=UUID(job.payload["message_id"]), workspace_id=who.workspace_id).first()
    if message is None or message.deleted_at is not None:
        raise CannotRetry("The message is no longer there.", status=job.status)
    if message.send_attempt != job.payload["attempt"]:
        return _set_aside(job, f"send:{message.pk}:{message.send_attempt}")
    if message.status == MessageStatus.FAILED:
        sent = retry_message(actor=who.member, conversation_id=message.conversation_id, message_id=message.pk)
        by = f"send:{sent.pk}:{sent.send_attempt}"
        supersede_job(key=job.key, by=by)
        return Job.objects.get(key=by)
    if message.status in {MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.UNKNOWN}:
        # Its fate is unknown: this same job asks the provider first and sends only what never arrived.
        return retry_job(job_id=job.pk)
    return _set_aside(job, f"send:{message.pk}:{message.send_attempt}")


def _set_aside(job: Job, by: str) -> Job:
    """Sent by another try already: nothing is left to do for this one."""
    if job.status != Status.FAILED:
        raise MessageMoved
    supersede_job(key=job.key, by=by)
    job.refresh_from_db()
    return job


def replay(*, who: Manager, delivery_id: int) -> Delivery:
    """Reads it anew, by a new job. Items that worked have their keys and change nothing; those that failed are tried
    again as they read now; what only now reads as an item is taken in."""
    delivery = _replay(who, delivery_id)
    changed(delivery.workspace_id)
    return delivery


@unit_of_work
def _replay(who: Manager, delivery_id: int) -> Delivery:
    delivery = delivery_for(who, delivery_id, for_update=True)
    if delivery.outcome.get("erased"):
        raise WasErased
    before = unpack_key(delivery)
    if Job.objects.filter(key=before, status__in=[Status.PENDING, Status.PROCESSING]).exists():
        raise BeingRead
    delivery.replays += 1
    delivery.replayed_at = timezone.now()
    delivery.state = DeliveryState.KEPT
    delivery.save(update_fields=["replays", "replayed_at", "state"])
    key = unpack_key(delivery)
    enqueue(
        UNPACK,
        key=key,
        lane="",
        workspace_id=delivery.workspace_id,
        payload={"delivery_id": delivery.pk, "replay": delivery.replays},
    )
    supersede_job(key=before, by=key)
    return delivery


def _is_due(job: Job) -> bool:
    return job.status == Status.PENDING and job.next_attempt <= timezone.now()
