"""Saved replies and macros from the composer, and where they are written."""

import re

from playwright.sync_api import expect

from tests.browser.numbers import numbers
from tests.browser.reading import read_above


def open_settings(agent, product, section):
    agent.page.goto(f"{product.url}/settings/{section}")
    expect(agent.page.locator("html[data-ready]")).to_be_attached()


def test_a_saved_reply_is_written_in_settings_and_inserted_by_its_shortcut(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    open_settings(ben, product, "saved-replies")
    form = page.get_by_role("form", name="New saved reply")
    form.get_by_label("Shortcut").fill(word)
    form.get_by_label("Title").fill("Greeting")
    form.get_by_label("Text").fill("Hello {{contact.first_name|there}}, this is {{agent.first_name}}.")
    form.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()

    product.deliver(f"Hi {word}", number=f"62814{next(numbers):07d}", name="Dewi Lestari")
    page.goto(f"{product.url}/inbox")
    ben.wait_live()
    ben.open(f"Hi {word}")
    body = page.locator("textarea[name=body]")
    body.focus()
    page.keyboard.type(f"/{word}")
    option = page.get_by_role("option", name=re.compile(word))
    expect(option).to_contain_text("Hello {{contact.first_name|there}}")
    page.keyboard.press("Enter")
    expect(body).to_have_value("Hello Dewi, this is Ben.")
    # Not offered to the tests that come after
    (reply,) = [one for one in ben.ask("GET", "saved-replies/")["results"] if one["shortcut"] == word]
    ben.ask("DELETE", f"saved-replies/{reply['id']}/")


def test_a_macro_says_what_it_will_do_and_does_all_of_it(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    label = ben.ask("POST", "labels/", {"name": f"label{word}"})
    open_settings(ben, product, "macros")
    form = page.get_by_role("form", name="New macro")
    form.get_by_label("Name").fill(f"Macro {word}")
    form.get_by_label("Step 1", exact=True).select_option(label="Write: Send this text")
    form.get_by_label("Text of step 1").fill(f"Done for you {word}, {{{{contact.first_name}}}}")
    form.get_by_label("Step 2", exact=True).select_option(label="Priority: High")
    form.get_by_label("Step 3", exact=True).select_option(label="Assign to: Whoever runs it")
    expect(form.get_by_label("Step 5", exact=True)).to_be_hidden()  # until the one before it is something
    form.get_by_label("Step 4", exact=True).select_option(label=f"Label: {label['name']}")
    form.get_by_label("Step 5", exact=True).select_option(label="Status: Pending")
    expect(form.get_by_role("textbox", name=re.compile("Text of step"))).to_have_count(1)
    form.get_by_role("button", name="Save").press("Enter")
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()

    product.deliver(f"Hi {word}", number=f"62814{next(numbers):07d}", name="Dewi Lestari")
    page.goto(f"{product.url}/inbox")
    ben.wait_live()
    ben.open(f"Hi {word}")
    page.keyboard.press("m")
    page.get_by_role("menuitem", name=f"Macro {word}").click()
    dialog = page.get_by_role("dialog", name=re.compile("Run"))
    expect(dialog).to_contain_text(f"Done for you {word}, Dewi")
    for step in ("High", label["name"], "Pending"):
        expect(dialog).to_contain_text(step)
    dialog.get_by_role("button", name="Run").click()
    ben.wait_status(f"Done for you {word}, Dewi", "sent")
    expect(page.locator("[data-field=assignee-name]")).to_contain_text("Ben")
    expect(page.locator(".thread-title")).to_contain_text("Pending")
    expect(page.locator(".person [data-field=labels]")).to_contain_text(label["name"])
    ben.ask("DELETE", f"labels/{label['id']}/")


def test_what_arrived_while_one_wrote_is_shown_before_the_reply_leaves(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    number = f"62814{next(numbers):07d}"
    for count in range(6):
        product.deliver(f"Part {count} {word}" + "\nand more" * 12, number=number)
    ben.open(f"Part 5 {word}")
    # What comes is not seen
    read_above(page)
    product.deliver(f"Wait, {word}", number=number)
    expect(ben.row(f"Wait, {word}")).to_be_visible()
    page.locator("textarea[name=body]").fill(f"Too late {word}")
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog", name=re.compile("arrived"))
    expect(dialog).to_contain_text(f"Wait, {word}")
    expect(dialog).to_contain_text(f"Too late {word}")
    assert product.accepted(f"Too late {word}") == []
    dialog.get_by_role("button", name="Send anyway").click()
    ben.wait_status(f"Too late {word}", "sent")
