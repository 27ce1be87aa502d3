"""The demo's files lie in the storage, are what they say, and go when the demo goes."""

import hashlib

from django.core.files.storage import default_storage

from config.run.demo.people import DEMO
from inbox.filetypes import content_type_of
from inbox.models import Attachment
from inbox.services.attachments import open_attachment
from tests.run.demo_data import demo_loaded


def test_files_are_what_they_say_and_go_with_the_demo():
    with demo_loaded():
        files = list(Attachment.objects.filter(workspace_id=DEMO.id))
        assert {file.kind for file in files} == {"image", "document", "audio"}
        for file in files:
            with open_attachment(file) as stored:
                content = stored.read()
            assert len(content) == file.size
            assert hashlib.sha256(content).hexdigest() == file.sha256
            assert content_type_of(content, declared=file.content_type, name=file.name) == file.content_type
            assert file.storage_name.startswith(f"{DEMO.id}/")
    assert not any(default_storage.exists(file.storage_name) for file in files)
