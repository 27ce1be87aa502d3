"""`python -m config.run`: one copy of the product, from nothing to the sign-in page, until it is told to end."""

import os
import signal
import sys

if __name__ == "__main__":
    # Until the supervisor listens for it, Ctrl-C ends us without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import asyncio

from django.core.exceptions import ImproperlyConfigured

from config.run.errors import StartRefused
from config.run.instance import Copy
from config.run.leash import die_with_parent


def main() -> int:
    if os.environ.get("MAKELEVEL"):
        die_with_parent(signal.SIGTERM)  # a killed `make` must not leave us behind either
    try:
        copy = Copy.claim()
        try:
            asyncio.run(copy.supervisor().run())
        finally:
            copy.leave()
    except (StartRefused, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:  # a full disk, a folder taken away: nothing that a traceback would explain
        sys.stderr.write(f"The copy cannot run: {error}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
