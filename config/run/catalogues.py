"""`make words`: locale/<language>/LC_MESSAGES/django.po brought in step with the public pages, and compiled beside it.

Only what others than our own people see is in there. Translations stay; what is not said any more goes. Babel reads and
writes the catalogues, so that nobody needs the gettext programs; the compiled ones are kept with the sources, so that
nothing has to be made before the product starts.
"""

import ast
import os
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
LOCALE = ROOT / "locale"
SOURCE = "en"
# What they include and extend comes along.
PAGES = (
    "inbox/widget/widget.html",
    "inbox/mail/transcript.txt",
    "inbox/mail/unread.txt",
    "board/board.html",
    "board/closed.html",
    "exam/exam.html",
    "crm/no_workspace.html",
)
# With words that those pages show
MODULES = (
    "inbox/chats/views.py",
    "inbox/chats/widgets.py",
    "inbox/services/chats/mailing.py",
    "proctoring/words.py",
)
# Whose refusals people meet; what is wrong with a program's words is told in English
MET = re.compile(r"/services/|^inbox/chats/|^webhooks/outgoing/targets")
PRODUCT = ("config", "crm", "inbox", "jobs", "proctoring", "webhooks")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "gettext": None,
    "gettext_lazy": None,
    "lazy": None,
    "_": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
OWN = "shell/"  # around the pages of members, never around those
PART = re.compile(r"""{%\s*(?:include|extends)\s+["']([^"']+)["']""")
WIDTH = 120
BEGUN = datetime(2026, 11, 21, tzinfo=UTC)  # stands in what is compiled, and is the same every time
PASSING_LINES = (
    "Report-Msgid-Bugs-To",
    "POT-Creation-Date",
    "PO-Revision-Date",
    "Last-Translator",
    "Language-Team",
    "Generated-By",
)
PASSING = re.compile(rf'^"(?:{"|".join(PASSING_LINES)}):.*\\n"\n'.encode(), re.MULTILINE)


def said() -> Catalog:
    """Everything that the public pages say, with where."""
    found = Catalog(charset="utf-8")
    for name in sorted(_with_parts(PAGES)):
        _take(found, f"templates/{name}", _as_python(TEMPLATES / name))
    for name in MODULES:
        _take(found, name, (ROOT / name).read_text())
    for label in _labels():
        found.add(label, locations=[("proctoring/states.py", 0)])
    for place, sentence in sentences():
        found.add(sentence, locations=[(place, 0)])
    return found


@cache
def sentences() -> tuple[tuple[str, str], ...]:
    """What errors say by themselves, of any page, and what people are refused with: read and not run."""
    known, trees = {"DomainError"}, dict(_trees())
    classes = [
        (place, node) for place, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    ]
    while more := {node.name for _, node in classes if known.intersection(map(_name, node.bases))} - known:
        known |= more
    own = {(place, _message(node)) for place, node in classes if node.name in known}
    given = {(place, sentence) for place in filter(MET.search, trees) for sentence in _given(trees[place], known)}
    return tuple(sorted((place, sentence) for place, sentence in own | given if sentence))


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for part in PRODUCT:
        for module in sorted((ROOT / part).rglob("*.py")):
            yield module.relative_to(ROOT).as_posix(), ast.parse(module.read_text())


def _name(written: ast.expr) -> str:
    return written.attr if isinstance(written, ast.Attribute) else written.id if isinstance(written, ast.Name) else ""


def _given(tree: ast.Module, errors: set[str]) -> Iterator[str]:
    """`Invalid("…", errors={"name": "…"})`: what stands there whole. What has numbers or names in it is `Said`."""
    errors = errors | {"ValidationError", "Said"}
    for node in ast.walk(tree):
        found: list[ast.expr] = []
        if isinstance(node, ast.Call) and _name(node.func) in errors:
            fields = [word.value for word in node.keywords if word.arg == "errors" and isinstance(word.value, ast.Dict)]
            found = [*node.args[:1], *(sentence for field in fields for sentence in field.values)]
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("errors["):
            found = [node.value]
        yield from (one.value for one in found if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _message(node: ast.ClassDef) -> str:
    for line in node.body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "message":
            return str(ast.literal_eval(line.value)) if isinstance(line.value, ast.Constant) else ""
    return ""


def _labels() -> list[str]:
    """Of the states that a student reads; most of the others are for tutors."""
    from proctoring.states import Review, Severity

    return [str(label) for labels in (Severity.labels, Review.labels) for label in labels]


def _with_parts(names: tuple[str, ...]) -> set[str]:
    waiting, known = [*names], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in known and not name.startswith(OWN):
            known.add(name)
            waiting += PART.findall((TEMPLATES / name).read_text())
    return known


def _as_python(template: Path) -> str:
    """On one line: what Django leaves of a template is indented as it likes."""
    from django.utils.translation.template import templatize

    return " ".join(templatize(template.read_text(), origin=str(template)).split())


def _take(catalog: Catalog, place: str, source: str) -> None:
    for _line, function, given, _comments in extract_python(BytesIO(source.encode()), KEYWORDS, [], {}):
        words = [given] if isinstance(given, str) else [one for one in given if one is not None]
        if not all(words):
            continue
        context = words.pop(0) if function in ("pgettext", "npgettext") else None
        is_plural = function in ("ngettext", "npgettext")
        catalog.add((words[0], words[1]) if is_plural else words[0], context=context, locations=[(place, 0)])


def languages() -> list[str]:
    from django.conf import settings

    return [code for code, _name in settings.LANGUAGES if code != SOURCE]


def place_of(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def kept(language: str) -> Catalog:
    place = place_of(language)
    if not place.exists():
        return Catalog(locale=language, project="Switchboard", charset="utf-8", fuzzy=False)
    with place.open("rb") as file:
        return read_po(file, locale=language)


def compiled(catalog: Catalog) -> bytes:
    file = BytesIO()
    catalog.creation_date = BEGUN
    write_mo(file, catalog)
    return file.getvalue()


def untranslated(catalog: Catalog) -> Iterator[Message]:
    for message in catalog:
        words = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and (message.fuzzy or not all(words)):
            yield message


def renew(language: str) -> int:
    """How many words have no translation yet."""
    catalog, place = kept(language), place_of(language)
    catalog.update(said(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(_written(catalog))
    place.with_suffix(".mo").write_bytes(compiled(catalog))
    return len(list(untranslated(catalog)))


def _written(catalog: Catalog) -> bytes:
    """Without the lines of the head that say who ran what and when: every run would be a change."""
    file = BytesIO()
    write_po(file, catalog, width=WIDTH, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return PASSING.sub(b"", file.getvalue(), count=len(PASSING_LINES)).lstrip()


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    missing = {language: renew(language) for language in languages()}
    for language, count in missing.items():
        sys.stdout.write(f"{language}: {count or 'nothing'} to translate\n")
    return int(any(missing.values()))


if __name__ == "__main__":
    raise SystemExit(main())
