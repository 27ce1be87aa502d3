"""A free tree of AND and OR over what a contact is, checked and compiled to a condition. Saved views keep such trees.

    {"all": [{"field": "lead_status", "is": "in", "value": ["new"]}, {"any": [ … ]}, {"not": { … }}]}

The list's own query parameters are the same conditions, joined by AND.
"""

from crm.filters.kinds import moments, people, words, yes_or_no
from crm.filters.tree import compile_filters, condition_of, definitions_of, field_names, is_own
from crm.filters.values import Definitions, Operators, Reader, Wrong

__all__ = [
    "Definitions",
    "Operators",
    "Reader",
    "Wrong",
    "compile_filters",
    "condition_of",
    "definitions_of",
    "field_names",
    "is_own",
    "moments",
    "people",
    "words",
    "yes_or_no",
]
