"""`python -m config.servers.start`: one web process. Its address or an open socket comes from outside."""

import argparse
import contextlib
import gc
import importlib
import logging
import os
import socket
import sys
from collections.abc import Sequence

from config.servers import limits
from config.servers.limits import raise_file_limit

# Collecting what was imported, or every 700 new objects, stops all sockets for tens of milliseconds.
GC_THRESHOLDS = (50_000, 20, 100)

logger = logging.getLogger("config.servers")


def main(arguments: Sequence[str] | None = None) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings

    options = _options(arguments)
    server = options.server or settings.ASGI_SERVER
    bind, port = options.bind or settings.BIND, options.port or settings.PORT
    try:
        listening = _listen(options.fd, bind, port)
    except OSError as error:
        sys.stderr.write(f"Cannot listen on {bind}:{port} ({error.strerror}): set PORT or BIND to another address.\n")
        return 1
    raise_file_limit()
    django.setup()
    if refused := _refusal():
        sys.stderr.write(f"{refused}\n")
        return 1
    _look_for_gaps()
    runner = importlib.import_module(f"config.servers.{server}_runner")
    module, _, name = options.application.partition(":")
    application = getattr(importlib.import_module(module), name)
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    _watch_exams()
    logger.info("Listening on %s with %s", _address(listening), server)
    runner.run(application, listening, _stop_watching_exams)
    return 0


def _refusal() -> str:
    """Demo data has public passwords: it is not served as if it were real."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import DatabaseError

    from config.run.demo.guard import check_demo_allowed

    try:
        check_demo_allowed()
    except ImproperlyConfigured as error:
        return str(error)
    except DatabaseError:
        pass  # it may come back; until then nothing is served from it
    return ""


def _look_for_gaps() -> None:
    """While no web process ran, providers knocked in vain."""
    from django.db import DatabaseError

    from webhooks.backfill.start import look_after_start

    with contextlib.suppress(DatabaseError):  # the clock looks too, once an hour
        look_after_start()


def _watch_exams() -> None:
    """Before the first request, and not earlier: what was silent while no web process ran was not the students' doing,
    and they have their time to come back from when they can."""
    from proctoring import watch

    watch.start()


def _stop_watching_exams() -> None:
    """As soon as no more beats are taken: how long a process takes to end is no time in which students were silent."""
    from proctoring import watch

    watch.stop()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m config.servers.start", description=__doc__)
    parser.add_argument("--fd", type=int, help="a listening socket inherited from the parent")
    parser.add_argument("--bind", help="address to listen on (default: BIND)")
    parser.add_argument("--port", type=int, help="port to listen on (default: PORT)")
    parser.add_argument("--server", choices=("daphne", "uvicorn"), help="default: ASGI_SERVER")
    parser.add_argument("--application", default="config.asgi:application", help="module:name of the ASGI application")
    return parser.parse_args(arguments)


def _listen(fd: int | None, bind: str, port: int) -> socket.socket:
    if fd is not None:
        listening = socket.socket(fileno=fd)
    else:
        family, kind, protocol, _, address = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(address)
        except OSError:
            listening.close()
            raise
        listening.listen(limits.BACKLOG)
    listening.setblocking(False)
    return listening


def _address(listening: socket.socket) -> str:
    name = listening.getsockname()
    return f"http://{name[0]}:{name[1]}" if isinstance(name, tuple) else str(name)


if __name__ == "__main__":
    sys.exit(main())
