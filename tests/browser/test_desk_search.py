"""An agent looks for something said long ago, and for people; the hit opens at its message."""

import re

from playwright.sync_api import expect

from tests.browser.numbers import numbers

NOTHING = "Nothing found"


def test_a_hit_opens_its_conversation_at_the_message(product, sign_in, word):
    ben = sign_in("ben")
    number = f"628122{next(numbers):06d}"
    product.deliver(f"Needle {word} in the hay", number=number, name=f"Sought {word}")
    for count in range(60):
        product.deliver(f"Hay {count} {word}y", number=number)
    ben.row(f"Hay 59 {word}y").wait_for()
    page = ben.page
    page.keyboard.press("/")
    page.keyboard.type(f"needle {word}")
    page.locator(".hit mark").first.wait_for()
    page.locator(".hit").filter(has_text="in the hay").last.click()

    found = page.locator(".message[data-hit]")
    expect(found).to_contain_text(f"Needle {word} in the hay")
    expect(found).to_be_in_viewport()
    expect(page).to_have_url(re.compile("message="))


def test_the_link_of_a_hit_opens_at_the_message_too(product, sign_in, word):
    ben = sign_in("ben")
    number = f"628123{next(numbers):06d}"
    product.deliver(f"Early {word}", number=number)
    for count in range(60):
        product.deliver(f"Later {count} {word}y", number=number)
    ben.row(f"Later 59 {word}y").wait_for()
    url = ben.page.evaluate(
        """async q => (await (await fetch(`/api/v1/workspaces/demo/search/?q=${q}`)).json()).messages[0].url""",
        f"early {word}",
    )
    ben.page.goto(product.url + url)
    expect(ben.page.locator(".message[data-hit]")).to_contain_text(f"Early {word}")
    expect(ben.page.locator(".message[data-hit]")).to_be_in_viewport()


def test_people_are_found_by_number_and_escape_brings_the_list_back(product, sign_in, word):
    ben = sign_in("ben")
    number = f"628124{next(numbers):06d}"
    product.deliver("Hello", number=number, name=f"Found {word}")
    ben.row(f"Found {word}").wait_for()
    page = ben.page
    page.keyboard.press("/")
    page.keyboard.type(number[-8:])
    page.locator(".hit").filter(has_text=f"Found {word}").first.wait_for()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".hit").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".hit")).to_have_count(0)
    expect(ben.row(f"Found {word}")).to_be_visible()


def test_search_finds_only_what_one_may_see(product, sign_in, word, number):
    ben, vic, cleo = sign_in("ben"), sign_in("vic"), sign_in("cleo")
    product.deliver(f"Treasure {word}", number=number, name=f"Holder {word}")
    ben.row(f"Treasure {word}").wait_for()

    def finds(agent, words, said):
        agent.page.keyboard.press("/")
        agent.page.keyboard.type(words)
        hits = agent.page.locator('[data-part="hits"]')
        expect(hits).to_contain_text(said)
        if said == NOTHING:
            expect(hits.locator(".hit")).to_have_count(0)
        agent.page.keyboard.press("Escape")

    for agent in (ben, vic):  # who only reads finds all the same
        finds(agent, word, f"Holder {word}")
    for words in (word, number):
        finds(cleo, words, NOTHING)  # another workspace's
    tia = sign_in("tia", path="/proctor", wait=False)
    assert tia.page.request.get(f"{product.url}/inbox").status == 404  # no inbox, and no search in it
    asked = tia.ask("GET", f"search/?q={word}")
    assert [asked[kind] for kind in ("contacts", "messages", "notes")] == [[], [], []]

    # What is said in an exam's room is for its tutors alone
    pk = ben.row(f"Treasure {word}").get_attribute("data-conversation-id")
    product._sql(f"update inbox_conversation set scope = 'exam' where id = '{pk}'")
    finds(ben, f"treasure {word}", NOTHING)


def test_the_palette_reaches_people_places_and_actions_by_keys_alone(product, sign_in, word):
    ben = sign_in("ben")
    product.deliver("Hello", number=f"628125{next(numbers):06d}", name=f"Wanted {word}")
    ben.row(f"Wanted {word}").wait_for()
    keys = ben.page.keyboard
    keys.press("Control+k")
    expect(ben.page.get_by_role("option").first).to_be_visible()
    keys.type(f"wanted {word}")
    expect(ben.page.get_by_role("option", name=f"Wanted {word}")).to_be_visible()
    keys.press("Enter")
    expect(ben.page.locator(".thread-title")).to_contain_text(f"Wanted {word}")
    keys.press("Control+k")
    expect(ben.page.get_by_role("option").first).to_be_visible()
    keys.type("assign to me")
    expect(ben.page.get_by_role("option").first).to_contain_text("Assign to me")
    keys.press("Enter")
    expect(ben.page.locator("[data-field=assignee-name]")).to_contain_text("Ben")
