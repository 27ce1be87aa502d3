"""Every number only once in a test process, because all its browser tests share one product."""

import itertools

numbers = itertools.count(100_001)
