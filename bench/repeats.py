"""The tests that the suite shortens, at their whole length: do the promises hold as often as they were given?"""

import re
import sys
import time

from processes import ROOT, BenchError, plain_environment
from report import Result, Row
from stage import Stage

TITLE = "promises under fire, as often as they were given"
LONGEST = 1_800.0  # seconds
LINE = re.compile(r"^(?P<seconds>[\d.]+)s call +(?P<test>\S+)$", re.MULTILINE)


def take(stage: Stage) -> Result:
    result = Result("repeats", TITLE)
    environment = plain_environment() | ({} if stage.quick else {"SWITCHBOARD_WHOLE": "1"})
    words = ["-q", "-m", "repeats", "--durations=0", "-p", "no:cacheprovider"]
    tests = stage.start("repeats", [sys.executable, "-m", "pytest", *words], environment=environment, folder=ROOT)
    began = time.monotonic()
    said, _ = tests.popen.communicate(timeout=LONGEST)
    if tests.popen.returncode:
        raise BenchError(f"a promise was broken: {tests.last_words()}")
    for found in LINE.finditer(said.decode()):
        name = found["test"].partition("::")[2].removeprefix("test_").replace("_", " ")
        result.rows.append(Row(name, f"{float(found['seconds']):.0f} s", target="holds", holds=True))
    stage.stop(tests)
    result.notes.append(f"{time.monotonic() - began:.0f} s in all")
    return result
