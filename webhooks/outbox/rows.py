"""The lines of the page's table: what REST answers, in the words and signs that a person reads."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from webhooks.outbox.payloads import CallRowPayload, CronPayload, DeliveryPayload, JobPayload

# Tone, icon and word of a state. A colour never stands alone.
LOOKS = {
    "failed": ("danger", "alert", lazy("Failed")),
    "retrying": ("warning", "clock", lazy("Retrying")),
    "pending": ("", "clock", lazy("Pending")),
    "processing": ("accent", "sending", lazy("Processing")),
    "completed": ("success", "check", lazy("Completed")),
    "dismissed": ("", "x", lazy("Dismissed")),
    "kept": ("", "clock", lazy("Waiting")),
    "applied": ("success", "check", lazy("Applied")),
    "part": ("danger", "alert", lazy("In part")),
    "unhandled": ("warning", "info", lazy("Not handled")),
    "delivered": ("success", "check", lazy("Delivered")),
    "running": ("accent", "sending", lazy("Running")),
    "late": ("warning", "alert", lazy("Late")),
    "never": ("", "clock", lazy("Not run yet")),
    "fine": ("success", "check", lazy("On time")),
}
STOPPED, NOW, DONE_IN = lazy("Stopped"), lazy("Now"), lazy("Done in {span}")


@dataclass(frozen=True, slots=True)
class Button:
    act: str
    label: str
    icon: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    state: str  # of LOOKS
    title: str
    sub: str
    why: str
    code: str
    first: str
    second: str
    at: datetime | None
    due: datetime | None = None  # stands for `second`, counting down
    button: Button | None = None
    opens: bool = True
    detail: Any = None
    tone: str = field(init=False)
    icon: str = field(init=False)
    word: str = field(init=False)

    def __post_init__(self) -> None:
        for name, value in zip(("tone", "icon", "word"), LOOKS[self.state], strict=True):
            object.__setattr__(self, name, str(value))


def number(value: int, cap: int | None = None) -> str:
    if cap is not None and value > cap:
        return f"{number_format(cap, force_grouping=True)}+"
    return number_format(value, force_grouping=True)


def took(ms: int | None) -> str:
    if ms is None:
        return ""
    if ms < 1_000:
        return _("{n} ms").format(n=ms)
    return _("{n} s").format(n=number_format(ms / 1_000, 1 if ms < 10_000 else 0))


def size(count: int) -> str:
    if count < 1_024:
        return _("{n} bytes").format(n=count)
    kilo = count / 1_024
    if kilo < 1_024:
        return _("{n} KB").format(n=number_format(kilo, 1))
    return _("{n} MB").format(n=number_format(kilo / 1_024, 1))


# --- Jobs -----------------------------------------------------------------------------------------------------


def of_job(job: JobPayload, detail: Any = None) -> Row:
    state = "retrying" if job["retrying"] else job["status"]
    waits = job["status"] == "pending"
    return Row(
        id=str(job["id"]),
        state=state,
        title=job["title"],
        sub=job["key"],
        why=job["error"] if state in {"failed", "retrying"} else _note(job),
        code=job["error_code"] if state in {"failed", "retrying"} and _is_providers(job["error_code"]) else "",
        first=_("{n} of {most}").format(n=job["attempts"], most=job["max_attempts"]),
        second="" if waits else _next(job),
        due=job["next_attempt"],
        at=job["created_at"],
        button=_job_button(state),
        detail=detail,
    )


def _note(job: JobPayload) -> str:
    result = job["result"] if isinstance(job["result"], dict) else {}
    if result.get("duplicate"):
        return _("Known already, nothing changed")
    if "replaced_by" in result:
        return _("Another try took its place")
    return ""


def _is_providers(code: str) -> bool:
    """A provider's own code helps whoever asks the provider; our words for errors would only repeat the sentence."""
    return any(letter.isdigit() for letter in code)


def _next(job: JobPayload) -> str:
    if job["status"] == "processing":
        return str(NOW)
    if job["status"] == "completed":
        return str(DONE_IN).format(span=took(job["duration_ms"]))
    return str(STOPPED)


def _job_button(state: str) -> Button | None:
    if state == "failed":
        return Button("retry", _("Retry"), "retry")
    if state == "retrying":
        return Button("retry", _("Now"), quiet=True)
    return None


# --- Deliveries -----------------------------------------------------------------------------------------------


def of_delivery(delivery: DeliveryPayload, detail: Any = None) -> Row:
    state = _delivery_state(delivery)
    channel = delivery["channel"]
    broken = state in {"failed", "part"}
    return Row(
        id=str(delivery["id"]),
        state=state,
        title=delivery["provider_name"],
        sub=delivery["event"] or delivery["event_key"],
        why=delivery["summary"],
        code="",
        first=size(delivery["size"]),
        second=channel["name"] or channel["slug"] if channel else "",
        at=delivery["received_at"],
        button=Button("replay", _("Replay"), "retry") if broken and delivery["actions"] else None,
        detail=detail,
    )


def _delivery_state(delivery: DeliveryPayload) -> str:
    unpacking = delivery["unpacking"]
    if delivery["state"] == "kept" and unpacking and unpacking["status"] == "failed":
        return "failed"
    if any(item["status"] == "failed" for item in delivery["outcome"]["items"]):
        return "part" if len(delivery["outcome"]["items"]) > 1 else "failed"
    return delivery["state"]


# --- Calls and crons ------------------------------------------------------------------------------------------


def of_call(call: CallRowPayload, detail: Any = None) -> Row:
    state = "retrying" if call["state"] == "pending" and call["error"] else call["state"]
    return Row(
        id=str(call["id"]),
        state=state,
        title=urlsplit(call["url"]).netloc or _("A removed subscription"),
        sub=f"{call['type']} {call['seq']}",
        why=call["error"],
        code="",
        first=str(call["attempts"]),
        second="" if call["next_attempt"] else took(call["took_ms"]),
        due=call["next_attempt"],
        at=call["created_at"],
        button=Button("redeliver", _("Send again"), "retry") if state == "failed" and call["actions"] else None,
        detail=detail,
    )


def of_cron(cron: CronPayload) -> Row:
    if cron["running_since"]:
        state = "running"
    elif cron["status"] == "failed":
        state = "failed"
    elif cron["last_run_at"] is None:
        state = "never"
    else:
        state = "late" if cron["overdue"] else "fine"
    stats = ", ".join(f"{name} {value}" for name, value in cron["stats"].items() if not isinstance(value, dict | list))
    return Row(
        id=cron["name"],
        state=state,
        title=cron["title"],
        sub=cron["name"],
        why=cron["error"] or stats,
        code="",
        first=cron["every"],
        second=took(cron["duration_ms"]),
        at=cron["last_run_at"],
        opens=False,
    )
