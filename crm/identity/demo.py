"""Who can sign in to the demo, as the sign-in page and the demo data show it."""

from typing import Any

from django.utils.translation import gettext_lazy as _

PASSWORD = "demo-password"  # noqa: S105 - printed at every start; refused outside a loopback address
ACCOUNTS: list[dict[str, Any]] = [
    {"email": "ada@demo.example", "role": _("Owner")},
    {"email": "ben@demo.example", "role": _("Agent")},
    {"email": "bea@demo.example", "role": _("Agent")},
    {"email": "tia@demo.example", "role": _("Tutor")},
    {"email": "vic@demo.example", "role": _("Viewer")},
    {"email": "sam@demo.example", "role": _("Student")},
    {"email": "sue@demo.example", "role": _("Student")},
    {"email": "cleo@demo.example", "role": _("Owner of another workspace")},
]
