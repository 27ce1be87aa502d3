"""How often the tests of promises under fire repeat themselves: a few times here, all the way in `make bench`."""

import os

WHOLE = "SWITCHBOARD_WHOLE"


def times(short: int, whole: int) -> int:
    """Such a test is marked `repeats`, which is how the benchmark finds it."""
    return whole if os.environ.get(WHOLE) else short
