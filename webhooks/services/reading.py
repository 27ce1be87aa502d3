"""What reading a delivery yields: the jobs of its items, and what in it is not acted on."""

from dataclasses import dataclass, field

from jobs.queue import NewJob


class Unusable(Exception):
    """The signature was right and the content is not the provider's form. The sentence is shown in the journal."""


@dataclass(frozen=True, slots=True)
class Reading:
    event: str
    jobs: list[NewJob] = field(default_factory=list)
    unhandled: list[dict[str, str]] = field(default_factory=list)  # {"kind", "reason"}
