"""python -m webhooks.simulator: the simulated provider on 127.0.0.1:SIMULATOR_PORT until it is told to end."""

import contextlib
import logging
import socket
import sys

import uvicorn
from django.core.exceptions import ImproperlyConfigured

from webhooks.simulator.app import Simulator
from webhooks.simulator.options import Options, from_environment
from webhooks.simulator.world import World

logger = logging.getLogger(__name__)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        options = from_environment()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    listener, world = _listen(options), World(options)
    try:
        world.load()
    except OSError as error:
        sys.exit(f"The simulator cannot keep its data in {options.folder}: {error.strerror}.")
    config = uvicorn.Config(
        Simulator(world),
        http="h11",  # whose `send` leads to the transport that app.py cuts
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    logger.info("provider simulator on http://127.0.0.1:%s, webhooks to %s", options.port, options.public_url)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])


def _listen(options: Options) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", options.port))
    except OSError:
        sys.exit(f"Port {options.port} is taken: set SIMULATOR_PORT to another one.")
    return listener


if __name__ == "__main__":
    main()
