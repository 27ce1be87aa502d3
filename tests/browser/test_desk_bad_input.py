"""Too much, too large, markup and turned writing: refused in words, harmless, and what is shown stays true."""

import json
import re

from playwright.sync_api import expect

from tests.browser.numbers import numbers
from tests.browser.reading import read_above
from tests.browser.test_access import look

MARKUP = "<img src=x onerror=\"document.title='harm'\">"
TURNED = "\u202e"  # all that follows is written from right to left


def deliver(product, text, name="Budi", number=""):
    product.deliver(text, number=number or f"62824{next(numbers):07d}", name=name)


def test_what_is_too_long_or_too_large_is_said_and_nothing_leaves(product, sign_in, word, tmp_path):
    ben = sign_in("ben")
    page, body = ben.page, ben.page.locator("textarea[name=body]")
    send = page.locator("form[name=composer] [type=submit]")
    deliver(product, f"Hi {word}")
    ben.open(f"Hi {word}")
    long = f"{word} " + "é" * 4096
    body.fill(long)
    expect(page.locator("[data-field=length]")).to_have_text(re.compile(f"{len(long) - 4096} characters too many"))
    expect(send).to_be_disabled()
    body.press("Control+Enter")
    expect(ben.bubble(word)).to_have_count(1)  # the customer's alone
    expect(body).to_have_value(long)
    body.fill(long[:4096])
    expect(send).to_be_enabled()

    large, empty = tmp_path / "large.pdf", tmp_path / "empty.pdf"
    with large.open("wb") as file:
        file.truncate(100 * 1024 * 1024 + 1)
    empty.touch()
    page.set_input_files("input[name=files]", [large, empty])
    cards = page.locator('.composer-files > [data-state="failed"]')
    expect(cards.filter(has_text="large.pdf")).to_contain_text("Larger than 100 MB")
    expect(cards.filter(has_text="empty.pdf")).to_contain_text("Empty")
    expect(send).to_be_disabled()
    for _ in range(2):
        cards.first.get_by_role("button", name=re.compile("Remove")).click()
    expect(send).to_be_enabled()
    many = [{"name": f"{at}.txt", "mimeType": "text/plain", "buffer": b"some words"} for at in range(11)]
    page.set_input_files("input[name=files]", many)
    expect(cards).to_have_count(1)
    expect(cards).to_contain_text("At most 10 files at once")


def test_markup_and_turned_writing_stay_words_wherever_a_name_is_shown(product, sign_in, word, number):
    ben, ada = sign_in("ben"), sign_in("ada")
    page = ben.page
    name = f"{TURNED}{MARKUP}{word}"
    team = ada.ask("POST", "teams/", {"name": f"Team {name}"[:60]})
    label = ada.ask("POST", "labels/", {"name": f"{MARKUP}{word}"})
    macro = ada.ask("POST", "macros/", {"name": f"Do {name}", "steps": [{"do": "note", "value": f"{name} noted"}]})
    for part in range(6):
        deliver(product, f"Part {part} {word}" + "\nand more" * 12, name=name, number=number)
    deliver(product, f"Other {word}", name=f"Second {name}")
    ben.open(f"Part 5 {word}")
    conversation = page.url.split("/inbox/")[1].partition("?")[0]

    def harmless():
        expect(page.locator("img[src=x]")).to_have_count(0)
        expect(page).not_to_have_title("harm")

    ben.ask("POST", f"conversations/{conversation}/labels", {"add": [label["name"]]})
    ben.ask("POST", f"conversations/{conversation}/team", {"team": team["id"]})
    expect(ben.row(word).filter(has_text="Part 5")).to_contain_text("<img src=x")
    expect(page.locator(".activity").filter(has_text="Team").last).to_contain_text("<img src=x")
    harmless()
    expect(page).to_have_title(re.compile(f"^\u2068.*{word}\u2069 · "))

    # The guard, the palette, forwarding, a macro, a toast
    read_above(page)
    deliver(product, f"Wait {MARKUP} {word}", name=name, number=number)
    expect(ben.row(f"Wait {MARKUP}")).to_be_visible()
    ben.write(f"Late {MARKUP} {word}")
    guard = page.get_by_role("dialog", name=re.compile("arrived"))
    expect(guard).to_contain_text(f"Wait {MARKUP} {word}")
    expect(guard).to_contain_text(f"Late {MARKUP} {word}")
    look(page, part="#dialog-guard")
    harmless()
    guard.get_by_role("button", name="Send anyway").click()
    ben.wait_status(f"Late {MARKUP} {word}", "sent")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.type(f"second {word}")
    expect(page.locator("#dialog-palette [role=option]").filter(has_text=f"Second {name}").first).to_be_visible()
    harmless()
    page.keyboard.press("Escape")  # the words, then the palette
    page.keyboard.press("Escape")
    expect(page.locator("#dialog-palette")).to_be_hidden()
    ben.bubble(f"Wait {MARKUP}").last.hover()
    page.get_by_role("button", name="Forward", exact=True).click()
    forward = page.get_by_role("dialog", name="Forward the message")
    forward.get_by_role("combobox").fill(f"second {word}")
    expect(forward.get_by_role("option")).to_contain_text(f"Second {name}")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts .toast").last).to_contain_text(f"Second {name}")
    harmless()
    page.keyboard.press("Escape")
    page.keyboard.press("m")
    page.get_by_role("menuitem", name=f"Do {name}").click()
    run = page.get_by_role("dialog", name=re.compile("Run"))
    expect(run).to_contain_text(f"{name} noted")
    run.get_by_role("button", name="Run").click()
    expect(ben.bubble(f"{name} noted")).to_be_visible()
    harmless()

    # What turns the writing ends with its own words: the sentence around them goes on from left to right
    for words in page.locator("#toasts .toast").all_inner_texts():
        assert TURNED not in words or re.search(f"\u2068[^\u2069]*{TURNED}[^\u2069]*\u2069", words), words
    for what, made in (("teams", team), ("labels", label), ("macros", macro)):
        ada.ask("DELETE", f"{what}/{made['id']}/")


def test_what_the_server_refuses_is_said_and_the_screen_is_true_again(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    deliver(product, f"Hi {word}")
    ben.open(f"Hi {word}")
    problem = json.dumps({"title": "No", "detail": f"Not today, {word}", "code": "conflict", "status": 409})
    answer = {"status": 409, "content_type": "application/problem+json", "body": problem}
    page.route(re.compile(r"/(priority|snooze|labels|assign|claim|status)$"), lambda route: route.fulfill(**answer))
    toast = page.locator("#toasts .toast").filter(has_text=f"Not today, {word}")

    def refused():
        expect(toast.last).to_be_visible()
        page.evaluate("document.querySelector('#toasts').replaceChildren()")

    for key, menu in (("p", "priority"), ("a", "assign")):
        page.keyboard.press(key)
        page.locator(f"#menu-{menu} .menu-item:focus").wait_for()
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        refused()
    expect(ben.row(f"Hi {word}").locator("[data-field=priority]")).to_be_hidden()
    expect(page.locator("[data-field=assignee-name]")).to_have_text("Nobody")
    page.keyboard.press("s")
    page.locator("#menu-snooze .menu-item:focus").wait_for()
    page.keyboard.press("Enter")
    refused()
    expect(page.locator(".thread-title")).to_contain_text("Open")
    page.keyboard.press("e")
    refused()
    expect(ben.row(f"Hi {word}")).to_be_visible()
    assert (
        ben.ask("GET", f"conversations/{ben.row(f'Hi {word}').get_attribute('data-conversation-id')}/")["status"]
        == "open"
    )
