"""Requests as Twilio makes them, signed with a channel's token; and what came of them."""

from typing import Any
from urllib.parse import urlencode

import httpx
from asgiref.sync import sync_to_async
from django.conf import settings
from twilio.request_validator import RequestValidator

from inbox.models import Channel
from inbox.states import ChannelKind
from jobs.models import Job
from tests.cast import Cast, unique
from tests.jobs_at_hand import run_job
from webhooks.models import Delivery

TOKEN = "test-twilio-token"
OUR_NUMBER, THEIRS = "+15550100002", "+6281234567890"


def make_line(cast: Cast) -> Channel:
    return Channel.objects.create(
        workspace=cast.workspace,
        slug=unique("twilio"),
        kind=ChannelKind.TWILIO,
        name="Text line",
        identifier="AC00000000000000000000000000000001",
        phone=OUR_NUMBER,
        credentials={"auth_tokens": [TOKEN, "the-older-one"], "shared_keys": {"webhooks_sharedkey_1": "shared"}},
    )


def sms(body: str = "Hello", **more: Any) -> dict[str, Any]:
    sid = more.pop("MessageSid", unique("SM"))
    return {
        "ToCountry": "US",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "FromCity": "",
        "SmsSid": sid,
        "SmsStatus": "received",
        "Body": body,
        "To": OUR_NUMBER,
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": "AC00000000000000000000000000000001",
        "From": THEIRS,
        "ApiVersion": "2010-04-01",
        **more,
    }


def whatsapp(body: str = "Halo", *, wa_id: str = "6281234567890", **more: Any) -> dict[str, Any]:
    given = {
        "ProfileName": "Budi",
        "WaId": wa_id,
        "MessageType": "text",
        "From": f"whatsapp:+{wa_id}",
        "To": f"whatsapp:{OUR_NUMBER}",
        **more,
    }
    return sms(body, **given)


def status(sid: str, state: str, **more: Any) -> dict[str, Any]:
    return {
        "SmsSid": sid,
        "SmsStatus": state,
        "MessageStatus": state,
        "To": THEIRS,
        "MessageSid": sid,
        "AccountSid": "AC00000000000000000000000000000001",
        "From": OUR_NUMBER,
        "ApiVersion": "2010-04-01",
        **more,
    }


def signature(path: str, form: Any, token: str = TOKEN, algorithm: str = "HMAC_SHA1") -> str:
    flat: dict[str, Any] = dict(form)
    return str(RequestValidator(token).compute_signature(settings.PUBLIC_URL + path, flat, algorithm))


async def call(
    client: httpx.AsyncClient,
    channel: Channel,
    form: dict[str, Any],
    *,
    road: str = "",
    query: str = "",
    **headers: str,
) -> httpx.Response:
    path = f"/webhooks/twilio/{channel.slug}{road}{query}"
    given = {
        "X-Twilio-Signature": signature(path, form),
        "Content-Type": "application/x-www-form-urlencoded",
        **headers,
    }
    return await client.post(path, content=urlencode(form).encode(), headers=given)


@sync_to_async
def kept(channel: Channel) -> list[Delivery]:
    return list(Delivery.objects.filter(channel_id=channel.pk).order_by("id"))


@sync_to_async
def run_all(channel: Channel) -> None:
    """Everything that came in on the channel, to its end."""
    for delivery in Delivery.objects.filter(channel_id=channel.pk).order_by("id"):
        for job in Job.objects.filter(key=f"delivery:{delivery.pk}"):
            run_job(job.pk)
        delivery.refresh_from_db()
        for job in Job.objects.filter(key__in=delivery.outcome.get("items", [])).order_by("id"):
            run_job(job.pk)
            job.refresh_from_db()
            assert job.status == "completed", job.last_error
