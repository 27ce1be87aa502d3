"""What the clock does for people's sign-ins and files. Declared in tasks.py; the scheduler looks for it here."""

from crm.services.imports.tasks import clear_imports
from crm.tasks import prune_sessions

__all__ = ["clear_imports", "prune_sessions"]
