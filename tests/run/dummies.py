"""Small stand-ins for the product's processes under the real supervisor: `python -m tests.run.dummies KIND`.

Each stand-in appends a line to VAR_DIR/told when it starts and when it is asked to end.
"""

import asyncio
import sys

from django.core.exceptions import ImproperlyConfigured

from config.run.children import Child, Ends, Starts
from config.run.errors import StartRefused
from config.run.instance import Copy

STAND_IN = """
import os, signal, sys, time
name, stubborn = sys.argv[1], sys.argv[2] == "stubborn"
def tell(what):
    with open(os.path.join(os.environ["VAR_DIR"], "told"), "a") as file:
        file.write(f"{name} {what} {os.getpid()}\\n")
def end(*_):
    tell("asked")
    if not stubborn:
        sys.exit(0)
signal.signal(signal.SIGTERM, end)
tell("started")
print(f"{name} says hello", flush=True)
while True:
    time.sleep(60)
"""
WEB = """
import os, socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
listener.setblocking(True)
while True:
    connection, _ = listener.accept()
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nX-Process: %d\\r\\n\\r\\n" % os.getpid())
    connection.close()
"""
CRASHING = "import sys; sys.exit(3)"


def _python(*words: str):
    return lambda: (sys.executable, "-c", *words)


def _stand_in(name: str, ends: Ends, manner: str = "polite") -> Child:
    return Child(name=name, command=_python(STAND_IN, name, manner), starts=Starts.BACKGROUND, ends=ends)


def children(copy: Copy, kind: str) -> list[Child]:
    listener = copy.listener.fileno()
    web = Child("web", _python(WEB, str(listener)), Starts.WEB, Ends.DOORS, pass_fds=(listener,))
    others = {
        "servers": [],
        "usual": [_stand_in("beat", Ends.DOORS), _stand_in("worker", Ends.WORK)],
        "stubborn": [_stand_in("worker", Ends.WORK, "stubborn")],
        "crashing": [Child("worker", _python(CRASHING), Starts.BACKGROUND, Ends.WORK)],
    }
    return [*copy.servers(), web, *others[kind]]


async def _only_look(copy: Copy) -> None:
    """All that comes before the children but the preparation of the database."""
    await copy.between()


def main() -> int:
    try:
        copy = Copy.claim()
        asyncio.run(copy.supervisor(children(copy, sys.argv[1]), lambda: _only_look(copy)).run())
        copy.leave()
    except (StartRefused, ImproperlyConfigured) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
