"""Ties a child to its parent: when the parent dies, however it dies, the kernel ends the child.

Linux only; elsewhere a supervisor that is killed outright leaves its children behind.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(death: signal.Signals) -> None:
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death))


def leash(death: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`. The signal fires when the *thread* that forked ends, so fork from the main one."""
    parent = os.getpid()

    def in_child() -> None:
        die_with_parent(death)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return in_child
