"""What a web process does when it starts: while none ran, providers knocked in vain."""

from datetime import timedelta

from webhooks.backfill import gaps, services

# First what providers repeat by themselves, once they are answered again.
SETTLE = timedelta(seconds=10)


def look_after_start() -> int:
    return services.look_after(gaps.active_channels(), delay=SETTLE)
