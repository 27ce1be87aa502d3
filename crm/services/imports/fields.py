"""What a column may be, and a row's cells as a contact's values. No sentence here repeats what stands in a cell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from crm.models import AttributeDefinition, AttributeType, Member
from crm.phones import Phone, parse
from crm.services.imports.reading import Row
from crm.values import problem_with

FIELDS = ("name", "first_name", "last_name", "phone", "email", "lead_status", "lead_score", "tags", "owner")
METADATA, ATTRIBUTES = "metadata.", "attributes."
_KEY = re.compile(r"\A[^\x00]{1,60}\Z")
MOST_TAGS = 50
_LONGEST = {"name": 200, "first_name": 100, "last_name": 100, "lead_status": 40, "email": 254, "phone": 40}
_YES, _NO = {"true", "yes", "y", "1", "on", "x"}, {"false", "no", "n", "0", "off"}
# What people call their columns, folded; what is not here they choose by hand.
_GUESSES = {
    "name": "name|full name|fullname|contact|contact name|customer|customer name|nombre|nom|nome|nama",
    "first_name": "first name|firstname|given name|vorname|prénom|prenom|nombre de pila",
    "last_name": "last name|lastname|surname|family name|nachname|apellido|apellidos",
    "phone": "phone|phone number|telephone|mobile|mobile phone|cell|cell phone|whatsapp|number|tel|telefon|teléfono"
    "|telefono|téléphone|telefone|celular|handy|nomor",
    "email": "email|e-mail|mail|e-mail address|email address|correo|correo electrónico|courriel",
    "lead_status": "status|lead status|stage",
    "lead_score": "score|lead score",
    "tags": "tags|labels|tag|label|etiquetas",
    "owner": "owner|assigned to|account owner",
}
# What an export puts a quotation mark before
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass
class Values:
    """One row as it reads. With problems it is refused whole."""

    fields: dict[str, Any] = field(default_factory=dict)
    phone: Phone | None = None
    problems: list[tuple[str, str, str]] = field(default_factory=list)  # column, code, sentence

    @property
    def email(self) -> str:
        return str(self.fields.get("email", "")).lower()

    @property
    def is_empty(self) -> bool:
        return not self.fields and not self.problems


@dataclass
class Reader:
    """Reads rows of one import. Made once a run: it knows the workspace's fields and people."""

    columns: list[str]
    mapping: Mapping[str, str]
    region: str
    definitions: dict[str, AttributeDefinition]
    members: dict[str, UUID]  # by e-mail and by name, folded

    @classmethod
    def of(cls, *, workspace_id: UUID, region: str, columns: list[str], mapping: Mapping[str, str]) -> "Reader":
        definitions = AttributeDefinition.objects.filter(workspace_id=workspace_id, archived_at=None)
        members = Member.objects.filter(workspace_id=workspace_id, user__deactivated_at=None).select_related("user")
        known: dict[str, UUID] = {}
        for member in members:
            for name in (member.user.name, member.user.email, str(member.user_id)):
                known.setdefault(name.casefold(), member.user_id)
        return cls(columns, mapping, region, {row.key: row for row in definitions}, known)

    def read(self, row: Row) -> Values:
        values = Values()
        for column, raw in zip(self.columns, row, strict=False):
            target = self.mapping.get(column, "")
            text = plain_cell(raw)
            if target and text:
                self._read(values, column, target, text)
        if len(row) > len(self.columns) and any(cell.strip() for cell in row[len(self.columns) :]):
            values.problems.append(("", "too_many_cells", "The row has more cells than the header."))
        _join_names(values)
        if not values.is_empty and not values.problems and not {"name", "phone", "email"} & values.fields.keys():
            values.problems.append(("", "nobody", "The row has no name, no number and no e-mail address."))
        return values

    def _read(self, values: Values, column: str, target: str, text: str) -> None:
        if "\x00" in text:
            values.problems.append((column, "not_text", "The cell has a character that no text has."))
            return
        longest = _LONGEST.get(target)
        if longest and len(text) > longest:
            values.problems.append((column, "too_long", f"At most {longest} characters."))
            return
        sentence = self._take(values, target, text)
        if sentence:
            values.problems.append((column, f"not_{target.partition('.')[0]}", sentence))

    def _take(self, values: Values, target: str, text: str) -> str | None:
        """Puts the value into its place, or says what is wrong with it."""
        if target.startswith(METADATA):
            values.fields.setdefault("metadata", {})[target.removeprefix(METADATA)] = text
            return None
        if target.startswith(ATTRIBUTES):
            return self._take_attribute(values, target.removeprefix(ATTRIBUTES), text)
        if target == "phone":
            values.phone = parse(text, self.region)
            values.fields["phone"] = text
            return None if values.phone else "This is not a phone number."
        if target == "email":
            values.fields["email"] = text
            return None if _is_email(text) else "This is not an e-mail address."
        if target == "lead_score":
            return _take_score(values, text)
        if target == "tags":
            return _take_tags(values, text)
        if target == "owner":
            values.fields["owner_id"] = self.members.get(text.casefold())
            return None if values.fields["owner_id"] else "Nobody of this workspace has this name or address."
        values.fields[target] = text
        return None

    def _take_attribute(self, values: Values, key: str, text: str) -> str | None:
        definition = self.definitions.get(key)
        if definition is None:
            return "There is no such attribute any more."
        value = _of_type(definition, text)
        values.fields.setdefault("attributes", {})[key] = value
        return problem_with(definition, value)


def plain_cell(raw: str) -> str:
    """Without the mark that an export puts before what would be a formula."""
    text = raw.strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _join_names(values: Values) -> None:
    parts = [values.fields.pop(name, "") for name in ("first_name", "last_name")]
    joined = " ".join(part for part in parts if part)
    if joined and "name" not in values.fields:
        values.fields["name"] = joined[:200]


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _take_score(values: Values, text: str) -> str | None:
    if not text.isascii() or not text.isdigit() or len(text) > 3 or int(text) > 100:
        return "A whole number from 0 to 100."
    values.fields["lead_score"] = int(text)
    return None


def _take_tags(values: Values, text: str) -> str | None:
    tags = list(dict.fromkeys(tag.strip() for tag in re.split(r"[,;|\n]", text) if tag.strip()))
    if len(tags) > MOST_TAGS or any(len(tag) > 60 for tag in tags):
        return f"At most {MOST_TAGS} tags of at most 60 characters each."
    values.fields["tags"] = tags
    return None


def _of_type(definition: AttributeDefinition, text: str) -> Any:
    """What cannot be read stays a text, and is refused as one."""
    if definition.type == AttributeType.NUMBER:
        return _number(text)
    if definition.type == AttributeType.BOOLEAN:
        folded = text.casefold()
        return True if folded in _YES else False if folded in _NO else text
    if definition.type == AttributeType.CHOICE:
        return next((choice for choice in definition.choices if choice.casefold() == text.casefold()), text)
    return text


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


# --- The mapping ------------------------------------------------------------------------------------------------


def guessed_mapping(columns: list[str], definitions: list[AttributeDefinition]) -> dict[str, str]:
    """For the person to look over. No field is guessed twice."""
    found: dict[str, str] = {}
    for column in columns:
        target = _guess(column, definitions)
        if target and target not in found.values():
            found[column] = target
    return found


def _guess(column: str, definitions: list[AttributeDefinition]) -> str:
    folded = " ".join(re.split(r"[\s_]+", column.strip().casefold()))
    for definition in definitions:
        if folded in {definition.key.casefold(), definition.label.casefold()}:
            return ATTRIBUTES + definition.key
    for target, phrases in _GUESSES.items():
        if folded == target.replace("_", " ") or folded in phrases.split("|"):
            return target
    return ""


def problems_of(mapping: Mapping[str, str], columns: list[str], keys: set[str]) -> dict[str, str]:
    """By column, a sentence where the mapping cannot be."""
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    for column, target in mapping.items():
        if column not in columns:
            wrong[column] = "The file has no such column."
        elif not _is_target(target, keys):
            wrong[column] = "There is no such field."
        elif target in seen:
            wrong[column] = "Another column is this field already."
        seen.add(target)
    return wrong


def _is_target(target: str, keys: set[str]) -> bool:
    if target.startswith(METADATA):
        return bool(_KEY.match(target.removeprefix(METADATA)))
    return target in FIELDS or (target.startswith(ATTRIBUTES) and target.removeprefix(ATTRIBUTES) in keys)
