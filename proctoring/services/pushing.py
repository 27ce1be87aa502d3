"""Hands a summary back to the exam system, signed as webhooks are."""

from uuid import UUID

import orjson
from django.db.models import F
from django.utils import timezone
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from jobs import http
from jobs.errors import ProviderError
from jobs.running import RunningJob
from proctoring.models import SessionSummary


def push(*, job: RunningJob, summary_id: UUID) -> None:
    """The newest version; an older one that comes later has nothing to do."""
    summary = SessionSummary.objects.select_related("session__exam").filter(pk=summary_id).first()
    if summary is None or summary.pushed_version >= summary.version or not summary.session.exam.summary_url:
        return
    version, exam = summary.version, summary.session.exam
    content = orjson.dumps({"type": "exam.session.summary", "version": version, "data": summary.data})
    answer = http.request("POST", exam.summary_url, headers=_headers(summary, content), content=content)
    if not 200 <= answer.status < 300:
        permanent = 400 <= answer.status < 500 and answer.status not in {408, 409, 425, 429}
        raise ProviderError(f"The exam system answered {answer.status}.", permanent=permanent)
    with job.completing():
        SessionSummary.objects.filter(pk=summary_id, pushed_version__lt=version).update(
            pushed_version=version, pushed_at=timezone.now(), updated_at=F("updated_at")
        )


def _headers(summary: SessionSummary, content: bytes) -> dict[str, str]:
    id_, now = f"summary_{summary.pk}_{summary.version}", timezone.now()
    headers = {"Content-Type": "application/json", "webhook-id": id_, "webhook-timestamp": str(int(now.timestamp()))}
    secrets = summary.session.exam.secrets.get("signing") or []
    if secrets:
        headers["webhook-signature"] = _signer(secrets[0]).sign(id_, now, content.decode())
    return headers


def _signer(secret: str) -> Webhook:
    """A secret is base64 to the standard; one that is none counts as it stands."""
    try:
        return Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        return Webhook(secret.encode())
