"""What became of the rows: counted by table, and every refusal with reason and old id. Holds nothing of people."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

OUTCOMES = ("created", "updated", "linked", "unchanged", "left_out", "refused", "changed")
HEADER = ("table", "outcome", "reason", "supabase_id")
SAMPLES = 3  # of each reason, on the screen


@dataclass(frozen=True, slots=True)
class Finding:
    """`refused`: the row is not here. `changed`: it is, but not as it was."""

    outcome: str
    reason: str
    supabase_id: str


@dataclass(slots=True)
class Tally:
    """Of one batch; counted only once the batch is written."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, supabase_id: object, reason: str) -> None:
        self.counts["refused"] += 1
        self.findings.append(Finding("refused", reason, str(supabase_id or "")))

    def change(self, supabase_id: object, reason: str) -> None:
        self.counts["changed"] += 1
        self.findings.append(Finding("changed", reason, str(supabase_id or "")))

    def wrote(self, given: int, created: int, updated: int) -> None:
        """Whatever of `given` is neither was here already, just so."""
        self.counts.update(created=created, updated=updated, unchanged=given - created - updated)

    def add(self, other: "Tally") -> None:
        self.counts.update(other.counts)
        self.findings += other.findings


class Report:
    def __init__(self, out: IO[str] | None = None) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.reasons: Counter[tuple[str, str, str]] = Counter()
        self.samples: dict[tuple[str, str, str], list[str]] = {}
        self._writer: Any = csv.writer(out) if out else None
        if self._writer:
            self._writer.writerow(HEADER)

    def add(self, table: str, tally: Tally) -> None:
        self.counts.setdefault(table, Counter()).update(tally.counts)
        for finding in tally.findings:
            kind = (table, finding.outcome, finding.reason)
            self.reasons[kind] += 1
            samples = self.samples.setdefault(kind, [])
            if len(samples) < SAMPLES:
                samples.append(finding.supabase_id)
            if self._writer:
                self._writer.writerow((table, finding.outcome, finding.reason, finding.supabase_id))

    def lines(self, *, dry: bool) -> Iterator[str]:
        yield from _table([("table", *OUTCOMES), *self._rows()])
        if self.reasons:
            yield ""
            yield from _table(
                [
                    ("table", "outcome", "reason", "rows", "for example"),
                    *(
                        (table, outcome, reason, f"{count:,}", " ".join(self.samples[table, outcome, reason]))
                        for (table, outcome, reason), count in self.reasons.most_common()
                    ),
                ]
            )
        if dry:
            yield ""
            yield "A dry run: nothing was written."

    def _rows(self) -> Iterator[tuple[str, ...]]:
        for table, counts in self.counts.items():
            yield (table, *(f"{counts[outcome]:,}" for outcome in OUTCOMES))


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()


@contextmanager
def opened(path: Path | None) -> Iterator[Report]:
    if path is None:
        yield Report()
        return
    with path.open("w", encoding="utf-8", newline="") as out:
        yield Report(out)
