"""How rows are locked, read from the source."""

import re

from tests.run.copies import ROOT

# Rows that go, or whose children are moved while nobody may add one
WHOLE = {
    "crm/identity/sessions.py",
    "crm/services/erasure.py",
    "crm/services/imports/uploading.py",
    "crm/services/merging/together.py",
    "inbox/dossiers/erasing.py",
    "inbox/services/folding.py",
    "inbox/services/labels.py",
    "proctoring/services/personal.py",
}
LOCK = re.compile(r"select_for_update\((?![^()]*(?:\([^()]*\)[^()]*)?no_key=True)")


def test_only_what_goes_is_locked_with_its_key():
    apps = [
        path
        for app in ("config", "crm", "inbox", "jobs", "proctoring", "webhooks")
        for path in (ROOT / app).rglob("*.py")
    ]
    found = {str(path.relative_to(ROOT)) for path in apps if LOCK.search(path.read_text())}
    assert len(apps) > 500
    assert found == WHOLE
