"""Twelve conversations by hand, for the top of the list: each shows one thing that the inbox can say."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from config.run.demo.files import DemoFile, floor_plan, form, receipt, voice
from config.run.demo.persons import Crowd
from config.run.demo.texts import pool
from config.run.demo.threads import HOUR, Said, Teller, Thread
from inbox.states import ConversationStatus


@dataclass(frozen=True, slots=True)
class Featured:
    title: str  # in texts/featured.txt
    name: str
    woman: bool
    language: str
    region: str
    minutes: float
    assignee: str = "ben"
    channel: str = "demo-kapso"
    status: ConversationStatus = ConversationStatus.OPEN
    unread_by: tuple[str, ...] = ()
    failure: str = ""
    latin: str = ""
    files: tuple[DemoFile, ...] = ()


RECEIPT = DemoFile(-1, "image", "bukti-transfer.png", "image/png", receipt)
FORM = DemoFile(4, "document", "استمارة التسجيل.pdf", "application/pdf", form)
PLAN = DemoFile(-1, "image", "way-in.png", "image/png", floor_plan)
VOICE = DemoFile(0, "audio", "voice.wav", "audio/wav", voice, alone=True)

FEATURED = (
    Featured("Lucía", "Lucía Fernández", True, "es", "MX", 72, unread_by=("ben",)),
    Featured("Dewi", "Dewi Lestari", True, "id", "ID", 23 * HOUR + 22, unread_by=("ben",), files=(RECEIPT,)),
    Featured("Noura", "نورة القحطاني", True, "ar", "SA", 4, unread_by=("ben",), latin="noura", files=(FORM,)),
    Featured(
        "Visitor", "Visitor from Lisbon", False, "pt", "PT", 1, "", "demo-widget", unread_by=("ada", "bea", "ben")
    ),
    Featured("Siti", "Siti Rahmawati", True, "id", "ID", 2, "", unread_by=("bea", "ben")),
    Featured("Grace", "Grace Mwangi", True, "en", "KE", 21, failure="131026"),
    Featured("Marcus", "Marcus Reid", False, "en", "US", 35, channel="demo-twilio", files=(PLAN,)),
    Featured("Khaled", "خالد يوسف", False, "ar", "EG", 53, channel="demo-twilio", latin="khaled"),
    Featured("Jonas", "Jonas Weber", False, "de", "DE", 2 * HOUR, channel="demo-widget"),
    Featured("Olena", "Олена Шевченко", True, "uk", "UA", 17 * HOUR, status=ConversationStatus.SNOOZED, latin="olena"),
    Featured("Priya", "प्रिया नायर", True, "hi", "IN", 42 * HOUR, "bea", latin="priya", files=(VOICE,)),
    Featured(
        "Ana Sofía", "Ana Sofía Rojas", True, "es", "CO", 6 * 24 * HOUR, "bea", status=ConversationStatus.RESOLVED
    ),
)


def featured_threads(now: datetime, rng: Random, crowd: Crowd) -> list[Thread]:
    teller = Teller(now, rng)
    episodes = {episode.title: episode for episode in pool("featured").episodes}
    threads = []
    for one in FEATURED:
        person = crowd.known(one.language, one.name, one.title, woman=one.woman, region=one.region, latin=one.latin)
        thread = teller.told(
            person, episodes[one.title], channel=one.channel, minutes=one.minutes, assignee=one.assignee
        )
        thread.status, thread.failure, thread.unread_by = one.status, one.failure, frozenset(one.unread_by)
        for file in one.files:
            _attach(thread, file)
        threads.append(thread)
    return threads


def _attach(thread: Thread, file: DemoFile) -> None:
    line = thread.said[file.line]
    if not file.alone:
        line.file = file
        return
    after = Said(line.kind, "", line.at + timedelta(seconds=9), line.by, file)
    thread.said.insert(thread.said.index(line) + 1, after)


def featured_files() -> list[DemoFile]:
    return [file for one in FEATURED for file in one.files]
