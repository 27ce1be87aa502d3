"""Plays students against a running server, so that a tutor has something to watch."""

import asyncio
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from proctoring.models import Enrolment, Exam
from proctoring.people import Student
from proctoring.services.grants import token_of
from proctoring.simulation import Pupil, play

NAMES = (
    "Kevin Pratama",
    "ليان القحطاني",
    "Diego Salazar",
    "Siti Rahmawati",
    "Ayu Wulandari",
    "Noah Becker",
    "عمر حدّاد",
    "Camila Torres",
    "Sofía Méndez",
    "Budi Santoso",
    "Liam O’Connor",
    "سارة المطيري",
    "Rizky Ramadhan",
    "Emma Lindqvist",
    "Chloé Martin",
    "Nadia Hartono",
    "Lucas Ferreira",
    "Oliver Hughes",
    "Zoé Lambert",
    "هند الشمري",
    "Mia Novak",
    "Tomás Herrera",
    "Hana Yusuf",
    "林美玲",
    "さくら 田中",
    "김서연",
)


class Command(BaseCommand):
    help = "Plays students of an exam over HTTP: progress, violations, dead lines, answers to what tutors say."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exam", default="demo-exam")
        parser.add_argument("--students", type=int, default=100)
        parser.add_argument("--seconds", type=float, default=600)
        parser.add_argument("--interval", type=float, default=10, help="seconds between beats, 5 at least")
        parser.add_argument("--url", default=settings.PUBLIC_URL)
        parser.add_argument("--seed", type=int, default=1)

    def handle(
        self,
        *args: Any,
        exam: str,
        students: int,
        seconds: float,
        interval: float,
        url: str,
        seed: int,
        **options: Any,
    ) -> None:
        found = Exam.objects.filter(slug=exam.lower()).first()
        if found is None:
            raise CommandError(f"There is no exam {exam}.")
        if not 1 <= students <= 10_000 or interval < 5:
            raise CommandError("From 1 to 10,000 students, with at least 5 seconds between their beats.")
        pupils = [_enrolled(found, number) for number in range(1, students + 1)]
        self.stdout.write(f"{students} students sit {found.slug} at {url} for {seconds:.0f} s.")
        tally = asyncio.run(play(url, found.slug, pupils, seconds=seconds, interval=interval, seed=seed))
        self.stdout.write(tally.line())


def _enrolled(exam: Exam, number: int) -> Pupil:
    word = f"simulated-{number}"
    name = NAMES[(number - 1) % len(NAMES)] + (f" {(number - 1) // len(NAMES) + 1}" if number > len(NAMES) else "")
    enrolment, _ = Enrolment.objects.get_or_create(
        exam=exam,
        external_id=word,
        defaults={
            "workspace_id": exam.workspace_id,
            "name": name,
            "group": f"8{'abcd'[number % 4]}",
            "attempts": 1_000,
        },
    )
    return Pupil(name, token_of(Student(exam_id=exam.pk, external_id=enrolment.external_id)))
