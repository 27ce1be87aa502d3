"""Answers that come late: what a page was told since it asked stands, and what got no answer is asked for again.

The store and the sync of the inbox run in a blank page against a server that each test plays by hand."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

ROOT = Path(__file__).parents[2]
HOME = "https://desk.test/"  # a secure place, as the product is
PLACES = {
    "/static/ui/": ROOT / "config/static",
    "/static/inbox/": ROOT / "inbox/static/inbox",
    "/": Path(__file__).parent,
}
BLANK = '<!doctype html><meta charset="utf-8"><script type="module" src="/desk.js"></script>'

Desk = Callable[[str], Any]


def serve(route: Route) -> None:
    path = route.request.url.removeprefix(HOME[:-1])
    place = next(start for start in PLACES if path.startswith(start))
    route.fulfill(path=PLACES[place] / path.removeprefix(place), content_type="text/javascript")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route(HOME, lambda route: route.fulfill(body=BLANK, content_type="text/html"))
    page.route(re.compile(re.escape(HOME) + r".+\.js$"), serve)
    yield page
    page.close()
    assert errors == []


@pytest.fixture
def desk(page: Page) -> Desk:
    """Runs a script; what it returns."""
    page.goto(HOME)
    page.wait_for_function("() => window.sync")
    return lambda script: page.evaluate(f"async () => {{ {script} }}")


OPENED = """
    await open("one");
    await until("conversation");
    await until("read");
"""
READ = (
    OPENED
    + """
    await event("user.me", "conversation.read", { id: "one", seen_count: 1 });
    await answer("read", { seen_count: 1 });
    leave();
"""
)


# --- how far one has read ---------------------------------------------------------------------------------------------


def test_who_the_person_is_may_be_told_late_without_making_the_thread_unread_again(desk):
    assert desk(READ + """await answer("conversation", row("one")); return unread("one"); """) == 0


def test_nor_by_an_answer_from_before_the_server_knew_how_far_one_read(desk):
    script = """
        await answer("conversation", row("one"));
        const before = unread("one");
        await answer("read", { seen_count: 1 });
        return [before, unread("one")];
    """
    assert desk(OPENED + script) == [0, 0]


def test_nor_by_one_that_comes_after_the_server_said_so(desk):
    script = """
        await answer("read", { seen_count: 1 });
        await answer("conversation", row("one"));
        return unread("one");
    """
    assert desk(OPENED + script) == 0


def test_that_the_server_knows_how_far_one_read_says_nothing_against_what_was_told_since(desk):
    script = """
        await event("user.me", "conversation.unread", { id: "one", seen_count: 0 });
        leave();
        await answer("read", { seen_count: 1 });
        return unread("one");
    """
    assert desk(OPENED + script) == 1


def test_where_its_reader_wants_that_what_is_opened_stays_unread_until_it_is_answered(desk):
    looked = """
        localStorage.setItem("read-when-answered", "true");
        await event("inbox.demo", "conversation.updated", row("one", { waiting_since: "2026-01-01T00:00:00Z" }));
        await open("one");
        await until("conversation");
        await answer("conversation", row("one", { waiting_since: "2026-01-01T00:00:00Z" }));
        return [waits("read"), unread("one")];
    """
    assert desk(looked) == [0, 1]
    answered = """
        await event("inbox.demo", "conversation.updated", row("one", { waiting_since: null }));
        await until("read");
        return unread("one");
    """
    assert desk(answered) == 0


def test_what_was_marked_unread_stays_so_whatever_was_asked_before(desk):
    script = """
        const marking = sync.unread("one");
        await until("unread");
        await event("user.me", "conversation.unread", { id: "one", seen_count: 0 });
        await answer("unread", { seen_count: 0 });
        await marking;
        await answer("conversation", row("one", { seen_count: 1 }));
        return unread("one");
    """
    assert desk(READ + script) == 1


def test_a_list_that_was_asked_for_before_does_not_count_again_what_was_read_since(desk):
    script = """
        sync.loadList();
        await event("user.me", "conversation.read", { id: "one", seen_count: 1 });
        await answer("list", listed([row("one"), row("two", { seen_count: 1 })]));
        return [unread("one"), unread("two")];
    """
    assert desk(script) == [0, 0]


def test_a_further_page_does_neither(desk):
    script = """
        store.next = "/more";
        sync.more();
        await event("user.me", "conversation.read", { id: "one", seen_count: 1 });
        await answer("page", listed([row("one"), row("three")]));
        return [unread("one"), unread("three")];
    """
    assert desk(script) == [0, 1]


def test_what_an_action_answers_says_nothing_of_reading_where_that_is_known(desk):
    assert (
        desk("""store.saw("one", 1); store.learn(row("one", { assignee: { id: "me" } })); return unread("one"); """)
        == 0
    )


def test_after_a_hole_in_what_was_told_the_rest_of_the_list_is_not_taken_for_known(desk):
    """Rows that the new list does not bring are asked for when they move."""
    script = """
        const reloading = topics["user.me"].reload();
        await answer("drafts", { results: [] });
        await answer("list", listed([row("one", { seen_count: 1 })]));
        await reloading;
        await event("inbox.demo", "conversation.updated", row("two", { inbound_count: 3, seen_count: undefined }));
        await answer("conversation", row("two", { inbound_count: 3, seen_count: 3 }));
        return [unread("one"), unread("two")];
    """
    assert desk(script) == [0, 0]


def test_its_own_topic_is_followed_from_the_number_that_the_page_was_made_at(desk):
    assert desk("""return topics["user.me"].after; """) == 7


def test_how_far_one_read_is_asked_again_where_nobody_answered(desk, page):
    page.clock.install()
    desk("""
        await event("inbox.demo", "conversation.updated", row("new", { seen_count: undefined }));
        await fail("conversation");
    """)
    assert desk("""return [unread("new"), waits("conversation")]; """) == [None, 0]
    page.clock.run_for(6_000)
    assert desk("""await answer("conversation", row("new")); return unread("new"); """) == 1


def test_of_what_was_taken_back_while_it_was_being_read_nothing_is_read_ahead(desk):
    script = """
        await event("inbox.demo", "conversation.updated", row("one", { inbound_count: 2 }));
        await open("one");
        await until("read");
        await event("inbox.demo", "conversation.updated", row("one", { inbound_count: 1 }));
        await event("user.me", "conversation.read", { id: "one", seen_count: 1 });
        await answer("read", { seen_count: 1 });
        leave();
        await event("inbox.demo", "conversation.updated", row("one", { inbound_count: 2 }));
        return unread("one");
    """
    assert desk(script) == 1


# --- the list and its counts ----------------------------------------------------------------------------------------


def test_counts_that_were_told_since_stand(desk):
    script = """
        sync.loadList();
        topics["inbox.demo"].signal({ type: "counts", data: { all: 9 } });
        await answer("list", listed([row("one")], { counts: { all: 2 } }));
        return store.counts.all;
    """
    assert desk(script) == 9


def test_counts_that_were_asked_for_when_none_were_told_are_older_than_those_told_since(desk, page):
    page.clock.install()
    desk("""await event("inbox.demo", "conversation.updated", row("one", { status: "resolved" })); """)
    page.clock.run_for(2_000)
    script = """
        topics["inbox.demo"].signal({ type: "counts", data: { all: 9 } });
        await answer("counts", { counts: { all: 2 } });
        return store.counts.all;
    """
    assert desk(script) == 9


def test_counts_are_asked_for_again_where_nobody_answered(desk, page):
    page.clock.install()
    desk("""await event("inbox.demo", "conversation.updated", row("one", { status: "resolved" })); """)
    page.clock.run_for(2_000)
    desk("""await fail("counts"); """)
    page.clock.run_for(6_000)
    assert desk("""await answer("counts", { counts: { all: 3 } }); return store.counts.all; """) == 3


def test_what_has_gone_since_a_list_was_asked_for_stays_away(desk):
    script = """
        sync.loadList();
        await event("inbox.demo", "conversation.updated", { id: "one", deleted: true });
        await answer("list", listed([row("one"), row("two")]));
        const there = rows();
        await event("inbox.demo", "conversation.updated", row("one"));
        return [there, rows()];
    """
    assert desk(script) == [["two"], ["one", "two"]]


def test_what_came_since_a_whole_new_list_was_asked_for_stays_in_it(desk):
    script = """
        sync.loadList({ fresh: true });
        await event("inbox.demo", "conversation.created", row("new"));
        await answer("list", listed([row("two")]));
        return rows();
    """
    assert desk(script) == ["new", "two"]


def test_a_list_that_nobody_answered_is_asked_for_again(desk, page):
    page.clock.install()
    desk("""store.setFilter({ assignee: "none" }); sync.loadList().catch(() => {}); await fail("list"); """)
    page.clock.run_for(6_000)
    assert desk("""await answer("list", listed([row("three")])); return [rows(), store.failed]; """) == [
        ["one", "three", "two"],
        None,
    ]


def test_one_that_is_refused_is_not(desk, page):
    page.clock.install()
    desk("""sync.loadList().catch(() => {}); await fail("list", { passing: false, message: "no" }); """)
    page.clock.run_for(60_000)
    assert desk("""return waits("list"); """) == 0


def test_a_list_that_comes_while_its_end_was_asked_for_goes_on_all_the_same(desk):
    script = """
        store.next = "/old";
        sync.more();
        sync.loadList();
        await answer("list", listed([row("one")], { next: "/new" }));
        sync.more();
        await answer("page", listed([row("old")]));
        const then = waits("page");
        await answer("page", listed([row("three")]));
        return [then, rows()];
    """
    assert desk(script) == [1, ["one", "three", "two"]]


# --- drafts -----------------------------------------------------------------------------------------------------------

SAVED = """
    store.drafts.set("one", { body: "mine", mode: "reply" });
    drafts.touched("one");
    await until("draft");
"""


def test_what_another_device_saved_after_ones_own_is_shown_when_ones_own_is_answered(desk):
    script = """
        await event("user.me", "draft.updated", { conversation: "one", body: "theirs", is_note: false, version: 2 });
        await answer("draft", { body: "mine", version: 1 });
        return store.drafts.get("one").body;
    """
    assert desk(SAVED + script) == "theirs"


def test_ones_own_save_that_is_told_before_it_is_answered_changes_nothing(desk):
    script = """
        await event("user.me", "draft.updated", { conversation: "one", body: "mine", is_note: false, version: 1 });
        store.drafts.set("one", { body: "mine and more", mode: "reply" });
        await answer("draft", { body: "mine", version: 1 });
        return store.drafts.get("one").body;
    """
    assert desk(SAVED + script) == "mine and more"


def test_a_draft_that_was_sent_elsewhere_while_nothing_was_told_is_gone(desk):
    script = """
        await answer("draft", { body: "mine", version: 1 });
        await event("user.me", "draft.updated", { conversation: "two", body: "other", is_note: false, version: 1 });
        const loading = drafts.load();
        await answer("drafts", { results: [{ conversation: "two", body: "other", is_note: false, version: 1 }] });
        await loading;
        return [...store.drafts.keys()];
    """
    assert desk(SAVED + script) == ["two"]


def test_one_that_was_saved_since_they_were_asked_for_stays(desk):
    script = """
        const loading = drafts.load();
        await answer("draft", { body: "mine", version: 1 });
        await answer("drafts", { results: [] });
        await loading;
        return [...store.drafts.keys()];
    """
    assert desk(SAVED + script) == ["one"]


# --- who is here ------------------------------------------------------------------------------------------------------


def test_who_is_here_is_told_from_the_beginning_where_nobody_answered(desk, page):
    page.route("**/api/**", lambda route: route.abort())
    script = """
        new Presence(live, "demo");
        while (!topics["presence.workspace.demo"]) await rest();
        return topics["presence.workspace.demo"].after;
    """
    assert desk(script) == 0
