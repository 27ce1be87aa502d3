"""Everything about one contact as an archive to hand out: made by a job, fetched by a link that works for minutes."""

import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.utils import timezone

from config.errors import NotFound
from config.live.unit import unit_of_work
from crm import dossier, storage
from crm.access import check, known_contacts
from crm.actors import Actor
from crm.ids import uuid7
from crm.models import Contact
from crm.roles import Action
from crm.services import audit
from crm.services.erasure import REMOVE_FILES
from jobs.models import Job
from jobs.queue import enqueue
from jobs.running import RunningJob
from jobs.states import Status

EXPORT = "crm.export_contact"
LINK_LIVES = timedelta(minutes=15)
KEPT = timedelta(days=1)
PATH = "/contact-exports/"
_SALT = "crm.contact_export"
CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Export:
    id: UUID
    state: str  # pending, ready, failed, gone
    url: str | None = None
    size: int | None = None
    expires_at: Any = None


@unit_of_work
def request_export(*, actor: Actor, contact_id: UUID) -> Export:
    contact = known_contacts(actor).filter(pk=contact_id).first()
    if contact is None:
        raise NotFound
    check(actor, Action.MANAGE)
    export_id = uuid7()
    enqueue(
        EXPORT,
        key=f"{EXPORT}:{export_id}",
        lane="",
        workspace_id=actor.workspace_id,
        payload={"contact_id": str(contact_id)},
    )
    audit.record(
        actor=actor,
        action="contact.exported",
        target_kind="contact",
        target_id=contact_id,
        detail={"export": export_id},
    )
    return Export(export_id, "pending")


def get_export(*, actor: Actor, contact_id: UUID, export_id: UUID) -> Export:
    """With a fresh link once it is there."""
    if known_contacts(actor).filter(pk=contact_id).first() is None:
        raise NotFound
    check(actor, Action.MANAGE)
    job = Job.objects.filter(key=f"{EXPORT}:{export_id}", workspace_id=actor.workspace_id).first()
    if job is None or job.payload.get("contact_id") != str(contact_id):
        raise NotFound
    if job.status != Status.COMPLETED:
        waits = job.status in {Status.PENDING, Status.PROCESSING}
        return Export(export_id, "pending" if waits else "failed")
    if job.completed_at is None or job.completed_at < timezone.now() - KEPT:
        return Export(export_id, "gone")
    made = job.result or {}
    url = link(str(made["storage_name"]))
    return Export(export_id, "ready", url, int(made["size"]), timezone.now() + LINK_LIVES)


def link(storage_name: str) -> str:
    return settings.PUBLIC_URL + PATH + TimestampSigner(salt=_SALT, sep=".").sign(storage_name).replace("/", "~")


def opened(token: str) -> "IO[bytes]":
    """Raises NotFound when it was not signed by us, is too old, or the archive is gone."""
    try:
        name = TimestampSigner(salt=_SALT, sep=".").unsign(token.replace("~", "/"), max_age=LINK_LIVES)
        return storage.open_file(name).file  # type: ignore[return-value]
    except (BadSignature, FileNotFoundError):
        raise NotFound from None


# --- The archive ------------------------------------------------------------------------------------------------


def make_archive(*, job: RunningJob, contact_id: UUID) -> None:
    """No transaction is open while files are read and written."""
    if job.workspace_id is None:
        raise NotFound
    contact_ids = _all_of(job.workspace_id, contact_id)
    with tempfile.TemporaryFile() as file:
        _write(file, contact_ids)
        size = file.tell()
        name = storage.keep(file, job.workspace_id)
    try:
        with job.completing(result={"storage_name": name, "size": size}):
            enqueue(
                REMOVE_FILES,
                key=f"{REMOVE_FILES}:{job.key}",
                lane="",
                workspace_id=job.workspace_id,
                delay=KEPT,
                payload={"names": [name]},
            )
    except BaseException:
        storage.remove(name)
        raise


def _all_of(workspace_id: UUID, contact_id: UUID) -> list[UUID]:
    """The contact first, then whoever was merged into it."""
    found, edge = [contact_id], [contact_id]
    while edge:
        merged = Contact.objects.filter(workspace_id=workspace_id, merged_into_id__in=edge)
        edge = [pk for pk in merged.values_list("pk", flat=True) if pk not in found]
        found += edge
    return found


def _write(file: IO[bytes], contact_ids: list[UUID]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in dossier.parts():
            rows = json.dumps(list(part.export(contact_ids)), default=_spelled, ensure_ascii=False, indent=1)
            archive.writestr(f"{part.name}.json", rows)
            for stored in part.files(contact_ids):
                _copy(archive, stored)
    file.seek(0, 2)


def _copy(archive: zipfile.ZipFile, stored: dossier.StoredFile) -> None:
    with storage.open_file(stored.storage_name) as source, archive.open(stored.name, "w", force_zip64=True) as target:
        while part := source.read(CHUNK):
            target.write(part)


def _spelled(value: Any) -> Any:
    if isinstance(value, Iterator):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
