"""A customer's file comes into our storage: from where, with whose key, as what, and what is said when it does not."""

import hashlib
import json

import pytest
from django.core.files.storage import default_storage

from config.live.events import events_after, head
from inbox import topics
from inbox.clients import media
from inbox.models import Attachment, AttachmentState, Conversation
from inbox.services.attachments import open_attachment
from inbox.services.inbound import IncomingMedia
from inbox.states import ChannelKind
from jobs import http
from jobs.models import Job
from jobs.services.jobs import retry_job
from tests.api import Api
from tests.cast import make_channel, receive
from tests.inbox.media_peer import EXE, HTML, OGG, PDF, SVG, Answer, png, running_peer
from tests.jobs_at_hand import run_job

TOKEN = "test-twilio-token"


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.SUPABASE_URL = ""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "whitenoise" not in name]


@pytest.fixture
def peer(settings):
    with running_peer() as peer:
        settings.KAPSO_API_URL = settings.TWILIO_API_URL = peer.url
        yield peer
        http.close()


@pytest.fixture
def storage_host():
    with running_peer() as peer:
        yield peer


def twilio_channel(cast):
    channel = make_channel(cast.workspace, ChannelKind.TWILIO)
    channel.identifier, channel.credentials = "AC1", {"auth_tokens": [TOKEN]}
    channel.save()
    return channel


def arrived(cast, *, url="", media_id="", kind="image", channel=None, name="", declared="") -> Attachment:
    file = IncomingMedia(kind=kind, provider_media_id=media_id, name=name, content_type=declared, url=url)
    conversation = receive(cast, "", type=kind, media=(file,), channel=channel)
    return Attachment.objects.get(message__conversation=conversation)


def tried(attachment: Attachment, times: int = 1) -> Attachment:
    for _ in range(times):
        job = Job.objects.get(key=f"media:{attachment.pk}:{attachment.fetch_attempt}")
        run_job(job.pk)
    attachment.refresh_from_db()
    return attachment


def content_of(attachment: Attachment) -> bytes:
    with open_attachment(attachment) as file:
        return file.read()


def test_a_picture_is_fetched_stored_and_told(cast, peer):
    picture = png()
    attachment = arrived(cast, url=peer.at("/rails/blob/photo.jpg", Answer(body=picture)), name="photo.jpg")
    assert attachment.state == AttachmentState.PENDING
    topic = topics.conversation(attachment.message.conversation_id)
    before = head(topic)

    tried(attachment)
    assert (attachment.state, attachment.content_type, attachment.size) == ("stored", "image/png", len(picture))
    assert attachment.sha256 == hashlib.sha256(picture).hexdigest()
    assert content_of(attachment) == picture
    assert attachment.source is None

    [event] = events_after(topic, before)
    assert event.type == "message.updated"
    [file] = event.data["attachments"]
    assert file["state"] == "stored"
    assert file["url"] == f"/api/v1/workspaces/{cast.workspace.slug}/attachments/{attachment.pk}/"
    assert file["error"] is None


def test_the_place_in_the_storage_says_nothing_of_the_customer(cast, peer):
    attachment = tried(
        arrived(cast, url=peer.at("/a", Answer(body=PDF)), kind="document", name="Lucía's diagnosis.pdf")
    )
    assert attachment.storage_name.startswith(f"{cast.workspace.pk}/")
    assert "diagnosis" not in attachment.storage_name
    assert default_storage.exists(attachment.storage_name)


def test_kapso_files_need_no_key_and_get_none(cast, peer, storage_host):
    address = storage_host.at("/bucket/photo", Answer(body=png()))
    arrived_file = arrived(cast, url=peer.at("/blob", Answer(302, headers={"Location": address})))
    assert tried(arrived_file).state == "stored"
    for seen in (*peer.asked("/blob"), *storage_host.asked("/bucket/photo")):
        assert not {"x-api-key", "authorization", "cookie"} & seen.keys()


def test_where_the_address_is_spent_the_id_finds_another(cast, peer, storage_host):
    answer = {"download_url": storage_host.at("/fresh", Answer(body=png())), "url": "https://unused.example/"}
    peer.at("/meta/whatsapp/v24.0/MEDIA1", Answer(body=json.dumps(answer).encode()))
    attachment = arrived(cast, url=peer.at("/blob", Answer(410)), media_id="MEDIA1")

    assert tried(attachment).state == "stored"
    [(path, headers)] = [(path, headers) for path, headers in peer.seen if path.startswith("/meta")]
    assert path.endswith("?phone_number_id=100000000000001")
    assert headers["x-api-key"] == "test-kapso-key"
    assert "x-api-key" not in storage_host.asked("/fresh")[0]


def test_an_address_that_is_not_kapsos_is_never_called(cast, peer, storage_host):
    attachment = arrived(cast, url=storage_host.at("/elsewhere", Answer(body=png())))
    tried(attachment)
    assert (attachment.state, attachment.error_code) == ("failed", "no_address")
    assert storage_host.seen == []


def test_twilio_gets_its_key_and_the_storage_behind_it_does_not(cast, peer, storage_host):
    address = storage_host.at("/signed", Answer(body=OGG))
    path = "/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"
    url = peer.at(path, Answer(307, headers={"Location": address}))
    attachment = arrived(cast, url=url, kind="audio", declared="audio/ogg", channel=twilio_channel(cast))

    assert tried(attachment).content_type == "audio/ogg"
    assert peer.asked(path)[0]["authorization"] == "Basic QUMxOnRlc3QtdHdpbGlvLXRva2Vu"
    assert "authorization" not in storage_host.asked("/signed")[0]


def test_not_even_a_redirect_on_the_same_host_sees_the_key(cast, peer):
    peer.at("/storage", Answer(body=png()))
    url = peer.at("/Media/ME2", Answer(302, headers={"Location": "/storage"}))
    assert tried(arrived(cast, url=url, channel=twilio_channel(cast))).state == "stored"
    assert "authorization" not in peer.asked("/storage")[0]


def test_twilios_usual_host_stands_for_wherever_its_api_is(cast, peer):
    peer.at("/2010-04-01/Media/ME3", Answer(body=png()))
    attachment = arrived(cast, url="https://api.twilio.com/2010-04-01/Media/ME3", channel=twilio_channel(cast))
    assert tried(attachment).state == "stored"


def test_a_key_is_not_sent_to_a_host_that_calls_itself_twilio(cast, peer, storage_host):
    attachment = arrived(cast, url=storage_host.at("/Media", Answer(body=png())), channel=twilio_channel(cast))
    tried(attachment)
    assert (attachment.state, attachment.error_code) == ("failed", "foreign_host")
    assert storage_host.seen == []


def test_a_redirect_into_our_own_network_is_refused(cast, peer, settings):
    with running_peer("localhost") as inside:
        settings.ALLOWED_PRIVATE_HOSTS = [peer.url.removeprefix("http://")]
        url = peer.at("/blob", Answer(302, headers={"Location": inside.at("/secret", Answer(body=png()))}))
        attachment = tried(arrived(cast, url=url))
        assert (attachment.state, attachment.error_code) == ("failed", "refused_address")
        assert inside.seen == []


def test_too_large_is_known_before_it_is_read_and_said(cast, peer, monkeypatch):
    monkeypatch.setattr(media, "MAX_BYTES", 1000)
    attachment = tried(arrived(cast, url=peer.at("/film", Answer(body=bytes(1001))), media_id="M", kind="video"))
    assert (attachment.state, attachment.error_code) == ("failed", "too_large")
    assert attachment.error_message == "It is larger than 100 MB."
    assert len(peer.seen) == 1  # the same file from another address would be as large


@pytest.mark.parametrize(("body", "declared"), [(HTML, "image/png"), (SVG, "image/svg+xml"), (EXE, "image/jpeg")])
def test_what_only_calls_itself_a_picture_is_kept_as_a_download(cast, peer, body, declared):
    attachment = tried(arrived(cast, url=peer.at("/blob", Answer(body=body)), declared=declared))
    assert (attachment.state, attachment.kind) == ("stored", "document")
    assert attachment.content_type == "application/octet-stream"


def test_after_the_last_try_a_person_sees_why_and_tries_again(cast, peer):
    url = peer.at("/blob", Answer(500))
    attachment = tried(arrived(cast, url=url), 1)
    assert attachment.state == AttachmentState.PENDING
    for _ in range(5):
        Job.objects.filter(key=f"media:{attachment.pk}:0").update(status="pending")
        tried(attachment)
    assert attachment.state == AttachmentState.FAILED
    assert attachment.error_message == "The provider did not hand it out."
    assert attachment.source  # for the next try

    conversation = Conversation.objects.get(pk=attachment.message.conversation_id)
    path = f"conversations/{conversation.pk}/messages/{attachment.message_id}/attachments/{attachment.pk}/retry"
    api = Api(cast.ben).of(cast.workspace.slug)
    [shown] = api.get(f"conversations/{conversation.pk}/messages/").json()["results"][0]["attachments"]
    assert shown["error"] == {"code": "http_500", "message": "The provider did not hand it out."}
    assert shown["url"] is None
    assert Api(cast.vic).of(cast.workspace.slug).post(path).status_code == 403
    assert Api(cast.cleo).of(cast.workspace.slug).post(path).status_code == 404

    peer.at("/blob", Answer(body=png()))
    answer = api.post(path)
    assert answer.status_code == 200
    assert answer.json()["attachments"][0]["state"] == "pending"
    attachment.refresh_from_db()
    assert tried(attachment).state == AttachmentState.STORED
    assert api.post(path).status_code == 409


def test_the_same_job_tried_again_brings_a_file_that_was_given_up(cast, peer):
    attachment = arrived(cast, url=peer.at("/blob", Answer(500)))
    Job.objects.filter(key=f"media:{attachment.pk}:0").update(max_attempts=1)
    assert tried(attachment).state == AttachmentState.FAILED
    peer.at("/blob", Answer(body=png()))
    retry_job(job_id=Job.objects.get(key=f"media:{attachment.pk}:0").pk)
    assert tried(attachment).state == AttachmentState.STORED


def test_fetched_twice_it_is_kept_once(cast, peer):
    attachment = arrived(cast, url=peer.at("/blob", Answer(body=png())))
    tried(attachment)
    first = attachment.storage_name
    Job.objects.filter(key=f"media:{attachment.pk}:0").update(status="pending", completed_at=None)
    tried(attachment)
    assert attachment.storage_name == first
    assert len(peer.asked("/blob")) == 1


def test_the_text_does_not_wait_for_the_file(cast, peer):
    attachment = arrived(cast, url=peer.at("/blob", Answer(503)))
    messages = (
        Api(cast.ben).of(cast.workspace.slug).get(f"conversations/{attachment.message.conversation_id}/messages/")
    )
    [shown] = messages.json()["results"][0]["attachments"]
    assert (shown["state"], shown["url"]) == ("pending", None)
