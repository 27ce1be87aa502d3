"""What the pages load, checked without a browser: size, content policy, and that no name points to nothing."""

import gzip
import re
from pathlib import Path

import pytest

from config.staticfiles import as_sent

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
STATIC = {
    "ui": ROOT / "config/static",
    "live": ROOT / "config/live/static/live",
    "inbox": ROOT / "inbox/static/inbox",
    "reports": ROOT / "inbox/static/reports",
    "outbox": ROOT / "webhooks/static/outbox",
    "contacts": ROOT / "crm/static/contacts",
    "settings": ROOT / "crm/static/settings",
    "proctoring": ROOT / "proctoring/static/proctoring",
    "proctor": ROOT / "proctoring/static/proctor",
    "exam": ROOT / "proctoring/static/exam",
    "leaderboard": ROOT / "proctoring/static/leaderboard",
}
WIDGET_LIMIT = 40_000
SCRIPT_LIMIT = 60_000  # bytes of our own script on any page, as sent

PAGES = sorted(TEMPLATES.rglob("*.html"))
MODULES = sorted(path for folder in STATIC.values() for path in folder.rglob("*.js"))
ALL_MARKUP = "\n".join(page.read_text() for page in PAGES)
WORDS = set(re.findall(r'data-word="([^"]+)"', ALL_MARKUP))


def module_at(path: Path, name: str) -> Path:
    """Where an import leads. `../ui/js/dom.js` is an address: the areas of /static/ lie in the apps' folders."""
    if area := re.match(r"(?:\.\./)+(ui|live|inbox|contacts|proctoring|proctor)/(.+)", name):
        return STATIC[area[1]] / area[2]
    return (path.parent / name).resolve()


def imports(path: Path) -> list[Path]:
    return [module_at(path, name) for name in re.findall(r'^import .*?"(\.[^"]+)";', path.read_text(), re.MULTILINE)]


def with_imports(*entries: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = list(entries)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += imports(path)
    return found


INBOX_MODULES = with_imports(STATIC["inbox"] / "main.js", STATIC["ui"] / "js/shell.js", STATIC["ui"] / "js/theme.js")
# What comes by itself beside them: the rail's bell, the notes on the person, templates where a window is shut.
BY_THEMSELVES = with_imports(*(STATIC["inbox"] / f"{name}.js" for name in ("bell", "notes", "templates")))


def sent(modules: set[Path]) -> int:
    """Bytes over the wire: as collected, and compressed."""
    return sum(len(gzip.compress(as_sent(path.read_text()).encode())) for path in modules)


def test_all_of_the_chat_on_other_peoples_pages_stays_small():
    """What a site's visitor loads, as it is served: the script, the frame, its style and its modules."""
    modules = with_imports(STATIC["inbox"] / "widget/main.js")
    files = [*modules, *(STATIC["inbox"] / f"widget/{name}" for name in ("loader.js", "widget.css"))]
    whole = sum(len(gzip.compress(path.read_bytes())) for path in [*files, TEMPLATES / "inbox/widget/widget.html"])
    assert len(modules) == 4
    assert whole < WIDGET_LIMIT


def test_the_inboxs_own_script_stays_small():
    assert sent(INBOX_MODULES | BY_THEMSELVES) < SCRIPT_LIMIT


@pytest.mark.parametrize("area", ["proctor", "exam", "reports"])
def test_the_other_pages_own_script_stays_small(area):
    entries = [STATIC[area] / "main.js", STATIC["ui"] / "js/shell.js", STATIC["ui"] / "js/theme.js"]
    assert sent(with_imports(*entries)) < SCRIPT_LIMIT


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_only_whole_lines_of_comment_are_not_sent(path):
    written, sends = path.read_text().splitlines(), as_sent(path.read_text()).splitlines()
    left, kept = [], iter([*sends, None])
    following = next(kept)
    for line in written:
        if line == following:
            following = next(kept)
        else:
            left.append(line.strip())
    assert following is None
    assert [line for line in left if not line.startswith(("//", "/*", "*"))] == []


def test_the_exam_client_needs_nothing_else():
    assert imports(STATIC["proctoring"] / "client.js") == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_imports_lead_somewhere(path):
    for target in imports(path):
        assert target.is_file(), target


def test_every_module_of_the_inbox_is_fetched_in_one_go():
    preload = (TEMPLATES / "inbox/preload.html").read_text()
    named = {area_path(name) for name in re.findall(r'{% static "([^"]+)" %}', preload)}
    own_tags = {STATIC["inbox"] / "main.js", STATIC["ui"] / "js/shell.js", STATIC["ui"] / "js/theme.js"}
    assert named == INBOX_MODULES - own_tags


def area_path(name: str) -> Path:
    area, _, rest = name.partition("/")
    return STATIC[area] / rest


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TEMPLATES)))
def test_pages_keep_to_the_content_policy(page):
    markup = page.read_text()
    assert not re.search(r"\sstyle=|<style", markup)
    assert not re.search(r"\son[a-z]+=", markup)
    assert not re.search(r"<script(?![^>]*\bsrc=)", markup)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", markup)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TEMPLATES)))
def test_static_files_that_pages_name_exist(page):
    for name in re.findall(r'{% static "([^"]+)"', page.read_text()):
        assert area_path(name).is_file(), name


def test_icons_that_pages_name_are_in_the_sprite():
    symbols = set(re.findall(r'<symbol id="([^"]+)"', (STATIC["ui"] / "icons.svg").read_text()))
    named = set(re.findall(r"{{ sprite }}#([\w-]+)(?![\w-]*{)", ALL_MARKUP)) - {"channel-", "status-"}
    assert named <= symbols
    kinds, statuses = (
        ("kapso", "twilio", "widget"),
        ("queued", "sending", "sent", "delivered", "read", "failed", "unknown"),
    )
    assert {f"channel-{kind}" for kind in kinds} | {f"status-{status}" for status in statuses} <= symbols


def test_a_word_that_can_be_spelled_in_two_ways_is_spelled_in_one():
    said = re.findall(r'{% translate "([^"]+)"', ALL_MARKUP)
    assert len(said) > 1_000
    assert [words for words in said if re.search(r"\bemail", re.sub(r"{\w+}", "", words), re.IGNORECASE)] == []


def test_words_that_scripts_say_are_in_the_catalogue():
    for path in MODULES:
        for key in re.findall(r'\bt\("([\w.-]+)"', path.read_text()):
            assert key in WORDS, f"{key} in {path.name}"
        for start in re.findall(r"\bt\(`([\w.-]+)\$\{", path.read_text()):
            assert any(word.startswith(start) for word in WORDS), f"{start}… in {path.name}"


def test_templates_that_scripts_clone_are_on_the_page():
    held = set(re.findall(r'<template id="t-([\w-]+)"', ALL_MARKUP))
    for path in MODULES:
        assert set(re.findall(r'\bclone\("([\w-]+)"\)', path.read_text())) <= held, path.name


def test_components_take_their_colours_from_the_tokens():
    for sheet in ("components.css", "plain.css"):
        assert not re.search(r"#[0-9a-fA-F]{6}\b|\brgb\(", (STATIC["ui"] / sheet).read_text())
