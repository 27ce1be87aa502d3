"""STORAGE_URL: a folder or S3, and a sentence that names the variable when it is neither."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage
from storages.backends.s3 import S3Storage

from config import env

HERE = Path("/srv/switchboard/media")


def read(monkeypatch, value: str):
    monkeypatch.setenv("STORAGE_URL", value)
    return env.storage("STORAGE_URL", HERE)


def test_unset_it_is_a_folder_beside_the_other_data(monkeypatch):
    monkeypatch.delenv("STORAGE_URL", raising=False)
    found = env.storage("STORAGE_URL", HERE)
    assert FileSystemStorage(**found["OPTIONS"]).location == str(HERE)


def test_a_folder_of_ones_own(monkeypatch):
    found = read(monkeypatch, "file:///mnt/big%20disk/files")
    assert FileSystemStorage(**found["OPTIONS"]).location == "/mnt/big disk/files"


def test_s3_by_key_bucket_endpoint_and_region(monkeypatch):
    found = read(monkeypatch, "s3://AKIA1:sec%2Fret@desk-files?endpoint=https://s3.example.org&region=eu-north-1")
    storage = S3Storage(**found["OPTIONS"])
    assert (storage.access_key, storage.secret_key) == ("AKIA1", "sec/ret")
    assert (storage.bucket_name, storage.region_name) == ("desk-files", "eu-north-1")
    assert storage.endpoint_url == "https://s3.example.org"
    assert storage.default_acl is None
    assert not storage.file_overwrite
    assert storage.bucket.name == "desk-files"


def test_s3_without_a_key_takes_the_machines_own(monkeypatch):
    storage = S3Storage(**read(monkeypatch, "s3://desk-files")["OPTIONS"])
    assert storage.access_key is None


@pytest.mark.parametrize(
    "value",
    [
        "/srv/media",
        "file://media",
        "file:///media?x=1",
        "s3://",
        "s3://key@bucket",
        "s3://a:b@bucket/path",
        "s3://bucket?endpoint=s3.example.org",
        "s3://bucket?acl=public-read",
        "gs://bucket",
    ],
)
def test_anything_else_stops_the_start_with_a_sentence(monkeypatch, value):
    with pytest.raises(ImproperlyConfigured, match=r"^STORAGE_URL "):
        read(monkeypatch, value)
