"""/contacts and /contacts/<id> as the server draws them: who gets them, and what they say without any script."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.errors import TooSlow
from crm.models import AttributeDefinition, Contact, SavedView
from crm.queries import time_limit
from crm.services.contacts import create_contact, delete_contact
from crm.services.merging import merge_contacts
from crm.services.notes import add_note
from tests.api import Api
from tests.cast import receive, unique

pytestmark = pytest.mark.usefixtures("own_issuer")
MOST_QUERIES = 8


def make(cast: Any, name: str = "Lucía Fernández", **more: Any) -> Contact:
    fields: Any = {"name": unique(name), **more}
    return create_contact(actor=cast.actor(cast.ben), fields=fields)[0]


def page(user: Any, path: str = "/contacts", **query: Any) -> Any:
    return Api(user).get(path, **query)


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


def names(answer: Any) -> list[str]:
    return re.findall(r'data-contact-id="[^"]+" data-name="([^"]+)"', text(answer))


def test_who_gets_the_list(cast: Any) -> None:
    expected = {"ada": 200, "ben": 200, "vic": 200, "tia": 403, "cleo": 404, "sam": 404}
    slug = cast.workspace.slug
    assert {name: page(getattr(cast, name), workspace=slug).status_code for name in expected} == expected
    assert page(cast.tia).status_code == 404
    assert Client().get("/contacts").status_code == 302


def test_filters_join_and_the_page_says_who_fits(cast: Any) -> None:
    both = make(cast, lead_status="qualified", tags=["vip"], email="a@x.example")
    make(cast, lead_status="qualified")
    make(cast, lead_status="new", tags=["vip"])
    found = page(cast.ben, lead_status="qualified", tags="vip", has_email="true")
    assert names(found) == [both.name]
    assert "Lead status: <bdi>Qualified</bdi>" in text(found)
    assert "Nobody fits" in text(page(cast.ben, q=unique("nobody")))


def test_attributes_filter_and_can_be_taken_away(cast: Any) -> None:
    AttributeDefinition.objects.create(workspace=cast.workspace, key="kids", label="Children", type="number")
    two = make(cast, attributes={"kids": 2})
    make(cast, attributes={"kids": 3})
    found = page(cast.ben, **{"attribute.kids": "2"})
    assert names(found) == [two.name]
    assert "Children: 2" in text(found)


def test_a_filter_that_means_nothing_is_said_on_the_page(cast: Any) -> None:
    make(cast)
    assert "This list cannot be shown" in text(page(cast.ben, sort="upside-down"))
    assert "This list cannot be shown" in text(page(cast.ben, view="00000000-0000-0000-0000-000000000000"))
    assert names(page(cast.ben, cursor="not-ours")) != []


@pytest.mark.parametrize("layout", ["", "board"])
def test_a_list_that_takes_too_long_is_said_on_the_page(cast: Any, monkeypatch: Any, layout: str) -> None:
    monkeypatch.setattr(time_limit.time_limit.__wrapped__, "__defaults__", (1,))
    Contact.objects.bulk_create(
        Contact(workspace=cast.workspace, name=f"{number} {'x' * 150}", email=f"{number}@x.example")
        for number in range(3000)
    )
    tree = {"any": [{"field": "name", "is": "contains", "value": f"{one}y{one}"} for one in range(40)]}
    view = SavedView.objects.create(workspace=cast.workspace, scope="contacts", owner=cast.ben, filters=tree)
    for asked in ({}, {"part": "body"}):
        found = page(cast.ben, view=str(view.pk), **asked, **({"layout": layout} if layout else {}))
        assert "This list cannot be shown" in text(found)
        assert TooSlow.message in text(found)


def test_heads_sort_and_pages_go_on(cast: Any) -> None:
    Contact.objects.bulk_create(Contact(workspace=cast.workspace, name=f"n{at:03}") for at in range(60))
    first = page(cast.ben, sort="name")
    assert names(first) == [f"n{at:03}" for at in range(50)]
    following = re.search(r'data-chip="next" href="([^"]+)"', text(first))
    assert following
    rest = page(cast.ben, "/contacts" + following[1].replace("&amp;", "&"))
    assert names(rest) == [f"n{at:03}" for at in range(50, 60)]
    assert 'aria-sort="ascending"' in text(first)


def test_the_board_has_the_workspaces_columns_and_others_in_use(cast: Any) -> None:
    make(cast, lead_status="new")
    make(cast, lead_status="odd")
    found = text(page(cast.ben, layout="board"))
    assert re.findall(r'data-column="([^"]*)"', found) == ["new", "contacted", "qualified", "customer", "lost", "odd"]


def test_a_column_shows_more_when_asked(cast: Any) -> None:
    Contact.objects.bulk_create(
        Contact(workspace=cast.workspace, name=f"n{at:03}", lead_status="new") for at in range(30)
    )
    first = page(cast.ben, layout="board")
    assert len(names(first)) == 20
    more = re.search(r'data-keep-place href="([^"]+)"', text(first))
    assert more
    assert len(names(page(cast.ben, "/contacts" + more[1].replace("&amp;", "&")))) == 30


def test_saved_views_are_listed_by_whose_they_are(cast: Any) -> None:
    mine = SavedView.objects.create(
        workspace=cast.workspace,
        scope="contacts",
        name=unique("mine"),
        owner=cast.ben,
        filters={"all": [{"field": "lead_status", "is": "is", "value": "customer"}]},
    )
    SavedView.objects.create(workspace=cast.workspace, scope="contacts", name=unique("hers"), owner=cast.bea)
    customer = make(cast, lead_status="customer")
    make(cast, lead_status="new")
    found = page(cast.ben, view=str(mine.pk))
    assert names(found) == [customer.name]
    assert mine.name in text(found)
    assert "hers-" not in text(found)
    assert "Name and columns of the view" in text(found)


def test_viewers_read_and_change_nothing(cast: Any) -> None:
    make(cast)
    found = text(page(cast.vic))
    assert "New contact" not in found
    assert "data-select" not in found
    assert "/contacts/import" not in found


def test_deleted_ones_are_listed_apart(cast: Any) -> None:
    gone = make(cast)
    delete_contact(actor=cast.actor(cast.ben), contact_id=gone.pk)
    assert gone.name not in names(page(cast.ben))
    assert names(page(cast.ben, deleted="only")) == [gone.name]


@pytest.mark.parametrize("layout", ["", "board"])
@pytest.mark.parametrize(
    "filters",
    [{}, {"lead_status": "new", "sort": "name"}, {"view": "mine"}, {"view": "of nobody", "sort": "last_seen"}],
    ids=str,
)
def test_the_list_asks_the_database_a_bounded_number_of_times(
    cast: Any, layout: str, filters: dict[str, str], assert_queries: Any
) -> None:
    for _ in range(5):
        make(cast, lead_status="new", tags=["vip"], owner=cast.ben.pk)
    if "view" in filters:
        AttributeDefinition.objects.create(workspace=cast.workspace, key="kids", label="Children", type="number")
        view = SavedView.objects.create(
            workspace=cast.workspace,
            scope="contacts",
            owner=cast.ada,
            filters={"field": "attribute.kids", "is": "is", "value": 7} if filters["view"] == "of nobody" else {},
        )
        filters = {**filters, "view": str(view.pk)}
    asked = {**filters, **({"layout": layout} if layout else {})}
    page(cast.ada, **asked)
    # The workspace's own fields cost one more; BEGIN and COMMIT are among these
    with assert_queries(MOST_QUERIES + ("sort" in filters and "view" in filters)):
        assert page(cast.ada, **asked).status_code == 200


def test_a_saved_view_says_which_columns_are_shown(cast: Any) -> None:
    contact = make(cast, email="zoe@mail.example", tags=["vip"])
    view = SavedView.objects.create(workspace=cast.workspace, scope="contacts", owner=cast.ben, columns=["email"])
    found = text(page(cast.ben, view=str(view.pk)))
    assert names(page(cast.ben, view=str(view.pk))) == [contact.name]
    assert re.findall(r'sort-(\w+)"', found) == ["name"]
    assert "<bdi>zoe@mail.example</bdi>" in found
    assert "vip</bdi>" not in found.partition("<tbody")[2]


# --- one contact ----------------------------------------------------------------------------------------------------


def test_who_gets_a_contact(cast: Any) -> None:
    path = f"/contacts/{make(cast).pk}"
    expected = {"ada": 200, "ben": 200, "vic": 200, "tia": 403, "cleo": 404, "sam": 404}
    assert {name: page(getattr(cast, name), path).status_code for name in expected} == expected
    assert Client().get(path).status_code == 302


def test_a_contact_shows_all_it_is_known_by_and_what_happened(cast: Any) -> None:
    AttributeDefinition.objects.create(workspace=cast.workspace, key="kids", label="Children", type="number")
    conversation = receive(cast, "Hola, ¿qué tal?")
    contact = conversation.contact
    api = Api(cast.ben).of(cast.workspace.slug)
    api.patch(f"contacts/{contact.pk}/", {"attributes": {"kids": 2}, "lead_status": "qualified", "tags": ["vip"]})
    api.post(f"contacts/{contact.pk}/notes/", {"body": f"Ask @{cast.bea.name} <b>", "mentions": [str(cast.bea.pk)]})
    found = text(page(cast.ben, f"/contacts/{contact.pk}"))
    assert f'href="/inbox/{conversation.pk}"' in found
    assert 'name="attributes.kids" value="2"' in found
    assert "Hola, ¿qué tal?" in found
    assert f'Ask <b class="mention">@{cast.bea.name}</b> &lt;b&gt;' in found
    assert "Lead status: None → Qualified" in found
    notes = text(page(cast.ben, f"/contacts/{contact.pk}", kind="notes"))
    assert notes.count('data-kind="note"') == 1
    assert 'data-kind="change"' not in notes


def test_a_viewer_reads_a_contact_and_has_nothing_to_change_it_with(cast: Any) -> None:
    contact = make(cast, lead_status="new")
    found = text(page(cast.vic, f"/contacts/{contact.pk}"))
    assert "You can read this and change nothing." in found
    for marker in ("data-edit=", 'data-act="delete"', 'data-form="note"', 'data-act="erase"', 'data-form="tag"'):
        assert marker not in found


def test_only_admins_hand_out_and_erase(cast: Any) -> None:
    path = f"/contacts/{make(cast).pk}"
    assert 'data-act="erase"' in text(page(cast.ada, path))
    assert 'data-act="erase"' not in text(page(cast.ben, path))
    assert 'data-act="export"' not in text(page(cast.ben, path))


def test_a_deleted_contact_can_be_brought_back_from_its_page(cast: Any) -> None:
    contact = make(cast)
    delete_contact(actor=cast.actor(cast.ben), contact_id=contact.pk)
    found = text(page(cast.ben, f"/contacts/{contact.pk}"))
    assert 'data-act="restore"' in found
    assert "data-edit=" not in found


def test_a_merged_contact_leads_to_the_one_it_is_part_of(cast: Any) -> None:
    winner, loser = make(cast), make(cast)
    merge_contacts(actor=cast.actor(cast.ben), winner_id=winner.pk, loser_id=loser.pk)
    answer = page(cast.ben, f"/contacts/{loser.pk}")
    assert (answer.status_code, answer["Location"]) == (302, f"/contacts/{winner.pk}")


def test_a_contact_asks_the_database_a_bounded_number_of_times(cast: Any) -> None:
    conversation = receive(cast)
    for word in ("one", "two", "three"):
        add_note(actor=cast.actor(cast.ben), contact_id=conversation.contact_id, body=word)
    client = Api(cast.ada)
    client.get(f"/contacts/{conversation.contact_id}")
    with CaptureQueriesContext(connection) as asked:
        client.get(f"/contacts/{conversation.contact_id}")
    assert len(asked) <= MOST_QUERIES, "\n".join(one["sql"][:90] for one in asked.captured_queries)


@pytest.mark.parametrize("part", ["", "body"])
def test_another_channel_is_offered_where_a_conversation_is_open_and_nothing_to_who_only_reads(
    cast: Any, part: str
) -> None:
    contact = receive(cast, "Hola").contact
    asked = {"workspace": cast.workspace.slug, "part": part}
    for who, offered in ((cast.ben, 1), (cast.vic, 0)):
        found = text(page(who, f"/contacts/{contact.pk}", **asked))
        assert ("Open the conversation" in found, found.count(f"/inbox?write={contact.pk}")) == (True, offered)
