"""Load: a grading function that pushes scores at an even pace, signed, some of them twice and some corrected later.

Reads one JSON line and says that it is ready; the next line sends it off. Sent when they are due, whatever became of
those before (an open loop). Prints when each score set out, what was answered, and what should stand on the board.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any

from provider_requests import score_request

CONNECTIONS = 16
CORRECTED, LATER = 10, 45  # every tenth push corrects the one so many before it
REPEATED, AGO = 25, 20
PATIENCE = 20.0


class Load:
    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.doors: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.set_out: dict[str, tuple[float, float]] = {}
        self.answers: dict[str, int] = {}
        self.wanted: dict[str, int] = {}  # the score of each submission
        self.pushes = self._pushes()

    def _pushes(self) -> list[tuple[str, bytes]]:
        """What is told of each, "" for repeats, and the request."""
        dice = random.Random(self.spec["seed"])
        made: list[tuple[str, bytes]] = []
        for number in range(self.spec["pushes"]):
            earlier = f"{self.spec['seed']}-{number - LATER}"
            if number % REPEATED == REPEATED - 1 and number >= AGO:
                made.append(("", made[number - AGO][1]))
            elif number % CORRECTED == CORRECTED - 1 and earlier in self.wanted:
                made.append((f"{earlier}:1", self._push(earlier, dice, "fix")))
            else:
                submission = f"{self.spec['seed']}-{number}"
                made.append((f"{submission}:0", self._push(submission, dice, "")))
        return made

    def _push(self, submission: str, dice: random.Random, correction: str) -> bytes:
        nickname, score = f"Player {submission}", dice.randrange(1001)
        self.wanted[submission] = score
        fields = {"submission_id": submission, "nickname": nickname, "score": score, "max_score": 1000}
        if correction:
            fields["correction_id"] = f"{submission}-{correction}"
        return score_request(self.spec["port"], fields)

    async def arrive(self) -> None:
        for _ in range(CONNECTIONS):
            self.doors.put_nowait(await asyncio.open_connection("127.0.0.1", self.spec["port"]))

    async def run(self) -> None:
        began = time.monotonic()
        sent: list[asyncio.Task[None]] = []
        for number, (told, request) in enumerate(self.pushes):
            await asyncio.sleep(max(0.0, began + number / self.spec["rate"] - time.monotonic()))
            sent.append(asyncio.create_task(self.send(told, request)))
        await asyncio.gather(*sent)

    async def send(self, told: str, request: bytes) -> None:
        if told:
            self.set_out[told] = (time.monotonic_ns(), time.time() * 1000)
        reader, writer = await self.doors.get()
        try:
            async with asyncio.timeout(PATIENCE):
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = next(int(row[15:]) for row in head.split(b"\r\n") if row.startswith(b"content-length:"))
                await reader.readexactly(size)
            word = head[9:12].decode()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            word = type(error).__name__
        self.answers[word] = self.answers.get(word, 0) + 1
        self.doors.put_nowait((reader, writer))


async def main() -> None:
    load = Load(json.loads(sys.stdin.readline()))
    await load.arrive()
    _say({"events": sum(bool(told) for told, _ in load.pushes), "players": len(load.wanted)})
    await asyncio.to_thread(sys.stdin.readline)
    await load.run()
    _say({"set_out": load.set_out, "answers": load.answers, "wanted": load.wanted})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
