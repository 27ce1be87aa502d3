"""The sections of /settings about exams: the exams themselves, and boards."""

from proctoring.sections import boards, exams

__all__ = ["boards", "exams"]
