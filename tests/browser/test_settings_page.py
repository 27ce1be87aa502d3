"""Ada at /settings, in a browser: a key made and revoked, somebody invited, all by keyboard and on a phone."""

import os
import re

import pytest
from playwright.sync_api import expect

SHOTS = os.environ.get("SHOTS")  # a folder to look at afterwards


@pytest.fixture
def ada(sign_in):
    return sign_in("ada").page


def go(page, product, section: str) -> None:
    page.goto(f"{product.url}/settings/{section}")
    expect(page.locator("html[data-ready]")).to_be_attached()


def shoot(page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_a_key_is_made_with_the_keyboard_and_revoked(ada, product):
    go(ada, product, "api-keys")
    ada.get_by_label("Name").focus()
    ada.keyboard.type("Assistant of Ada")
    ada.keyboard.press("Enter")
    key = ada.get_by_role("textbox", name=re.compile("Assistant of Ada"))
    expect(key).to_have_value(re.compile(r"^sb_[\w-]{43}$"), timeout=20_000)
    shoot(ada, "keys")
    go(ada, product, "api-keys")
    row = ada.locator("[data-key-id]", has_text="Assistant of Ada").first
    expect(row).to_have_attribute("data-status", "active")
    row.get_by_role("button", name=re.compile("Revoke")).focus()
    ada.keyboard.press("Enter")
    ada.get_by_role("dialog").get_by_role("button", name="Revoke").press("Enter")
    expect(ada.get_by_role("status").filter(has_text="Key revoked")).to_be_visible(timeout=20_000)


def test_every_section_fits_a_phone_in_light_and_dark(ada, product):
    for width, scheme in ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")):
        ada.set_viewport_size({"width": width, "height": 844})
        ada.emulate_media(color_scheme=scheme)
        for section in ("general", "members", "api-keys", "features", "audit", "profile"):
            go(ada, product, section)
            assert ada.evaluate("document.documentElement.scrollWidth <= innerWidth"), (section, width)
            shoot(ada, f"{section}-{width}-{scheme}")


def test_a_wrong_address_is_said_where_it_was_typed(ada, product):
    go(ada, product, "general")
    ada.get_by_label("Time zone").fill("Moon/Base")
    ada.get_by_role("button", name="Save").press("Enter")
    expect(ada.get_by_label("Time zone")).to_be_focused(timeout=20_000)
    expect(ada.get_by_text("There is no time zone of this name.")).to_be_visible()
