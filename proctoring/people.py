"""Who sits an exam. Students are no members: what they may do follows from their enrolment."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Student:
    """A signed-in user, or somebody whom only the exam system knows and for whom it has signed."""

    user_id: UUID | None = None
    subject: str = ""  # the user's name at the identity provider, of a token whose user was not looked up
    name: str = ""
    exam_id: UUID | None = None  # of an external student: the one exam that the exam system's word is for
    external_id: str = ""
    browser_session: UUID | None = None  # of a cookie
