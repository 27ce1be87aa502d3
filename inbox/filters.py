"""What a saved view of conversations may ask: a tree as crm/filters reads it, over a conversation's own fields and,
as `contact.<field>`, over its contact's."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from config.errors import Invalid
from crm import filters
from crm.access import visible_contacts
from crm.actors import Actor, Member
from crm.filters import Operators, Reader, Wrong, moments, people, words, yes_or_no
from inbox.models import ConversationLabel, ConversationReader
from inbox.naming import Names, names_of
from inbox.states import ChannelKind, ConversationStatus, Priority
from inbox.windows import WHATSAPP, WINDOW

ORDERS = ("newest", "oldest", "waiting", "priority")
CONTACT = "contact."
MOST_HOURS = 24 * 366
HOURS_OF_WINDOW = WINDOW // timedelta(hours=1)


def compile_view(actor: Actor, tree: object, names: Names | None = None) -> Q:
    """Invalid with a sentence for every wrong place of the tree. `names`, where they are known already."""
    return filters.compile_filters(actor, tree, _Fields(actor, names))


def check_view(actor: Actor, tree: object, sort: str) -> None:
    if sort and sort not in ORDERS:
        raise Invalid(errors={"sort": f"One of: {', '.join(ORDERS)}."})
    compile_view(actor, tree)


class _Fields(dict[str, Operators]):
    """The conversation's fields; those of its contact are looked up when they are asked for."""

    def __init__(self, actor: Actor, names: Names | None) -> None:
        super().__init__(_OWN, labels=_labels(self))
        self.actor = actor
        self._known: filters.Definitions | None = None
        self._names = names

    def known(self, name: str) -> filters.Definitions:
        """The workspace's own fields, read once for a tree, and only where it names one."""
        if self._known is None and filters.is_own(name):
            self._known = filters.definitions_of(self.actor)
        return self._known or {}

    @property
    def names(self) -> Names:
        if self._names is None:
            self._names = names_of(self.actor.workspace_id)
        return self._names

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.startswith(CONTACT))

    def __missing__(self, name: str) -> Operators:
        return _OfContact(name.removeprefix(CONTACT), self)


class _OfContact(dict[str, Callable[[Reader, Any], Q]]):
    """Whatever crm/filters says of a contact, said of the contact of a conversation."""

    def __init__(self, name: str, fields: _Fields) -> None:
        super().__init__()
        self.name = name
        self.fields = fields

    def __contains__(self, operator: object) -> bool:
        return True

    def __missing__(self, operator: str) -> Callable[[Reader, Any], Q]:
        def build(reader: Reader, value: Any) -> Q:
            known = self.fields.known(self.name)
            condition = filters.condition_of(reader.actor, self.name, operator, value, known=known)
            return Q(contact_id__in=visible_contacts(reader.actor).filter(condition).order_by().values("pk"))

        return build


def _ids(value: Any) -> list[UUID]:
    given = value if isinstance(value, list) else [value]
    try:
        return [UUID(str(one)) for one in given if one != "none"]
    except ValueError:
        raise Wrong("An id, or none.") from None


def _teams() -> Operators:
    def one_of(_: Reader, value: Any) -> Q:
        given = value if isinstance(value, list) else [value]
        found = Q(team_id__in=_ids(value))
        return found | Q(team=None) if "none" in given else found

    return {
        "is": one_of,
        "in": one_of,
        "is_not": lambda reader, value: ~one_of(reader, value),
        "not_in": lambda reader, value: ~one_of(reader, value),
        "is_empty": lambda _, value: Q(team=None),
        "is_not_empty": lambda _, value: ~Q(team=None),
    }


def _labels(fields: "_Fields") -> Operators:
    worn = ConversationLabel.objects.filter(conversation=OuterRef("pk"))

    def wears(name: Any) -> Q:
        if not isinstance(name, str) or not name:
            raise Wrong("The name of a label.")
        return Q(Exists(worn.filter(label_id__in=fields.names.labels(name))))

    def names(value: Any) -> list[Any]:
        return value if isinstance(value, list) and value else [value]

    def any_of(_: Reader, value: Any) -> Q:
        found = Q(_connector=Q.OR)
        for name in names(value):
            found.add(wears(name), Q.OR)
        return found

    def all_of(_: Reader, value: Any) -> Q:
        found = Q()
        for name in names(value):
            found &= wears(name)
        return found

    return {
        "is": any_of,
        "any": any_of,
        "all": all_of,
        "none": lambda reader, value: ~any_of(reader, value),
        "is_empty": lambda _, value: ~Q(Exists(worn)),
        "is_not_empty": lambda _, value: Q(Exists(worn)),
    }


def _unread() -> Operators:
    def holds(reader: Reader, value: Any) -> Q:
        if not isinstance(value, bool):
            raise Wrong("true or false.")
        if not isinstance(reader.actor, Member):
            raise Wrong("Only a person has read or not read something.")
        unread = unread_by(reader.actor)
        return unread if value else ~unread

    return {"is": holds}


def unread_by(actor: Member) -> Q:
    mine = ConversationReader.objects.filter(conversation=OuterRef("pk"), user_id=actor.user_id)
    behind = Exists(mine.filter(seen_count__lt=OuterRef("inbound_count")))
    return Q(behind) | (~Q(Exists(mine)) & Q(last_inbound_at__gt=actor.joined_at))


def _waiting() -> Operators:
    def longer(reader: Reader, value: Any) -> Q:
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MOST_HOURS:
            raise Wrong(f"Hours, up to {MOST_HOURS}.")
        return Q(waiting_since__lte=reader.now - timedelta(hours=value))

    return {
        "longer_than_hours": longer,
        "is_empty": lambda _, value: Q(waiting_since=None),
        "is_not_empty": lambda _, value: ~Q(waiting_since=None),
    }


def _window() -> Operators:
    """WhatsApp's: other channels have none, and are neither open nor shut by this."""
    has_one = Q(channel__kind=ChannelKind.KAPSO) | Q(
        channel__kind=ChannelKind.TWILIO, peer_address__startswith=WHATSAPP
    )

    def closes(reader: Reader, value: Any) -> Q:
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= HOURS_OF_WINDOW:
            raise Wrong(f"Hours, up to {HOURS_OF_WINDOW}.")
        oldest = reader.now - WINDOW
        return still_open(reader) & Q(last_inbound_at__lte=oldest + timedelta(hours=value))

    def still_open(reader: Reader) -> Q:
        oldest = reader.now - WINDOW
        # Nobody wrote after the last activity: said besides, it keeps to the newest end of the list's index.
        return has_one & Q(last_inbound_at__gt=oldest, last_activity_at__gt=oldest)

    def shut(reader: Reader) -> Q:
        return has_one & (Q(last_inbound_at=None) | Q(last_inbound_at__lte=reader.now - WINDOW))

    def is_(reader: Reader, value: Any) -> Q:
        if value not in {"open", "shut"}:
            raise Wrong("open or shut.")
        return still_open(reader) if value == "open" else shut(reader)

    return {"is": is_, "closes_within_hours": closes}


_OWN: Mapping[str, Operators] = {
    "status": words("status", tuple(ConversationStatus.values)),
    "priority": words("priority", tuple(Priority.values)),
    "channel": words("channel__slug"),
    "channel_kind": words("channel__kind"),
    "assignee": people("assignee_id"),
    "team": _teams(),
    "unread": _unread(),
    "waiting": _waiting(),
    "window": _window(),
    "last_activity": moments("last_activity_at"),
    "created_at": moments("created_at"),
    "has_assignee": yes_or_no(~Q(assignee=None)),
}
