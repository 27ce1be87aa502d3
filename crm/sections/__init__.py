"""The sections of /settings. A module named `sections` of any app adds more; docs/frontend.md says how."""

from crm.sections import own, people, workspace

__all__ = ["own", "people", "workspace"]
