"""Twelve conversations by hand, for the top of the list: each shows one thing that the inbox can say."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from config.run.demo.persons import Crowd
from config.run.demo.texts import pool
from config.run.demo.threads import HOUR, Teller, Thread
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


FEATURED = (
    Featured("Lucía", "Lucía Fernández", True, "es", "MX", 72, unread_by=("ben",)),
    Featured("Dewi", "Dewi Lestari", True, "id", "ID", 23 * HOUR + 22, unread_by=("ben",)),
    Featured("Noura", "نورة القحطاني", True, "ar", "SA", 4, unread_by=("ben",), latin="noura"),
    Featured(
        "Visitor", "Visitor from Lisbon", False, "pt", "PT", 1, "", "demo-widget", unread_by=("ada", "bea", "ben")
    ),
    Featured("Siti", "Siti Rahmawati", True, "id", "ID", 2, "", unread_by=("bea", "ben")),
    Featured("Grace", "Grace Mwangi", True, "en", "KE", 21, failure="131026"),
    Featured("Marcus", "Marcus Reid", False, "en", "US", 35, channel="demo-twilio"),
    Featured("Khaled", "خالد يوسف", False, "ar", "EG", 53, channel="demo-twilio", latin="khaled"),
    Featured("Jonas", "Jonas Weber", False, "de", "DE", 2 * HOUR, channel="demo-widget"),
    Featured("Olena", "Олена Шевченко", True, "uk", "UA", 17 * HOUR, status=ConversationStatus.SNOOZED, latin="olena"),
    Featured("Priya", "प्रिया नायर", True, "hi", "IN", 42 * HOUR, "bea", latin="priya"),
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
        threads.append(thread)
    return threads
