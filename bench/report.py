"""Figures, verdicts and how they are printed and kept."""

import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from processes import BENCH, ROOT

RESULTS = BENCH / "results"
HEADINGS = ("", "figure", "yardstick", "ratio", "target", "verdict")
BUSY = 0.7  # load at the start above which somebody else is at work here
NONE = "-"


@dataclass(frozen=True)
class Row:
    what: str
    figure: str
    yardstick: str = NONE
    ratio: str = NONE
    target: str = NONE
    holds: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "holds", False: "missed", None: NONE}[self.holds]

    def cells(self) -> tuple[str, ...]:
        return (self.what, self.figure, self.yardstick, self.ratio, self.target, self.verdict)


@dataclass
class Result:
    name: str
    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # Every single round, for the file
    raw: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    # Why there is no figure: something went wrong, or a part it needs is not there
    failed: str = ""
    skipped: str = ""

    @property
    def holds(self) -> bool:
        return all(row.holds is not False for row in self.rows)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * int(share * 1000) // 1000) - 1))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def rate(value: float) -> str:
    return f"{value:,.0f}/s"


def ms(value: float) -> str:
    return f"{value:.1f} ms" if value < 100 else f"{value:,.0f} ms"


def table(result: Result) -> str:
    cells = [HEADINGS, *(row.cells() for row in result.rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(
            word.ljust(width) if column in {0, 5} else word.rjust(width)
            for column, (word, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    head = f"{result.name}: {result.title} ({result.seconds:.0f} s)"
    notes = [f"  {note}" for note in result.notes]
    if result.failed or result.skipped:
        return f"{head}\n  not taken: {result.failed or result.skipped}\n"
    return "\n".join([head, *(f"  {line}" for line in lines), *notes]) + "\n"


def machine(data_on: str, versions: dict[str, str]) -> str:
    load = os.getloadavg()[0]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    parts = [
        f"{os.cpu_count()} x {_processor()}",
        f"{memory:.0f} GiB",
        f"data on {data_on}",
        f"{platform.system()} {platform.release().split('-')[0]}",
        f"Python {platform.python_version()}",
        *(f"{name} {version}" for name, version in versions.items()),
        f"commit {_commit()}",
        f"load {load:.1f} at the start",
    ]
    busy = "\nThe machine is at work for others: these figures mean little." if load > BUSY else ""
    return ", ".join(parts) + busy


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return " ".join(line.partition(":")[2].replace("(R)", "").replace("(TM)", "").split())
    return platform.machine()


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return git("rev-parse", "--short", "HEAD") + (" with changes" if git("status", "--porcelain") else "")


def keep(line: str, quick: bool, results: Sequence[Result]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    whole = {
        "machine": line,
        "quick": quick,
        "benchmarks": [
            {**asdict(result), "rows": [{**asdict(row), "verdict": row.verdict} for row in result.rows]}
            for result in results
        ],
    }
    path.write_text(json.dumps(whole, indent=1) + "\n")
    return path
