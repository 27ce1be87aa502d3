"""What the clock does for people's sign-ins. Declared in tasks.py; the scheduler looks for it here."""

from crm.tasks import prune_sessions

__all__ = ["prune_sessions"]
