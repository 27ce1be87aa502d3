"""`make bench`: the benchmarks, each next to its yardstick in the same run. ARGS="webhooks live --quick" for a part.

Brings servers of its own and leaves nothing running. Ends with 1 when a target was missed or a benchmark failed.
"""

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable

import board
import chat
import context
import copies
import dashboard
import deliveries
import desk
import exam
import fanout
import filing
import importing
import listing
import providers
import repeats
import search
import throughput
from processes import BenchError
from report import Result, keep, machine, table
from stage import Stage, file_system, versions

BENCHMARKS: dict[str, Callable[[Stage], Result]] = {
    "webhooks": deliveries.take,
    "providers": providers.take,
    "live": fanout.take,
    "jobs": throughput.take,
    "list": listing.take,
    "search": search.take,
    "import": importing.take,
    "file": filing.take,
    "context": context.take,
    "exam": exam.take,
    "board": board.take,
    "chat": chat.take,
    "screens": copies.screens,
    "dashboard": dashboard.take,
    "desk": desk.take,
    "start": copies.start,
    "repeats": repeats.take,
}


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    results: list[Result] = []
    with Stage(options.quick) as stage:
        line = machine(file_system(stage.home), versions())
        _say(line + "\n")
        try:
            for name in options.names or BENCHMARKS:
                results.append(_take(name, stage))
                _say(table(results[-1]))
        except KeyboardInterrupt:
            _say("Ended early; nothing is left running.")
            return 130
    _say(f"Kept in {keep(line, options.quick, results)}")
    return 0 if all(result.holds and not result.failed for result in results) else 1


def _take(name: str, stage: Stage) -> Result:
    began = time.monotonic()
    try:
        result = BENCHMARKS[name](stage)
    except BenchError as error:
        result = Result(name, "", failed=str(error))
    except Exception as error:  # the others' figures are still worth having
        traceback.print_exc()
        result = Result(name, "", failed=f"{type(error).__name__}: {error}")
    result.seconds = time.monotonic() - began
    return result


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that everything still works")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark is called {unknown[0]}: there are {', '.join(BENCHMARKS)}")
    return options


def _as_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
