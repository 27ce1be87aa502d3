"""Static files as a start collects them: hashed names that browsers keep for good, compressed once.

Where nothing was collected (tests, DEBUG), names stay as they are and the finders serve them.
"""

import re
from typing import Any

from django.core.files.base import ContentFile
from whitenoise.storage import CompressedManifestStaticFilesStorage

# Lines that are nothing but a comment: for whoever reads the module, not for the browser.
_COMMENTS = re.compile(r"^[ \t]*(?://[^\n]*|/\*\*(?:[^*]|\*(?!/))*\*/[ \t]*)(?:\n|\Z)", re.MULTILINE)
OWN = frozenset(
    ("ui", "live", "inbox", "reports", "outbox", "contacts", "settings", "proctoring", "proctor", "exam", "leaderboard")
)


def as_sent(script: str) -> str:
    """A module of ours without its comments. Nothing else is changed, and no line of code is touched."""
    return _COMMENTS.sub("", script)


class CollectedOnce(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # the library has no types
    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        return str(super().stored_name(name)) if self.hashed_files else name

    def _save(self, name: str, content: Any) -> str:
        area, _, rest = name.replace("\\", "/").partition("/")
        if area in OWN and rest.endswith(".js"):
            content.seek(0)  # Django has read it for its hash
            content = ContentFile(as_sent(content.read().decode()).encode(), name=name)
        return str(super()._save(name, content))
