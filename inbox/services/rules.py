"""Rules: what an admin wants done with conversations by itself, and doing it."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict
from uuid import UUID, uuid5

from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext

from config.errors import DomainError, Invalid, NotFound, Said
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor, Automation, Caller, System
from crm.models import SavedView, ViewAudience, ViewScope
from crm.roles import Action
from crm.services.audit import record
from inbox.access import conversation_for, conversations_of
from inbox.events import announce_setting
from inbox.filters import compile_view
from inbox.models import Conversation, Macro, Message, Rule
from inbox.services.replies import apply_macro
from inbox.states import Direction, SenderKind
from inbox.steps import doing_of
from jobs.payloads import JSON

MOST_RULES = 100  # of a workspace
MOST_WORDS, LONGEST_WORD = 50, 60
# Two machines may answer each other for ever: texts of one rule to one conversation
TEXTS_AN_HOUR = 5
RIGHTS = frozenset({Action.READ_INBOX, Action.REPLY, Action.NOTE, Action.ASSIGN, Action.RESOLVE})


class RuleFields(TypedDict, total=False):
    name: str
    event: str
    view: UUID | None
    words: list[str]
    macro: UUID
    is_on: bool
    is_last: bool
    position: int


class CannotRun(DomainError):
    """Kept with the rule, for who set it up."""

    code = "rule_cannot_run"


def list_rules(actor: Actor) -> list[Rule]:
    """In the order in which they are looked at."""
    check(actor, Action.MANAGE_SETTINGS)
    rows = Rule.objects.filter(workspace_id=actor.workspace_id).select_related("view", "macro")
    return list(rows.order_by("position", "pk"))


def rule_for(actor: Actor, rule_id: UUID) -> Rule:
    check(actor, Action.MANAGE_SETTINGS)
    rows = Rule.objects.filter(workspace_id=actor.workspace_id).select_related("view", "macro", "workspace")
    found = rows.filter(pk=rule_id).first()
    if found is None:
        raise NotFound
    return found


def views_to_ask(actor: Actor) -> list[SavedView]:
    rows = SavedView.objects.filter(workspace_id=actor.workspace_id, scope=ViewScope.CONVERSATIONS)
    return list(rows.filter(audience=ViewAudience.EVERYONE).order_by("position", "pk"))


def macros_to_run(actor: Actor) -> list[Macro]:
    rows = Macro.objects.filter(workspace_id=actor.workspace_id, audience=ViewAudience.EVERYONE)
    return list(rows.order_by("name", "pk"))


@unit_of_work
def save_rule(*, actor: Caller, fields: RuleFields, rule_id: UUID | None = None) -> Rule:
    """Whoever saves it answers for what it does from then on."""
    check(actor, Action.MANAGE_SETTINGS)
    rule = rule_for(actor, rule_id) if rule_id else _new(actor)
    for name in ("name", "event", "words", "is_on", "is_last", "position"):
        setattr(rule, name, fields.get(name, getattr(rule, name)))
    if "view" in fields:
        rule.view = _view(actor, fields["view"])
    if "macro" in fields:
        rule.macro = _macro(actor, fields["macro"])
    rule.saved_by_id, rule.problem, rule.problem_values = actor.user_id, "", {}
    rule.save()
    record(actor=actor, action="rule.saved", target_kind="rule", target_id=rule.pk, detail={"is_on": rule.is_on})
    announce_setting(rule.workspace.slug, "rule", rule.pk)
    return rule


@unit_of_work
def delete_rule(*, actor: Caller, rule_id: UUID) -> None:
    rule = rule_for(actor, rule_id)
    record(actor=actor, action="rule.deleted", target_kind="rule", target_id=rule.pk, detail={})
    announce_setting(rule.workspace.slug, "rule", rule.pk)
    rule.delete()


def _new(actor: Caller) -> Rule:
    rows = Rule.objects.filter(workspace_id=actor.workspace_id)
    if rows.count() >= MOST_RULES:
        raise Invalid(errors={"name": Said("At most {most} rules.", most=MOST_RULES)})
    last = rows.aggregate(last=Max("position"))["last"]
    return Rule(workspace_id=actor.workspace_id, position=0 if last is None else last + 1)


def _view(actor: Caller, view_id: UUID | None) -> SavedView | None:
    if view_id is None:
        return None
    found = next((view for view in views_to_ask(actor) if view.pk == view_id), None)
    if found is None:
        raise Invalid(errors={"view": "A view of conversations that is for everyone."})
    try:
        compile_view(_asking(actor.workspace_id), found.filters)
    except Invalid:
        raise Invalid(errors={"view": "This view asks what only a person knows, as what they have read."}) from None
    return found


def _macro(actor: Caller, macro_id: UUID) -> Macro:
    found = next((macro for macro in macros_to_run(actor) if macro.pk == macro_id), None)
    if found is None:
        raise Invalid(errors={"macro": "A macro that is for everyone."})
    if any(step["do"] == "assign" and step["value"] == "me" for step in found.steps):
        raise Invalid(errors={"macro": "It assigns to whoever runs it, and a rule is nobody."})
    return found


# --- At work ----------------------------------------------------------------------------------------------------


@unit_of_work
def apply_rules(
    *, conversation_id: UUID, message_id: UUID | None, events: Sequence[str], cause: str
) -> dict[str, JSON]:
    """Those that fit, in their order, each with what the earlier ones have changed. One that cannot run says why and
    keeps no other from running. The same `cause` sends nothing twice."""
    where = Conversation.objects.filter(pk=conversation_id, spam_at=None).values_list("workspace_id", flat=True).first()
    if where is None:
        return {}
    message = Message.objects.filter(pk=message_id, deleted_at=None).first() if message_id else None
    rules = Rule.objects.select_related("view", "macro", "workspace").filter(
        workspace_id=where, is_on=True, event__in=events
    )
    ran: dict[Rule, str] = {}  # with why it could not
    for rule in rules.order_by("position", "pk"):
        if not _words_fit(rule, message):
            continue
        try:
            if not _fits(rule, conversation_id):
                continue
            _run(rule, conversation_id, cause)
            ran[rule] = ""
        except NotFound:
            break  # merged away, or erased with its contact
        except DomainError as error:
            ran[rule] = _why(error)
        if rule.is_last:
            break
    for rule, problem in sorted(ran.items(), key=lambda item: item[0].pk):  # in one order for all who write them
        sentence, values = (problem.sentence, problem.values) if isinstance(problem, Said) else (problem, {})
        Rule.objects.filter(pk=rule.pk).update(
            runs=F("runs") + 1, last_run_at=timezone.now(), problem=sentence[:500], problem_values=values
        )
    return {str(rule.pk): problem or "done" for rule, problem in ran.items()}


def _asking(workspace_id: UUID) -> System:
    return System(workspace_id, "rule")


def _words_fit(rule: Rule, message: Message | None) -> bool:
    """In upper or lower case. Where nobody wrote there are none."""
    body = message.body if message else ""
    return not rule.words or any(re.search(_as_written(word), body, re.IGNORECASE) for word in rule.words)


def _as_written(word: str) -> str:
    """A whole word where letters have two cases. Other scripts put no space between words, or write parts of speech
    together with them: there it may stand anywhere."""
    before, after = (r"\b" if end.isdigit() or end.lower() != end.upper() else "" for end in (word[0], word[-1]))
    return f"{before}{re.escape(word)}{after}"


def _fits(rule: Rule, conversation_id: UUID) -> bool:
    rows = conversations_of(rule.workspace_id).filter(pk=conversation_id)
    if rule.view is not None:
        rows = rows.filter(compile_view(_asking(rule.workspace_id), rule.view.filters))
    return rows.exists()


def _run(rule: Rule, conversation_id: UUID, cause: str) -> None:
    if rule.saved_by_id is None:
        raise CannotRun("Nobody answers for this rule any more. Save it again.")
    workspace = rule.workspace
    actor = Automation(rule.pk, workspace.pk, workspace.slug, rule.name, RIGHTS, rule.saved_by_id)
    conversation = conversation_for(actor, conversation_id, for_update=True)
    steps = doing_of(actor, conversation, rule.macro.steps)
    for step in steps:
        if step.text is not None and step.text.missing:
            raise CannotRun(Said("There is nothing to fill in for {blank}.", blank=step.text.missing[0]))
    if any(step.do == "reply" for step in steps) and _texts_of(rule, conversation_id) >= TEXTS_AN_HOUR:
        raise CannotRun(Said("It has answered {n} times within an hour, and waits.", n=TEXTS_AN_HOUR))
    client_id = uuid5(rule.pk, cause)
    apply_macro(actor=actor, conversation_id=conversation_id, steps=steps, client_id=client_id)


def _texts_of(rule: Rule, conversation_id: UUID) -> int:
    sent = Message.objects.filter(conversation_id=conversation_id, direction=Direction.OUT, sender_kind=SenderKind.BOT)
    return sent.filter(detail__bot__id=str(rule.pk), created_at__gt=timezone.now() - timedelta(hours=1)).count()


def _why(error: DomainError) -> str:
    """The first field's sentence, else its own; of a step's value that stands one deeper."""
    said: Any = error.data.get("errors") or error.message
    while isinstance(said, Mapping):
        said = next(iter(said.values()))
    return said if isinstance(said, str) else error.message


def problem_of(rule: Rule) -> str:
    """In the language of now; "" where it ran."""
    sentence = gettext(rule.problem) if rule.problem else ""
    return sentence.format(**rule.problem_values) if rule.problem_values else sentence
