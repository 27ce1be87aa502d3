"""Load: visitors on sockets of their own, and one agent; they write in turn, each message timed from before its request
until the other side's socket has it.

Reads one JSON line; prints a line when everybody listens, then what became of the messages. Sent when they are due,
whatever became of those before (an open loop).
"""

import asyncio
import json
import sys
import time
import uuid
from contextlib import suppress
from typing import Any

import httpx
import websockets

ARRIVING = 40  # handshakes at once
PATIENCE = 20.0  # seconds; what has not come by then is lost
CONNECTIONS = 64
TOPICS = 150  # of one of the agent's sockets, which may follow 200


class Load:
    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.base = f"http://127.0.0.1:{spec['port']}"
        self.began: dict[str, float] = {}  # by the words, which are all different
        self.delays: dict[str, list[float]] = {"in": [], "out": []}
        self.seen: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.listening = 0
        self.everybody, self.arrived = asyncio.Event(), asyncio.Event()
        self.listeners = 0
        self.all_sent = False

    def fail(self, word: str) -> None:
        self.errors[word] = self.errors.get(word, 0) + 1

    async def listen(self, token: str, topics: list[str], way: str, gate: asyncio.Semaphore) -> None:
        url = self.base.replace("http", "ws") + "/ws/live"
        async with gate:
            socket = await websockets.connect(
                url, subprotocols=["live.v1", f"bearer.{token}"], open_timeout=60, proxy=None, max_queue=None
            )
        for topic in topics:
            await socket.send(json.dumps({"op": "subscribe", "topic": topic, "after": None}))
        waiting = len(topics)
        try:
            async for text in socket:
                now = time.monotonic()
                frame = json.loads(text)
                if frame["op"] == "subscribed":
                    waiting -= 1
                    self.listening += not waiting
                    if self.listening == self.listeners:
                        self.everybody.set()
                elif frame["op"] == "event":
                    self.note(frame, way, now)
        except websockets.ConnectionClosed as closed:
            self.fail(f"closed {closed.rcvd.code if closed.rcvd else 0}")

    def note(self, frame: dict[str, Any], way: str, now: float) -> None:
        data = frame["data"]
        if frame["type"] != "message.created" or data["direction"] != way or data["body"] not in self.began:
            return
        self.seen[data["body"]] = self.seen.get(data["body"], 0) + 1
        self.delays[way].append((now - self.began[data["body"]]) * 1000)
        self.look()

    def look(self) -> None:
        if self.all_sent and len(self.seen) == len(self.began):
            self.arrived.set()

    async def write(self, client: httpx.AsyncClient, path: str, token: str) -> None:
        words = str(uuid.uuid4())
        self.began[words] = time.monotonic()
        try:
            answer = await client.post(
                self.base + path,
                json={"client_id": words, "body": words},
                headers={"Authorization": f"Bearer {token}"},
            )
        except httpx.HTTPError as error:
            self.fail(type(error).__name__)
            return
        if answer.status_code != 201:
            self.fail(f"status {answer.status_code}")

    async def run(self) -> None:
        visitors, gate = self.spec["visitors"], asyncio.Semaphore(ARRIVING)
        listeners = [asyncio.create_task(self.listen(token, [f"chat.{chat}"], "out", gate)) for chat, token in visitors]
        for first in range(0, len(visitors), TOPICS):
            topics = [f"conversation.{chat}" for chat, _ in visitors[first : first + TOPICS]]
            listeners.append(asyncio.create_task(self.listen(self.spec["agent"], topics, "in", gate)))
        with suppress(TimeoutError):
            await asyncio.wait_for(self.everybody.wait(), 120)
        say({"listening": self.listening})
        limits = httpx.Limits(max_connections=CONNECTIONS)
        async with httpx.AsyncClient(limits=limits, timeout=PATIENCE, trust_env=False) as client:
            await self.send_all(client)
        self.all_sent = True
        self.look()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.arrived.wait(), PATIENCE)
        for listener in listeners:
            listener.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
        lost = len(self.began) - len(self.seen)
        doubled = sum(count - 1 for count in self.seen.values())
        say({"delays": self.delays, "lost": lost, "doubled": doubled, "errors": self.errors, "sent": len(self.began)})

    async def send_all(self, client: httpx.AsyncClient) -> None:
        rate, visitors = self.spec["rate"], self.spec["visitors"]
        start, sending = time.monotonic(), set()
        for number in range(int(rate * self.spec["seconds"])):
            await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
            chat, token = visitors[number // 2 % len(visitors)]
            if number % 2:
                path, token = f"/api/v1/workspaces/bench/conversations/{chat}/messages/", self.spec["agent"]
            else:
                path = f"/api/v1/chats/{chat}/messages"
            task = asyncio.create_task(self.write(client, path, token))
            sending.add(task)
            task.add_done_callback(sending.discard)
        await asyncio.gather(*sending)


def say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(Load(json.loads(sys.stdin.readline())).run())
