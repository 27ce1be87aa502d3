"""What a section of /settings is, and the list of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.errors import NotFound
from crm.actors import Member
from crm.roles import Action

Word = str | Promise
GROUPS: dict[str, Word] = {
    "you": _("You"),
    "workspace": _("Workspace"),
    "writing": _("Writing"),
    "dev": _("Developers"),
}


@dataclass(frozen=True)
class Done:
    """What a form did. `shown` goes into this one answer, for what is shown once; without it the page is led anew."""

    word: Word
    shown: Mapping[str, Any] = field(default_factory=dict)
    to: str = ""  # another address, where the section is no longer theirs


class Section:
    """Forms post to the section's own address with `do`: `do=invite` is answered by the method `do_invite`.

    A DomainError that a method raises is shown above the form with the fields it names.
    """

    key: ClassVar[str]
    title: ClassVar[Word]
    icon: ClassVar[str] = "settings"
    group: ClassVar[str] = "workspace"
    place: ClassVar[int] = 50  # within the group, from the top
    needs: ClassVar[Action | None] = None
    template: ClassVar[str]

    def context(self, actor: Member, request: HttpRequest) -> Mapping[str, Any]:
        return {}

    def done(self, actor: Member, request: HttpRequest) -> Done:
        act: Callable[[Member, HttpRequest], Done] | None = getattr(self, f"do_{request.POST.get('do', '')}", None)
        if act is None:
            raise NotFound
        return act(actor, request)

    def is_for(self, actor: Member) -> bool:
        return self.needs is None or actor.may(self.needs)


_sections: dict[str, Section] = {}


def section(kind: type[Section]) -> type[Section]:
    """Registers it."""
    _sections[kind.key] = kind()
    return kind


def sections_for(actor: Member) -> list[Section]:
    order = list(GROUPS)
    return sorted(
        (one for one in _sections.values() if one.is_for(actor)),
        key=lambda one: (order.index(one.group), one.place, one.key),
    )


def section_named(key: str) -> Section:
    found = _sections.get(key)
    if found is None:
        raise NotFound
    return found
