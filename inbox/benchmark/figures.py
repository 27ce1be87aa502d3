"""What was measured, as percentiles; the old decision table, and how both are printed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from inbox.benchmark.ways import Timing

# The demands that the move was to be decided by, and what the old system took.
MOST_MS = 500.0
MOST_QUERIES = 2
FASTER = 0.5
TOO_CLOSE = 0.2
OLD_SYSTEM = "Before the move: p95 of 2,000 to 6,000 ms, 4 queries a request."


@dataclass(frozen=True, slots=True)
class Figures:
    p50: float  # milliseconds
    p95: float
    p99: float
    queries: int | None
    runs: int


def figures(timings: Sequence[Timing]) -> Figures:
    taken = sorted(1000 * timing.seconds for timing in timings)
    counts = [timing.queries for timing in timings if timing.queries is not None]
    return Figures(
        p50=round(_percentile(taken, 50), 3),
        p95=round(_percentile(taken, 95), 3),
        p99=round(_percentile(taken, 99), 3),
        queries=max(counts) if counts else None,
        runs=len(taken),
    )


def _percentile(ordered: Sequence[float], share: int) -> float:
    """The smallest value that so many of a hundred are not above."""
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


@dataclass(frozen=True, slots=True)
class Check:
    what: str
    wanted: str
    found: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    what: str  # by-phone or context
    how: str  # direct, or over HTTP
    ours: Figures
    old: Figures

    @property
    def ratio(self) -> float:
        """Our p95 as a share of the old way's."""
        return self.ours.p95 / self.old.p95 if self.old.p95 else 1.0

    @property
    def checks(self) -> list[Check]:
        queries = self.ours.queries
        return [
            Check("p95", f"< {MOST_MS:.0f} ms", f"{self.ours.p95:.1f} ms", self.ours.p95 < MOST_MS),
            Check(
                "queries a request",
                f"< {MOST_QUERIES}",
                "not told" if queries is None else str(queries),
                queries is None or queries < MOST_QUERIES,
            ),
            Check("faster than the old way", f">= {FASTER:.0%}", f"{1 - self.ratio:.0%}", 1 - self.ratio >= FASTER),
        ]

    @property
    def verdict(self) -> str:
        if all(check.holds for check in self.checks):
            return "move"
        if 1 - self.ratio < TOO_CLOSE:
            return "stay and optimise"
        return "undecided"

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "how": self.how,
            "ours": asdict(self.ours),
            "old_way": asdict(self.old),
            "ratio": round(self.ratio, 3),
            "checks": [asdict(check) for check in self.checks],
            "verdict": self.verdict,
        }


@dataclass
class Report:
    workspace: str
    sizes: dict[str, int]
    comparisons: list[Comparison] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "workspace": self.workspace,
            "sizes": self.sizes,
            "comparisons": [comparison.as_json() for comparison in self.comparisons],
            "notes": self.notes,
        }

    def as_text(self) -> str:
        sizes = ", ".join(f"{count:,} {name}" for name, count in self.sizes.items())
        parts = [f"Workspace {self.workspace}: {sizes}", OLD_SYSTEM, "", _figures_table(self.comparisons), ""]
        parts += [_decision_table(self.comparisons), *(f"\n{note}" for note in self.notes)]
        return "\n".join(parts)


def _figures_table(comparisons: Sequence[Comparison]) -> str:
    rows: list[tuple[str, ...]] = [("", "way", "runs", "p50", "p95", "p99", "queries", "ratio of p95")]
    for of in comparisons:
        rows.append((f"{of.what}, {of.how}", "one statement", *_cells(of.ours), f"{of.ratio:.2f}"))
        rows.append(("", "four, one after the other", *_cells(of.old), "1.00"))
    return table(rows)


def _cells(of: Figures) -> tuple[str, ...]:
    times = (f"{value:.1f} ms" for value in (of.p50, of.p95, of.p99))
    return (str(of.runs), *times, "-" if of.queries is None else str(of.queries))


def _decision_table(comparisons: Sequence[Comparison]) -> str:
    rows: list[tuple[str, ...]] = [("", "demand", "wanted", "found", "", "verdict")]
    for of in comparisons:
        for number, check in enumerate(of.checks):
            first = number == 0
            said = "holds" if check.holds else "missed"
            rows.append(
                (
                    f"{of.what}, {of.how}" if first else "",
                    check.what,
                    check.wanted,
                    check.found,
                    said,
                    of.verdict if first else "",
                )
            )
    return table(rows)


def table(rows: Sequence[Sequence[str]]) -> str:
    """The first row is the heading. The first two columns are words, the rest stands to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            word.ljust(width) if column < 2 else word.rjust(width)
            for column, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
