"""The same files in something that speaks S3, as STORAGE_URL puts them there: kept, read in part, sent on, removed."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from config import env
from inbox import storage
from inbox.models import Attachment
from tests.api import Api
from tests.cast import Cast
from tests.inbox.media_peer import png
from tests.inbox.s3_peer import Bucket, speaking_s3

LARGE = 9 * 1024 * 1024  # more than one part of an upload


@pytest.fixture(params=["", "desk/files"], ids=["bare", "below-a-prefix"])
def bucket(request: Any, settings: Any, monkeypatch: Any) -> Iterator[Bucket]:
    with speaking_s3("desk-files") as bucket:
        prefix = f"&prefix={request.param}" if request.param else ""
        url = f"s3://AKIA1:sec%2Fret@desk-files?endpoint={bucket.url}&region=eu-north-1&style=path{prefix}"
        monkeypatch.setenv("STORAGE_URL", url)
        chosen = env.storage("STORAGE_URL", Path("/nowhere"))
        settings.STORAGES = {**settings.STORAGES, "default": chosen}
        settings.SUPABASE_URL = ""
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]
        yield bucket
        default_storage.connection.meta.client.close()


def test_a_file_is_kept_read_in_part_and_removed(cast: Cast, bucket: Bucket):
    content = bytes(range(256)) * 16
    name = storage.keep(io.BytesIO(content), cast.workspace.pk)
    (key,) = bucket.objects
    assert key.endswith(name)
    assert bucket.objects[key] == content
    with storage.open_file(name) as file:
        assert file.read() == content
        assert storage.digest(file) == storage.digest(io.BytesIO(content))
    assert b"".join(storage.read(name, start=10, length=300)) == content[10:310]
    assert bucket.asked[-1] == ("GET", key, "bytes=10-309")  # no more than was wanted
    storage.remove(name)
    assert not bucket.objects
    storage.remove(name)  # gone already is as good as removed


def test_a_large_file_goes_up_in_parts(cast: Cast, bucket: Bucket):
    content = b"0123456789abcdef" * (LARGE // 16)
    name = storage.keep(io.BytesIO(content), cast.workspace.pk)
    assert list(bucket.objects.values()) == [content]
    assert len([one for one in bucket.asked if one[0] == "PUT"]) > 1
    assert b"".join(storage.read(name, start=LARGE - 5, length=5)) == content[-5:]


def test_a_member_uploads_to_it_and_reads_through_us(cast: Cast, bucket: Bucket):
    of = f"/api/v1/workspaces/{cast.workspace.slug}/"
    client = Api(cast.ben)._client
    made = client.post(f"{of}attachments/", {"file": SimpleUploadedFile("a.png", png(), "image/png")})
    assert made.status_code == 201, made.content
    link = client.get(f"{of}attachments/{made.json()['id']}/")["Location"]
    answer = Client().get(link)
    assert b"".join(answer.streaming_content) == png()
    part = Client().get(link, headers={"range": "bytes=1-3"})
    assert (part.status_code, b"".join(part.streaming_content)) == (206, b"PNG")
    assert bucket.url not in link


def test_when_it_does_not_answer_nothing_is_half_there(cast: Cast, bucket: Bucket):
    bucket.failing = [403] * 20
    client = Api(cast.ben)._client
    path = f"/api/v1/workspaces/{cast.workspace.slug}/attachments/"
    answer = client.post(path, {"file": SimpleUploadedFile("a.png", png(), "image/png")})
    assert answer.status_code >= 500
    assert not Attachment.objects.filter(workspace=cast.workspace).exists()
    assert not bucket.objects
