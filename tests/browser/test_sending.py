"""An agent sends what is not plain text: a template while the window is shut, an answer to one message, an SMS."""

from playwright.sync_api import Page, expect

from tests.browser.numbers import numbers
from tests.browser.reading import said


def conversation(page: Page, channel: str, *, open_window: bool) -> str:
    """One of the demo's on this channel whose window is as wanted."""
    return page.evaluate(
        """async ([channel, open]) => {
            let address = `/api/v1/workspaces/demo/conversations/?channel=${channel}&limit=100`;
            while (address) {
                const { results, next } = await (await fetch(address)).json();
                const found = results.find(one => one.window.open === open);
                if (found) return found.id;
                address = next;
            }
        }""",
        [channel, open_window],
    )


def test_a_template_is_chosen_filled_and_sent_while_the_window_is_shut(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    page.goto(f"{product.url}/inbox/{conversation(page, 'demo-kapso', open_window=False)}")
    page.locator(".template-grid .menu-item").filter(has_text="order_confirmation").click()
    expect(page.locator('form[name=template] [type="submit"]')).to_be_disabled()
    page.locator('input[name="body.customer_name"]').fill(word)
    page.locator('input[name="body.order_number"]').fill("ORD-7")
    expect(page.locator(".template-preview")).to_have_text(f"Thank you, {word}. Your order ORD-7 is confirmed.")
    page.locator('form[name=template] [type="submit"]').click()

    ben.wait_status(word, "read")
    expect(page.locator('[data-part="templates"]')).to_be_hidden()
    expect(ben.bubble(word)).to_have_count(1)


def test_a_template_asks_for_its_heading_and_button_too_and_shows_all_of_it(product, sign_in, word):
    ben = sign_in("ben")
    page = ben.page
    page.goto(f"{product.url}/inbox/{conversation(page, 'demo-kapso', open_window=False)}")
    ben.wait_live()
    expect(page.locator("textarea[name=body]")).to_be_hidden()  # no words of one's own now
    page.keyboard.press("r")
    page.locator(".template-grid .menu-item").filter(has_text="exam_results").click()
    form, preview = page.locator("form[name=template]"), page.locator(".template-preview")
    for label, value in (("Heading: Blank 1", f"the test {word}"), ("Blank 2", "17"), ("Blank 3", "20")):
        form.get_by_label(said(label)).fill(value)
    form.locator("input[name='body.1']").fill("Sam")
    expect(preview).to_have_text(f"Results of the test {word}\nSam, you have 17 of 20 points.")
    expect(form.locator('[type="submit"]')).to_be_disabled()
    link = form.get_by_label(said("Button: See details"))
    expect(link).to_have_attribute("placeholder", "42")  # the end of the address alone
    link.fill(word)
    buttons = form.get_by_role("list", name="Buttons")
    expect(buttons).to_contain_text(f"https://school.example/results/{word}")
    expect(buttons).to_contain_text("Call me")
    form.locator('[type="submit"]').click()

    # The provider refuses one with a blank too few or too many
    ben.wait_status(f"Results of the test {word}", "read")


def test_templates_stand_where_one_writes_for_as_long_as_the_window_is_shut(product, sign_in, word, number):
    ben = sign_in("ben")
    page, press = ben.page, ben.page.keyboard.press
    picker, body = page.locator(".template-grid"), page.locator("textarea[name=body]")
    product.deliver(f"Long ago {word}", number=number)
    product.deliver(f"Now {word}", number=f"62826{next(numbers):07d}")
    ben.row(f"Long ago {word}").wait_for()
    pk = ben.row(f"Long ago {word}").get_attribute("data-conversation-id")
    product._sql(f"update inbox_conversation set last_inbound_at = now() - interval '2 days' where id = '{pk}'")
    page.reload()
    ben.wait_live()
    ben.row(f"Long ago {word}").focus()
    press("Enter")
    expect(picker).to_be_visible()
    expect(body).to_be_hidden()
    assert not page.evaluate("document.activeElement.closest('[data-part=templates]')")  # whoever reads is left alone
    press("r")
    expect(picker.locator("input").first).to_be_focused()

    # Put away, they leave a button; a note, and another thread, have their own place
    press("Escape")
    expect(picker).to_be_hidden()
    expect(page.get_by_role("button", name="Choose a template").first).to_be_focused()
    press("Enter")
    expect(picker.locator("input").first).to_be_focused()
    page.get_by_text("Note", exact=True).first.click()
    expect(picker).to_be_hidden()
    expect(body).to_be_focused()
    page.get_by_role("radio", name="Reply").check(force=True)
    expect(picker).to_be_visible()
    ben.open(f"Now {word}")
    expect(picker).to_be_hidden()
    ben.row(f"Long ago {word}").click()
    expect(picker).to_be_visible()

    # The customer writes, and one can answer
    product.deliver(f"Again {word}", number=number)
    expect(ben.bubble(f"Again {word}")).to_be_visible()
    expect(picker).to_be_hidden()
    expect(body).to_be_visible()


def test_a_reply_quotes_the_message_it_answers(product, sign_in, word):
    ben = sign_in("ben")
    product.deliver(f"Which hour {word}?", number=f"628121{next(numbers):06d}")
    ben.open(word)
    ben.bubble(word).hover()
    ben.page.get_by_role("button", name="Reply to this").click()
    expect(ben.page.locator(".composer-quote")).to_contain_text(f"Which hour {word}?")
    ben.write(f"At nine {word}")
    ben.wait_status(f"At nine {word}", "sent")

    expect(ben.bubble(f"At nine {word}").locator(".quote")).to_contain_text(f"Which hour {word}?")
    expect(ben.page.locator(".composer-quote")).to_be_hidden()
    (sent,) = product.accepted(f"At nine {word}")
    assert sent["reply_to"].startswith("wamid.")


def test_an_sms_leaves_through_twilio(product, sign_in, word):
    ben = sign_in("ben")
    ben.page.goto(f"{product.url}/inbox/{conversation(ben.page, 'demo-twilio', open_window=True)}")
    ben.wait_live()
    ben.write(f"On our way {word}")
    ben.wait_status(f"On our way {word}", "delivered")
