"""Pupils who are none: they sit an exam of a running server over HTTP as clients do, with all that goes wrong."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from proctoring.services.grants import TOKEN_HEADER

NOTICED = ("tab_switch", "focus_loss", "window_resize", "copy", "paste", "fullscreen_exit", "mouse_leave")
ANSWERS = ("Yes, I have seen it.", "Sorry, an update popped up.", "Sudah, Bu.", "شكراً", "ありがとうございます")
EXPLANATIONS = ("My brother came in", "The page asked me to", "I had to charge it", "Maaf, tidak sengaja")
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
)
EXPLAINED = 0.2  # of what is noticed
TROUBLE = 0.04  # of all beats: something is noticed
SILENCE = 0.004  # of all beats: the line goes dead for a while
PATIENCE = 20.0


@dataclass
class Tally:
    took: list[float] = field(default_factory=list)  # seconds of each beat
    statuses: Counter[str] = field(default_factory=Counter)

    def line(self) -> str:
        took = sorted(self.took) or [0.0]
        at = {share: took[min(len(took) - 1, int(len(took) * share))] * 1000 for share in (0.5, 0.95, 0.99)}
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self.statuses.items()))
        return f"{len(self.took)} beats: p50 {at[0.5]:.1f} ms, p95 {at[0.95]:.1f} ms, p99 {at[0.99]:.1f} ms; {counts}"


@dataclass(frozen=True)
class Pupil:
    name: str
    token: str


async def play(base: str, exam: str, pupils: list[Pupil], *, seconds: float, interval: float, seed: int) -> Tally:
    tally, ends = Tally(), time.monotonic() + seconds
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=PATIENCE, trust_env=False) as http:
        await asyncio.gather(
            *(
                _Sitting(http, exam, pupil, tally, random.Random(seed + number), interval).run(ends)  # noqa: S311
                for number, pupil in enumerate(pupils)
            )
        )
    return tally


class _Sitting:
    def __init__(
        self, http: httpx.AsyncClient, exam: str, pupil: Pupil, tally: Tally, chance: random.Random, interval: float
    ) -> None:
        self.http, self.exam, self.tally, self.chance, self.interval = http, exam, tally, chance, interval
        self.headers = {TOKEN_HEADER: pupil.token, "User-Agent": chance.choice(AGENTS)}
        self.device = f"sim-{pupil.name}"[:64]
        self.session = ""
        self.answered = self.seq = self.beats = 0
        self.questions = 40
        self.seen: list[str] = []
        self.paused = False
        self.refused = 0  # the status that the last request was refused with

    async def run(self, ends: float) -> None:
        await asyncio.sleep(self.chance.random() * self.interval)  # nobody starts at the same moment
        started = await self._post(f"/api/v1/exams/{self.exam}/sessions", {"device": self.device})
        if started is None:
            return
        self.session, self.seq = started["id"], started["violation_seq"]
        self.questions = started["question_count"] or self.questions
        self.answered = started["answered_count"]
        while time.monotonic() < ends:
            if not await self._beat():
                return
            await self._live()
            await asyncio.sleep(self.interval * self.chance.uniform(0.95, 1.05))

    async def _beat(self) -> bool:
        """False when there is nothing more to beat for."""
        self.beats += 1
        if not self.paused and self.chance.random() < 0.3 and self.answered < self.questions:
            self.answered += 1
        began = time.monotonic()
        answer = await self._post(
            f"/api/v1/sessions/{self.session}/heartbeat",
            {
                "current_question": min(self.answered + 1, self.questions),
                "answered_count": self.answered,
                "visibility": "hidden" if self.chance.random() < 0.02 else "visible",
                "idle_ms": self.chance.choice((0, 900, 4_000, 130_000)),
                "rtt_ms": self.chance.randint(15, 180),
                "network": "wifi",
                "client_time": datetime.now(UTC).isoformat(),
                "seq": self.beats,
                "device": self.device,
                "seen": self.seen,
            },
            beat=True,
        )
        self.tally.took.append(time.monotonic() - began)
        if answer is None:
            return self.refused not in {404, 409}
        self.paused = answer["status"] == "paused"
        self.seen = [command["id"] for command in answer["commands"]]
        if any(command["type"] in {"message", "attention"} for command in answer["commands"]):
            await self._write()
        elif self.beats % 2:
            await self._read()
        return True

    async def _live(self) -> None:
        """What happens to pupils besides."""
        if self.chance.random() < TROUBLE:
            await self._notice()
        if self.chance.random() < SILENCE:
            await asyncio.sleep(self.chance.uniform(2.5, 6) * self.interval)
        if self.answered >= self.questions and self.chance.random() < 0.1:
            await self._post(f"/api/v1/sessions/{self.session}/end", {})

    async def _notice(self) -> None:
        self.seq += 1
        item: dict[str, Any] = {
            "client_id": str(uuid4()),
            "seq": self.seq,
            "type": self.chance.choice(NOTICED),
            "occurred_at": datetime.now(UTC).isoformat(),
            "detail": {"duration_ms": self.chance.randint(300, 20_000)},
        }
        answer = await self._post(f"/api/v1/sessions/{self.session}/violations", {"violations": [item]})
        noticed = answer["results"][0]["violation"] if answer else None
        if noticed and self.chance.random() < EXPLAINED:
            own = f"/api/v1/sessions/{self.session}/violations/{noticed['id']}/explanation"
            await self._post(own, {"explanation": self.chance.choice(EXPLANATIONS)})

    async def _read(self) -> None:
        """Looks whether a tutor has written, and answers."""
        chat = f"/api/v1/sessions/{self.session}/chat"
        thread = await self._call("GET", f"{chat}?limit=1")
        if not thread or not thread["results"] or thread["results"][0]["direction"] == "in":
            return
        await self._post(f"{chat}/read", {})
        await self._write()

    async def _write(self) -> None:
        chat = f"/api/v1/sessions/{self.session}/chat"
        await self._post(f"{chat}/typing", {})
        await asyncio.sleep(self.chance.uniform(0.5, 2))  # children type slowly
        await self._post(chat, {"client_id": str(uuid4()), "body": self.chance.choice(ANSWERS)})

    async def _post(self, path: str, body: dict[str, Any], *, beat: bool = False) -> dict[str, Any] | None:
        return await self._call("POST", path, body, beat=beat)

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, beat: bool = False
    ) -> dict[str, Any] | None:
        """None when it was refused or did not arrive, which is counted, and when there is nothing to say."""
        self.refused = 0
        try:
            answer = await self.http.request(method, path, json=body, headers=self.headers)
        except httpx.HTTPError as error:
            self.tally.statuses[type(error).__name__] += 1
            return None
        if beat or answer.is_error:
            self.tally.statuses[str(answer.status_code)] += 1
        if answer.is_error:
            self.refused = answer.status_code
            return None
        return answer.json() if answer.content else None
