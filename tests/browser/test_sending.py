"""An agent sends what is not plain text: a template while the window is shut, an answer to one message, an SMS."""

from playwright.sync_api import expect

from tests.browser.numbers import numbers
from tests.browser.reading import said


def conversation(agent, channel: str, *, open_window: bool) -> str:
    """One of the demo's on this channel whose window is as wanted."""
    return agent.page.evaluate(
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
    page.goto(f"{product.url}/inbox/{conversation(ben, 'demo-kapso', open_window=False)}")
    page.locator('[data-act="templates"]').first.click()
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
    page.goto(f"{product.url}/inbox/{conversation(ben, 'demo-kapso', open_window=False)}")
    ben.wait_live()
    expect(page.locator("textarea[name=body]")).to_be_hidden()  # no words of one's own now
    page.keyboard.press("r")
    expect(page.get_by_role("button", name="Choose a template").first).to_be_focused()
    page.keyboard.press("Enter")
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
    ben.page.goto(f"{product.url}/inbox/{conversation(ben, 'demo-twilio', open_window=True)}")
    ben.wait_live()
    ben.write(f"On our way {word}")
    ben.wait_status(f"On our way {word}", "delivered")
