"""One copy of the product: what it has claimed, which servers are its own, which processes it consists of."""

import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from config.run import children as kinds
from config.run import database
from config.run.banner import banner
from config.run.children import Child
from config.run.claims import check_parts, claim_folder, claim_port, socket_folder
from config.run.embedded import Postgres, Valkey
from config.run.environment import Place, check_settings, connections_needed, for_a_shell, read_place, settle
from config.run.errors import StartRefused
from config.run.keys import SHELL_FILE, write_private
from config.run.supervisor import Supervisor

# Postgres's words at a start are kept back and told only when it fails; the application reports its own errors.
POSTGRES_OPTIONS = ("log_min_messages=fatal", "log_line_prefix=", "unix_socket_permissions=0700")
USUAL_CONNECTIONS = 100


@dataclass(frozen=True)
class Copy:
    place: Place
    lock: TextIOWrapper
    listener: socket.socket
    postgres: Postgres | None
    valkey: Valkey | None

    @classmethod
    def claim(cls) -> "Copy":
        """Takes folder and port, completes the environment, makes the data folder. Starts nothing yet."""
        place = read_place()
        lock = claim_folder(place.var_dir)
        check_parts(place.var_dir)
        listener = claim_port(place.host, place.port)
        settle(place)
        own_database, own_redis = not os.environ.get("DATABASE_URL"), not os.environ.get("REDIS_URL")
        sockets = socket_folder(place.var_dir) if own_database or own_redis else place.var_dir
        postgres = Postgres(place.var_dir / "postgres", sockets) if own_database else None
        valkey = Valkey(sockets / "valkey.sock", place.var_dir) if own_redis else None
        if postgres:
            os.environ["DATABASE_URL"] = postgres.url
        if valkey:
            os.environ["REDIS_URL"] = valkey.url
        check_settings()
        if postgres:
            postgres = Postgres(postgres.data, sockets, _postgres_options())
            postgres.initialise()
        if valkey:
            valkey.check()
        return cls(place, lock, listener, postgres, valkey)

    def servers(self) -> list[Child]:
        found: list[Child] = []
        if self.postgres:
            found.append(kinds.postgres(self.postgres))
        if self.valkey:
            found.append(kinds.valkey(self.valkey))
        return found

    def product(self) -> list[Child]:
        from config import settings

        count = settings.PROCESSES
        webs = [kinds.web(number + 1, count, self.listener.fileno()) for number in range(count)]
        others = [kinds.worker(), kinds.beat()]
        return [*self.servers(), *webs, *others, *([kinds.simulator()] if self.place.demo else [])]

    async def between(self) -> Child | None:
        """Once the servers answer: may we use this database, and is there anything to prepare?"""
        from config import settings

        _check_redis(settings.REDIS_URL, own=self.valkey is not None)
        facts = await database.look(settings)
        database.check_room(settings, facts)
        database.check_demo(settings, facts)
        write_private(self.place.var_dir / SHELL_FILE, for_a_shell())
        return None if facts.prepared and (facts.has_demo or not self.place.demo) else kinds.prepare()

    def supervisor(
        self,
        children: Sequence[Child] | None = None,
        between: Callable[[], Awaitable[Child | None]] | None = None,
    ) -> Supervisor:
        return Supervisor(
            self.product() if children is None else children,
            listener=self.listener,
            between=between or self.between,
            answered=lambda seconds: banner(self.place.public_url, seconds, demo=self.place.demo),
        )

    def leave(self) -> None:
        """What a shell beside us used is no longer true; the lock goes with the process."""
        (self.place.var_dir / SHELL_FILE).unlink(missing_ok=True)
        if self.postgres and self.postgres.sockets.parent != self.place.var_dir:
            _remove_sockets(self.postgres.sockets)


def _postgres_options() -> tuple[str, ...]:
    room = max(USUAL_CONNECTIONS, connections_needed() + 20)
    return (*POSTGRES_OPTIONS, f"max_connections={room}")


def _check_redis(url: str, *, own: bool) -> None:
    if own:
        return
    import redis

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except (redis.RedisError, OSError, ValueError) as error:
        raise StartRefused(f"REDIS_URL cannot be used: {str(error).rstrip('.')}.") from None


def _remove_sockets(folder: Path) -> None:
    with suppress(OSError):
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()
