"""The file that says what the old system calls things. A mistake in it is told with its place, before any row."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from inbox.old_data.fields import CHOICES, IMPORTED, REQUIRED, SPLIT

DEFAULT = Path(__file__).with_name("default.toml")
_FIELD_KEYS = {"column", "path", "value", "map", "other", "default"}
_TABLE_KEYS = {"table", "query", "order", "skip", "fields"}
_TOP_KEYS = {"ids", "channels", *IMPORTED, SPLIT}


class MappingError(Exception):
    """The message names the place in the file and is for the person who wrote it."""


@dataclass(frozen=True, slots=True)
class Field:
    columns: tuple[str, ...] = ()  # the first that exists
    path: tuple[str, ...] = ()  # inside the column's JSON
    value: Any = None  # the same for every row
    words: Mapping[str, str] | None = None  # lower case to ours
    other: str | None = None
    default: str | None = None
    named: bool = False  # by the owner, and not as we ship it: a column that is not there is a mistake


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    tables: tuple[str, ...]
    query: str
    order: tuple[tuple[str, bool], ...]  # field, and whether it goes down
    skip: bool
    named: bool
    fields: Mapping[str, Field]


@dataclass(frozen=True, slots=True)
class Mapped:
    any_ids: bool
    channels: Mapping[str, str]
    tables: Mapping[str, Table] = field(default_factory=dict)


def default_text() -> str:
    return DEFAULT.read_text(encoding="utf-8")


def load(path: Path | None = None) -> Mapped:
    """Raises MappingError."""
    base = tomllib.loads(default_text())
    given = _read(path) if path else {}
    _check_keys(given, _TOP_KEYS, "the file")
    ids = given.get("ids", base["ids"])
    if ids not in {"uuid", "any"}:
        raise MappingError(f'ids must be "uuid" or "any", not {ids!r}.')
    channels = given.get("channels", {})
    if not isinstance(channels, dict) or not all(isinstance(slug, str) for slug in channels.values()):
        raise MappingError('[channels] holds lines such as "old id" = "slug-here".')
    tables = {name: _table(name, base[name], given.get(name, {})) for name in (*IMPORTED, SPLIT)}
    return Mapped(ids == "any", {str(old).lower(): slug for old, slug in channels.items()}, tables)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MappingError(f"The mapping {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise MappingError(f"The mapping {path} is not UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"The mapping {path} is not TOML: {error}.") from None


def _check_keys(given: object, known: set[str], where: str) -> None:
    if not isinstance(given, dict):
        raise MappingError(f"[{where}] must be a table.")
    if unknown := sorted(given.keys() - known):
        raise MappingError(f"{unknown[0]!r} is not known in {where}; there are {', '.join(sorted(known))}.")


def _table(name: str, base: dict[str, Any], given: dict[str, Any]) -> Table:
    _check_keys(given, _TABLE_KEYS, f"[{name}]")
    own_fields = given.get("fields", {})
    _check_keys(own_fields, set(base["fields"]), f"[{name}.fields]")
    fields = {key: _field(name, key, value, named=False) for key, value in base["fields"].items()}
    for key, value in own_fields.items():
        own = _field(name, key, value, named=True, base=fields[key])
        if own is not None:
            fields[key] = own
        elif key in REQUIRED[name]:
            raise MappingError(f"[{name}.fields] {key} cannot be left out.")
        else:
            fields[key] = Field()
    query, skip = given.get("query", ""), given.get("skip", False)
    if not isinstance(query, str) or not isinstance(skip, bool):
        raise MappingError(f"[{name}] query must be text and skip true or false.")
    return Table(
        name=name,
        tables=_words(given.get("table", base["table"]), f"[{name}] table"),
        query=query.strip().rstrip(";"),
        order=_order(name, given.get("order", base["order"]), fields),
        skip=skip,
        named=given.get("table", base["table"]) != base["table"] or bool(query),
        fields=fields,
    )


def _words(value: object, where: str) -> tuple[str, ...]:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise MappingError(f"{where} must be a name or a list of names.")
    return tuple(words)


def _order(name: str, value: object, fields: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    if not isinstance(value, list):
        raise MappingError(f"[{name}] order must be a list of our field names.")
    pairs = [(str(word).removeprefix("-"), str(word).startswith("-")) for word in value]
    if unknown := [word for word, _ in pairs if word not in fields]:
        raise MappingError(f"[{name}] order names {unknown[0]!r}; there are {', '.join(sorted(fields))}.")
    return tuple(pairs)


def _field(table: str, name: str, value: object, *, named: bool, base: Field | None = None) -> Any:
    """None: the owner does not want it. A bare name keeps the words and the default that we ship."""
    where = f"[{table}.fields] {name}"
    if value is False:
        return None
    if isinstance(value, str | list):
        shipped = base or Field()
        return Field(
            columns=_words(value, where),
            words=shipped.words,
            other=shipped.other,
            default=shipped.default,
            named=named and _words(value, where) != shipped.columns,
        )
    _check_keys(value, _FIELD_KEYS, where)
    value = cast(dict[str, Any], value)
    if ("column" in value) == ("value" in value) and not (base and base.columns and "value" not in value):
        raise MappingError(f"{where} needs either a column or a value.")
    columns = _words(value["column"], f"{where}.column") if "column" in value else ()
    if not columns and "value" not in value and base is not None:
        columns = base.columns
    return Field(
        columns=columns,
        path=tuple(part for part in str(value.get("path", "")).split(".") if part),
        value=value.get("value"),
        words=_map(table, name, value, base),
        other=_choice(table, name, value.get("other", base.other if base else None), "other"),
        default=_choice(table, name, value.get("default", base.default if base else None), "default"),
        named=named and "column" in value and not (base and columns == base.columns),
    )


def _map(table: str, name: str, value: dict[str, Any], base: Field | None) -> Mapping[str, str] | None:
    """A map of the owner's comes on top of ours."""
    own = value.get("map", {})
    if not isinstance(own, dict):
        raise MappingError(f'[{table}.fields] {name}.map must hold lines such as old = "ours".')
    words = dict(base.words or {}) if base else {}
    words |= {str(old).lower(): str(ours) for old, ours in own.items()}
    for ours in words.values():
        _choice(table, name, ours, "map")
    return words or None


def _choice(table: str, name: str, word: object, where: str) -> str | None:
    if word is None:
        return None
    allowed = CHOICES.get((table, name))
    if allowed and word not in allowed:
        raise MappingError(f"[{table}.fields] {name}.{where} has {word!r}; there are {', '.join(sorted(allowed))}.")
    return str(word)
