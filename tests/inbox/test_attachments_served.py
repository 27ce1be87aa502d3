"""Who gets a file: those who may see the conversation, for a quarter of an hour at a time, and never as a page."""

import io

import pytest
from django.core import signing
from django.test import Client

from crm.ids import uuid7
from inbox import links, storage
from inbox.models import Attachment, AttachmentState, Message
from inbox.ranges import MOST, wanted_span
from inbox.services.attachments import provider_url
from tests.api import Api
from tests.cast import receive
from tests.inbox.media_peer import HTML, OGG, PDF, png


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


def stored(cast, content: bytes, content_type: str, *, kind: str = "image", name: str = "") -> Attachment:
    message = Message.objects.get(conversation=receive(cast))
    return Attachment.objects.create(
        workspace=cast.workspace,
        message=message,
        kind=kind,
        name=name,
        content_type=content_type,
        size=len(content),
        storage_name=storage.keep(io.BytesIO(content), cast.workspace.pk),
        state=AttachmentState.STORED,
    )


def path_of(attachment: Attachment) -> str:
    return f"attachments/{attachment.pk}/"


def link_to(cast, attachment: Attachment, query: str = "") -> str:
    answer = Api(cast.ben).of(cast.workspace.slug).get(path_of(attachment) + query)
    assert answer.status_code == 302, answer.content
    return answer["Location"]


def bytes_of(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_member_is_sent_on_to_a_link_that_shows_the_picture(cast):
    attachment = stored(cast, png(), "image/png")
    answer = Client().get(link_to(cast, attachment))
    assert bytes_of(answer) == png()
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert answer["Cache-Control"].startswith("private")


def test_a_picture_is_asked_for_as_a_picture(cast):
    attachment = stored(cast, png(), "image/png")
    client = Api(cast.ben).of(cast.workspace.slug)._client
    answer = client.get(
        f"/api/v1/workspaces/{cast.workspace.slug}/{path_of(attachment)}", headers={"accept": "image/*"}
    )
    assert answer.status_code == 302


@pytest.mark.parametrize("name", ["cleo", "sam", "tia"])
def test_a_stranger_cannot_tell_whether_the_file_exists(cast, name):
    attachment = stored(cast, png(), "image/png")
    api = Api(getattr(cast, name)).of(cast.workspace.slug)
    there, nowhere = api.get(path_of(attachment)), api.get(f"attachments/{uuid7()}/")
    assert (there.status_code, there.json()) == (nowhere.status_code, nowhere.json())
    assert there.status_code == 404
    assert Api().of(cast.workspace.slug).get(path_of(attachment)).status_code == 401


def test_a_file_of_another_workspace_is_not_found_through_ones_own(cast):
    attachment = stored(cast, png(), "image/png")
    assert Api(cast.cleo).of(cast.elsewhere.slug).get(path_of(attachment)).status_code == 404


def test_a_file_goes_with_its_message(cast):
    attachment = stored(cast, png(), "image/png")
    Message.objects.filter(attachments=attachment).update(deleted_at=attachment.created_at)
    assert Api(cast.ben).of(cast.workspace.slug).get(path_of(attachment)).status_code == 404


def test_a_file_that_is_not_here_yet_says_so(cast):
    attachment = stored(cast, png(), "image/png")
    Attachment.objects.filter(pk=attachment.pk).update(state=AttachmentState.PENDING)
    answer = Api(cast.ben).of(cast.workspace.slug).get(path_of(attachment))
    assert (answer.status_code, answer.json()["code"]) == (409, "attachment_not_stored")


def test_a_link_ends_after_a_quarter_of_an_hour(cast, monkeypatch):
    attachment = stored(cast, png(), "image/png")
    link, for_provider = link_to(cast, attachment), provider_url(attachment).removeprefix("http://127.0.0.1:8000")
    clock = signing.time.time
    monkeypatch.setattr(signing.time, "time", lambda: clock() + 15 * 60 + 2)
    assert Client().get(link).status_code == 404
    assert Client().get(for_provider[for_provider.index("/media/") :]).status_code == 200
    monkeypatch.setattr(signing.time, "time", lambda: clock() + 6 * 3600 + 2)
    assert Client().get(for_provider[for_provider.index("/media/") :]).status_code == 404


def test_no_link_can_be_made_up_or_used_for_another_purpose(cast):
    attachment = stored(cast, png(), "image/png")
    link = link_to(cast, attachment)
    token = link.rpartition("/")[2]
    assert Client().get(f"/media/provider/{token}").status_code == 404
    assert Client().get(f"/media/{token[:-1]}{'a' if token[-1] != 'a' else 'b'}").status_code == 404
    assert Client().get(f"/media/{attachment.pk.hex}").status_code == 404
    other = links.reader_path(uuid7())
    assert Client().get(other).status_code == 404


def test_what_a_page_could_be_made_of_is_only_ever_downloaded(cast):
    attachment = stored(cast, HTML, "application/octet-stream", kind="document", name="läcker.html")
    answer = Client().get(link_to(cast, attachment))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert "filename*=utf-8''l%C3%A4cker.html" in answer["Content-Disposition"]


def test_a_type_that_is_not_on_the_list_is_not_served_as_what_it_says(cast):
    attachment = stored(cast, HTML, "text/html", kind="document")
    assert Client().get(link_to(cast, attachment))["Content-Type"] == "application/octet-stream"


def test_papers_are_downloaded_under_their_own_type(cast):
    attachment = stored(cast, PDF, "application/pdf", kind="document", name="plan.pdf")
    answer = Client().get(link_to(cast, attachment))
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="plan.pdf"'


def test_a_picture_can_be_downloaded_too(cast):
    attachment = stored(cast, png(), "image/png", name="a.png")
    answer = Client().get(link_to(cast, attachment, "?download=1"))
    assert answer["Content-Disposition"] == 'attachment; filename="a.png"'


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=5-999999999", 5, None)],
    ids=["first", "rest", "last", "beyond"],
)
def test_a_player_gets_the_part_it_asks_for(cast, asked, start, end):
    link = link_to(cast, stored(cast, OGG, "audio/ogg", kind="audio"))
    answer = Client().get(link, headers={"range": asked})
    assert answer.status_code == 206
    assert bytes_of(answer) == OGG[start:end]
    part = OGG[start:end]
    first = start % len(OGG)
    assert answer["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(OGG)}"
    assert int(answer["Content-Length"]) == len(part)


@pytest.mark.parametrize(
    ("asked", "status"),
    [("bytes=999999-", 416), ("bytes=-0", 416), ("bytes=0-1,5-6", 200), ("lines=1-2", 200), ("bytes=9-3", 200)],
)
def test_a_part_that_cannot_be_given_is_refused_or_ignored(cast, asked, status):
    link = link_to(cast, stored(cast, OGG, "audio/ogg", kind="audio"))
    answer = Client().get(link, headers={"range": asked})
    assert answer.status_code == status
    if status == 416:
        assert answer["Content-Range"] == f"bytes */{len(OGG)}"


def test_what_the_browser_has_is_not_sent_again(cast):
    link = link_to(cast, stored(cast, png(), "image/png"))
    etag = Client().get(link)["ETag"]
    assert Client().get(link, headers={"if-none-match": etag}).status_code == 304
    assert Client().get(link, headers={"range": "bytes=0-1", "if-range": '"another"'}).status_code == 200
    assert Client().head(link)["Content-Length"] == str(len(png()))
    assert Client().post(link).status_code == 405


def test_to_an_open_end_a_player_gets_a_few_megabytes_at_a_time():
    span = wanted_span({"Range": "bytes=1000-"}, 100 * MOST, "")
    assert (span.start, span.length) == (1000, MOST)
    span = wanted_span({"Range": f"bytes=0-{50 * MOST}"}, 100 * MOST, "")
    assert span.length == 50 * MOST + 1
