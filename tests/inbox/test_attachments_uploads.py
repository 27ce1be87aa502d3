"""A member uploads: what is taken, what it is taken for, for how long, and who can see it meanwhile."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import F

from config.servers import limits
from inbox.models import Attachment
from inbox.services import attachments
from tests.api import Api
from tests.inbox.media_peer import EXE, HTML, OGG, PDF, SVG, png


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


def upload(user, workspace, content: bytes, name: str = "a.png", declared: str = "image/png", **fields):
    client = Api(user)._client
    file = SimpleUploadedFile(name, content, declared)
    return client.post(f"/api/v1/workspaces/{workspace.slug}/attachments/", {"file": file, **fields})


def test_an_upload_is_an_attachment_that_waits_to_be_sent(cast):
    answer = upload(cast.ben, cast.workspace, png(), "Plan für Ada.png")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["kind"], made["name"], made["content_type"]) == ("image", "Plan für Ada.png", "image/png")
    assert (made["size"], made["state"], made["error"]) == (len(png()), "stored", None)
    assert made["url"] == f"/api/v1/workspaces/{cast.workspace.slug}/attachments/{made['id']}/"
    row = Attachment.objects.get(pk=made["id"])
    assert (row.message, row.uploaded_by) == (None, cast.ben)
    assert default_storage.exists(row.storage_name)


@pytest.mark.parametrize(
    ("content", "name", "declared", "kind", "content_type"),
    [
        (png(), "a.bin", "application/octet-stream", "image", "image/png"),
        (OGG, "voice.ogg", "audio/ogg; codecs=opus", "audio", "audio/ogg"),
        (PDF, "a.pdf", "application/pdf", "document", "application/pdf"),
        (b"name;phone\nAda;1\n", "a.csv", "text/csv", "document", "text/csv"),
        (b"\x00\x01\x02\x03" * 20, "a.dat", "image/png", "document", "application/octet-stream"),
        (b"\xff\xf3\x90\x64" + bytes(400), "a.mp3", "audio/mpeg", "audio", "audio/mpeg"),
        (b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42isom" + bytes(99), "a.m4a", "audio/mp4", "audio", "audio/mp4"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41" + bytes(99), "a.mp4", "video/mp4", "video", "video/mp4"),
    ],
    ids=["png", "ogg", "pdf", "csv", "bytes", "mp3", "m4a", "mp4"],
)
def test_the_content_says_what_it_is(cast, content, name, declared, kind, content_type):
    made = upload(cast.ben, cast.workspace, content, name, declared).json()
    assert (made["kind"], made["content_type"]) == (kind, content_type)


def test_a_picture_can_be_sent_as_a_document_but_a_document_not_as_a_picture(cast):
    assert upload(cast.ben, cast.workspace, png(), kind="document").json()["kind"] == "document"
    answer = upload(cast.ben, cast.workspace, PDF, "a.png", kind="image")
    assert (answer.status_code, answer.json()["code"]) == (400, "wrong_file")


@pytest.mark.parametrize("content", [HTML, SVG, EXE, b"#!/bin/sh\nrm -rf /\n"], ids=["html", "svg", "exe", "script"])
def test_programs_and_pages_are_refused(cast, content):
    answer = upload(cast.ben, cast.workspace, content, "holiday.png")
    assert answer.status_code == 400
    assert "Programs" in answer.json()["errors"]["file"][0]


def test_an_empty_file_and_none_at_all_are_refused(cast):
    assert upload(cast.ben, cast.workspace, b"").status_code == 400
    client = Api(cast.ben)._client
    assert client.post(f"/api/v1/workspaces/{cast.workspace.slug}/attachments/", {"kind": "image"}).status_code == 400
    answer = Api(cast.ben).of(cast.workspace.slug).post("attachments/", {"file": "x"})
    assert answer.status_code == 415


def test_more_than_the_limit_is_refused(cast, monkeypatch):
    monkeypatch.setattr(attachments, "UPLOAD_BYTES", 100)
    answer = upload(cast.ben, cast.workspace, png(40, 40) + bytes(100))
    assert answer.status_code == 400
    assert not Attachment.objects.filter(uploaded_by=cast.ben).exists()


def test_the_servers_take_a_hundred_megabytes_there_and_nowhere_else():
    assert limits.body_limit("/api/v1/workspaces/demo/attachments/") > attachments.UPLOAD_BYTES
    for path in ("/api/v1/workspaces/demo/attachments/x/", "/api/v1/workspaces/demo/conversations/", "/attachments/"):
        assert limits.body_limit(path) == limits.BODY_BYTES


def test_only_who_may_reply_uploads(cast):
    assert upload(cast.vic, cast.workspace, png()).status_code == 403
    assert upload(cast.cleo, cast.workspace, png()).status_code == 404


def test_an_upload_is_ones_own_until_it_is_sent(cast):
    made = upload(cast.ben, cast.workspace, png()).json()
    path = f"attachments/{made['id']}/"
    assert Api(cast.ben).of(cast.workspace.slug).get(path).status_code == 302
    assert Api(cast.bea).of(cast.workspace.slug).get(path).status_code == 404


def test_who_uploads_without_end_and_sends_nothing_is_slowed_down(cast, monkeypatch):
    monkeypatch.setattr(attachments, "UNSENT_AT_MOST", 2)
    for _ in range(2):
        assert upload(cast.ben, cast.workspace, png()).status_code == 201
    answer = upload(cast.ben, cast.workspace, png())
    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert upload(cast.bea, cast.workspace, png()).status_code == 201


def test_what_nobody_sent_is_gone_after_a_day(cast):
    old, fresh = (Attachment.objects.get(pk=upload(cast.ben, cast.workspace, png()).json()["id"]) for _ in range(2))
    Attachment.objects.filter(pk=old.pk).update(created_at=F("created_at") - timedelta(hours=25))
    assert attachments.clear_unsent()["removed"] >= 1
    assert not Attachment.objects.filter(pk=old.pk).exists()
    assert not default_storage.exists(old.storage_name)
    assert Attachment.objects.filter(pk=fresh.pk).exists()
    assert default_storage.exists(fresh.storage_name)
