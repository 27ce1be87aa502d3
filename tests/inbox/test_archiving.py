"""Resolved conversations go back to the old Supabase as one row each, where that is switched on; notes never do."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from crm.models import Workspace
from inbox.models import Conversation
from inbox.services.conversations import set_status
from inbox.services.messages import send_message
from inbox.states import ConversationStatus
from jobs.models import Job
from tests.cast import Cast, new_id, receive
from tests.jobs_at_hand import run_job


class Peer(ThreadingHTTPServer):
    answer = 201

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard: list[tuple[str, dict[str, str], dict[str, object]]] = []


class Handler(BaseHTTPRequestHandler):
    server: Peer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.heard.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
        self.send_response(self.server.answer)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def peer(settings) -> Iterator[Peer]:
    server = Peer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.SUPABASE_URL = f"http://127.0.0.1:{server.server_port}"
    settings.SUPABASE_SECRET_KEY = "sb_secret_test"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def switched_on(cast: Cast) -> None:
    Workspace.objects.filter(pk=cast.workspace.pk).update(settings={"archive": {"transcripts": "archived_transcripts"}})


def resolved(cast: Cast) -> Conversation:
    conversation = receive(cast, "Hola")
    ben = cast.actor(cast.ben)
    send_message(actor=ben, conversation_id=conversation.pk, client_id=new_id(), body="A secret thought", note=True)
    return set_status(actor=ben, conversation_id=conversation.pk, status=ConversationStatus.RESOLVED)


def jobs(conversation: Conversation) -> list[Job]:
    return list(Job.objects.filter(lane=f"archive:{conversation.pk}").order_by("pk"))


def test_a_resolved_conversation_becomes_one_row_over_there(cast, peer):
    switched_on(cast)
    conversation = resolved(cast)
    (job,) = jobs(conversation)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.result) == ("completed", {"archived": True})
    ((path, headers, body),) = peer.heard
    assert path == "/rest/v1/archived_transcripts?on_conflict=id"
    assert (headers["apikey"], "authorization" in headers) == ("sb_secret_test", False)
    assert "merge-duplicates" in headers["prefer"]
    assert body["id"] == str(conversation.pk)
    assert [line["body"] for line in body["messages"]] == ["Hola"]
    assert "secret thought" not in json.dumps(body)


def test_each_time_it_is_resolved_it_goes_once(cast, peer):
    switched_on(cast)
    conversation = resolved(cast)
    ben = cast.actor(cast.ben)
    set_status(actor=ben, conversation_id=conversation.pk, status=ConversationStatus.RESOLVED)
    assert len(jobs(conversation)) == 1
    set_status(actor=ben, conversation_id=conversation.pk, status=ConversationStatus.OPEN)
    set_status(actor=ben, conversation_id=conversation.pk, status=ConversationStatus.RESOLVED)
    assert len(jobs(conversation)) == 2


def test_without_key_or_setting_nothing_is_sent(cast, peer, settings):
    assert jobs(resolved(cast)) == []
    switched_on(cast)
    settings.SUPABASE_SECRET_KEY = ""
    assert jobs(resolved(cast)) == []


def test_a_refusal_is_final_and_names_no_one(cast, peer):
    switched_on(cast)
    peer.answer = 404
    (job,) = jobs(resolved(cast))
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == "failed"
    assert "404" in job.last_error
    assert "Hola" not in job.last_error
