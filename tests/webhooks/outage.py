"""A provider, its customers, and a product that is down or up: what a back-fill is tried against."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from inbox.models import Channel, Conversation, Message
from inbox.states import ChannelKind
from jobs.models import Job
from jobs.queue import enqueue
from tests.cast import Cast, unique
from tests.jobs_at_hand import run_job
from tests.simulator.harness import Delivered, Receiver, SimulatorProcess
from webhooks.backfill import services
from webhooks.bodies import event_key
from webhooks.models import Delivery

TWILIO_SID = "AC{:032x}"


@dataclass
class Scene:
    """One channel, connected at the simulator. `receiver` is what the provider believes to be the product."""

    cast: Cast
    channel: Channel
    simulator: SimulatorProcess
    receiver: Receiver

    @property
    def is_kapso(self) -> bool:
        return self.channel.kind == ChannelKind.KAPSO

    def go_down(self) -> None:
        self.receiver.answer = lambda _delivery: 503

    def writes(self, text: str, *, who: str = "+6281255500199", **more: Any) -> list[str]:
        """A customer writes; whether that arrives is the receiver's business."""
        if self.is_kapso:
            place = {"phone_number_id": self.channel.identifier}
            told = self.simulator.customer(**{"from": who, "text": text, **place, **more})
        else:
            data = {"wait": True, "account": self.channel.identifier, "from": who, "text": text, **more}
            told = self.simulator.control("texts", data)
        ids: list[str] = told["ids"]
        return ids

    def deliver(self, delivered: Delivered) -> None:
        """As the road would have kept it, a signature later."""
        headers = {name: value for name, value in delivered.headers.items() if name.startswith(("x-", "content-type"))}
        with transaction.atomic():
            delivery = Delivery.objects.create(
                provider=self.channel.kind,
                channel_id=self.channel.pk,
                workspace_id=self.channel.workspace_id,
                event_key=event_key(headers.get("x-idempotency-key", ""), delivered.body),
                headers=headers,
                body=delivered.body,
            )
            enqueue(
                "webhooks.unpack_delivery",
                key=f"delivery:{delivery.pk}",
                lane="",
                workspace_id=self.channel.workspace_id,
                payload={"delivery_id": delivery.pk},
            )

    def backfill(self, **delta: float) -> dict[str, Any]:
        """Asked for from so long ago on; run with all that comes of it. What the last part of it reported."""
        since = datetime.now(UTC) - timedelta(**delta) if delta else None
        key, _ = services.ask_for(self.channel, since)
        self.work()
        parts = Job.objects.filter(type=services.TASK, key__startswith=key).order_by("-id")
        assert all(part.status == "completed" for part in parts), [part.last_error for part in parts]
        result: dict[str, Any] | None = parts[0].result
        assert result is not None
        return result

    def work(self, *types: str) -> None:
        while job := self._next(types):
            run_job(job.pk)

    def _next(self, types: tuple[str, ...]) -> Job | None:
        """No files are fetched here: that is another story."""
        jobs = Job.objects.filter(workspace_id=self.channel.workspace_id, status="pending", attempts=0)
        jobs = jobs.filter(type__in=types) if types else jobs.exclude(type__startswith="inbox.")
        return jobs.order_by("id").first()

    def thread(self) -> list[str]:
        return list(
            Message.objects.filter(channel=self.channel)
            .exclude(direction__in=["note", "activity"])
            .order_by("pk")
            .values_list("body", flat=True)
        )

    def conversation(self) -> Conversation:
        return Conversation.objects.get(channel=self.channel)


def connect(cast: Cast, simulator: SimulatorProcess, receiver: Receiver, kind: ChannelKind) -> Scene:
    """A channel of its own, so that no other test's customers are listed."""
    number = int(unique("0").replace("-", ""))
    phone = f"+1555{number % 10**7:07d}"
    slug = unique(kind.value)
    credentials: dict[str, Any]
    if kind == ChannelKind.KAPSO:
        identifier, credentials = f"7{number}", {"api_key": unique("key"), "webhook_secrets": ["secret"]}
        control = {"phone_number_id": identifier, "phone": phone, "channel": slug, "secret": "secret"}
        simulator.control("numbers", control | {"api_key": credentials["api_key"]})
    else:
        identifier, credentials = TWILIO_SID.format(number), {"auth_tokens": [unique("token")]}
        control = {"sid": identifier, "phone": phone, "channel": slug, "auth_token": credentials["auth_tokens"][0]}
        simulator.control("accounts", control)
    channel = Channel.objects.create(
        workspace=cast.workspace,
        slug=slug,
        kind=kind,
        name="Reception",
        identifier=identifier,
        phone=phone,
        credentials=credentials,
    )
    return Scene(cast, Channel.objects.select_related("workspace").get(pk=channel.pk), simulator, receiver)
