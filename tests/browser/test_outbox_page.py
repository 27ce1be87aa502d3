"""An admin at /outbox: what failed shows with its reason, and Retry makes it go."""

import re
import urllib.error
import urllib.request

from playwright.sync_api import expect

from webhooks.kapso.signature import kapso_signature

# The page looks by itself every fifteen seconds; by a clock that stands it never does, and shows what it is told
CLOCK_STANDS = "const now = Date.now(); Date.now = () => now"


def refused_send(product, sign_in, word, number):
    """Ben's message that the provider turned down."""
    ben = sign_in("ben")
    product.deliver(f"Hi {word}", number=number)
    ben.open(word)
    product.simulator("behaviour", {"fail": "code", "code": 131026, "next_n": 1})
    ben.write(f"Refused {word}")
    ben.wait_status(f"Refused {word}", "failed")
    return ben, ben.bubble(f"Refused {word}").get_attribute("data-message-id")


def deliver_broken(product, key: str) -> int:
    """The provider's signature over what the provider would not send."""
    body = b'{"message": {"id": '
    headers = {
        "Content-Type": "application/json",
        "X-Webhook-Event": "whatsapp.message.received",
        "X-Webhook-Signature": kapso_signature("demo-kapso-secret", body),
        "X-Idempotency-Key": key,
    }
    request = urllib.request.Request(f"{product.url}/webhooks/kapso/demo-kapso", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_a_failed_send_shows_its_reason_and_retry_makes_it_go(product, sign_in, word, number):
    ben, message_id = refused_send(product, sign_in, word, number)
    ada = sign_in("ada", path="/outbox")
    row = ada.page.locator("[data-row]").filter(has_text=f"send:{message_id}:0")
    expect(row).to_contain_text("It cannot be delivered")
    expect(row).to_contain_text("131026")
    row.locator("[data-toggle]").click()
    detail = ada.page.locator("[data-detail]")
    expect(detail.locator("ol")).to_contain_text("131026")
    expect(detail.get_by_role("link", name="Open conversation")).to_have_attribute("href", re.compile("/inbox/"))
    row.get_by_role("button", name="Retry").click()
    ben.wait_status(f"Refused {word}", "read")
    expect(row).to_contain_text("Another try took its place")  # stays while it is open
    assert len(product.accepted(f"Refused {word}")) == 1


def test_a_failure_shows_by_itself_and_in_the_rail(product, sign_in, word, number):
    ada = sign_in("ada", path="/outbox")
    ada.page.evaluate(CLOCK_STANDS)
    before = int(ada.page.locator("[data-failed]").get_attribute("data-failed"))
    _, message_id = refused_send(product, sign_in, word, number)
    expect(ada.page.locator("[data-row]").filter(has_text=f"send:{message_id}:0")).to_be_visible()
    expect(ada.page.locator('[data-rail="failed-count"]')).to_have_text(str(before + 1))
    ada.page.locator("[data-row]").filter(has_text=message_id).locator("[data-toggle]").click()
    ada.page.get_by_role("button", name="Dismiss").click()
    row = ada.page.locator("[data-row]").filter(has_text=message_id)
    expect(row).to_have_attribute("data-state", "dismissed")
    row.locator("[data-toggle]").click()  # stays while it is open
    expect(row).to_have_count(0)


def test_a_broken_delivery_is_there_with_its_reason(product, sign_in, word):
    ada = sign_in("ada", path="/outbox?tab=deliveries")
    ada.page.evaluate(CLOCK_STANDS)
    assert deliver_broken(product, word) == 400
    failed = ada.page.locator('[data-row][data-state="failed"]').first
    expect(failed).to_be_visible()
    ada.page.set_viewport_size({"width": 390, "height": 844})
    button = failed.get_by_role("button", name="Replay").bounding_box()
    assert button["x"] + button["width"] <= 390  # on a phone too, without moving the table
    ada.page.set_viewport_size({"width": 1440, "height": 900})
    failed.locator("[data-toggle]").click()
    detail = ada.page.locator("[data-detail]")
    expect(detail.get_by_label("Body")).to_contain_text('{"message": {"id":')
    detail.get_by_role("button", name="Replay").click()
    expect(detail).to_contain_text("read anew once")
    expect(ada.page.locator('[data-row][data-state="failed"]').first).to_be_visible()


def test_keys_move_open_and_search(product, sign_in, word, number):
    product.deliver(f"Hi {word}", number=number)
    product.wait_until_idle()  # the newest of the completed stays the first
    ada = sign_in("ada", path="/outbox?status=completed")
    first = ada.page.locator("[data-item]").first
    first.wait_for()
    ada.page.keyboard.press("j")
    expect(first).to_be_focused()
    ada.page.keyboard.press("Enter")
    expect(ada.page.locator("[data-detail]")).to_have_count(1)
    expect(first).to_be_focused()
    ada.page.keyboard.press("/")
    ada.page.keyboard.type("no-such-key")
    expect(ada.page.get_by_text("Nothing fits")).to_be_visible()
    ada.page.get_by_role("link", name="Clear the filter").click()
    expect(ada.page.locator("input[name=search]")).to_have_value("")


def test_without_sockets_it_looks_again_by_itself(product, sign_in, browser, word):
    ada = sign_in("ada", path="/outbox")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, storage_state=ada.context.storage_state())
    page = context.new_page()
    page.route_web_socket(re.compile("/ws/live"), lambda socket: socket.close())
    page.goto(f"{product.url}/outbox?tab=deliveries&search={word}")
    expect(page.locator("[data-row]")).to_have_count(0)
    assert deliver_broken(product, word) == 400
    expect(page.locator("[data-row]")).to_have_count(1)
    context.close()


def test_on_a_phone_nothing_runs_over_the_edge(product, sign_in, word, number):
    refused_send(product, sign_in, word, number)
    ada = sign_in("ada", path="/outbox")
    ada.page.set_viewport_size({"width": 375, "height": 800})
    row = ada.page.locator("[data-row]").first
    row.locator("[data-toggle]").click()
    ada.page.locator("[data-detail]").wait_for()
    expect(row).to_contain_text("It cannot be delivered")
    wide = ada.page.evaluate(
        "document.querySelector('.page-body').scrollWidth - document.querySelector('.page-body').clientWidth"
    )
    assert wide <= 0
    assert (
        ada.page.evaluate(
            "document.querySelector('.table-wrap').scrollWidth - document.querySelector('.table-wrap').clientWidth"
        )
        <= 0
    )


def test_an_agent_is_told_that_it_is_not_for_them(product, sign_in):
    ben = sign_in("ben")
    answer = ben.page.goto(f"{product.url}/outbox")
    assert answer.status == 403
    expect(ben.page.get_by_role("heading", name="Not allowed")).to_be_visible()
