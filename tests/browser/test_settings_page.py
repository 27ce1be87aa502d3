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
    expect(key).to_have_value(re.compile(r"^sb_[\w-]{43}$"))
    shoot(ada, "keys")
    go(ada, product, "api-keys")
    row = ada.locator("[data-key-id]", has_text="Assistant of Ada").first
    expect(row).to_have_attribute("data-status", "active")
    row.get_by_role("button", name=re.compile("Revoke")).focus()
    ada.keyboard.press("Enter")
    ada.get_by_role("dialog").get_by_role("button", name="Revoke").press("Enter")
    expect(ada.get_by_role("status").filter(has_text="Key revoked")).to_be_visible()


def test_a_form_that_is_pressed_twice_is_sent_once(ada, product):
    """Of two keys the first would be good, and shown to nobody."""
    go(ada, product, "api-keys")
    ada.get_by_label("Name").fill("Pressed twice")
    sent = ada.evaluate(
        """() => {
            let sent = 0;
            addEventListener("submit", (event) => {
                if (!event.defaultPrevented) sent += 1;
                event.preventDefault(); // the page stays, as it does until the answer comes
            });
            for (let presses = 2; presses; presses -= 1) document.querySelector("button[value=create]").click();
            return sent;
        }"""
    )
    assert sent == 1


def test_every_section_fits_a_phone_in_light_and_dark(ada, product, sign_in):
    here = sign_in("ada")
    macro = here.ask("POST", "macros/", {"name": "Hush", "steps": [{"do": "priority", "value": "low"}]})["id"]
    here.ask("POST", "rules/", {"name": "Quiet", "event": "begun", "macro": macro, "is_on": False})
    schemes = ((390, "light"), (1280, "dark"), (390, "dark"), (1280, "light"))
    for width, scheme in schemes if SHOTS else schemes[:2]:  # the rest is for who looks at them
        ada.set_viewport_size({"width": width, "height": 844})
        ada.emulate_media(color_scheme=scheme)
        for section in (
            "general",
            "members",
            "api-keys",
            "features",
            "audit",
            "profile",
            "webhooks",
            "channels",
            "web-chat",
            "labels",
            "saved-replies",
            "macros",
            "rules",
            "teams",
            "views",
            "notifications",
        ):
            go(ada, product, section)
            for part in (":root", ".page-body"):
                sideways = f"(e => e.scrollWidth - e.clientWidth)(document.querySelector('{part}'))"
                assert ada.evaluate(sideways) <= 0, (section, width, part)
            # Also of what opens: a choice of long words stays within its field
            wider = ada.evaluate(
                """() => {
                    for (const part of document.querySelectorAll("details")) part.open = true;
                    return [...document.querySelectorAll(".field > .input")]
                        .filter((input) => input.offsetWidth > input.parentElement.clientWidth + 1)
                        .map((input) => input.name);
                }"""
            )
            assert wider == [], (section, width)
            shoot(ada, f"{section}-{width}-{scheme}")
            if section == "rules":
                assert ada.locator("[data-rule]").count()
    here.ask("DELETE", f"macros/{macro}/")


def test_the_page_stays_signed_in_without_asking_all_the_time(ada, product):
    """The clock of the browser says when: a minute is nothing, nearly an hour is time."""
    asked = []
    ada.on("request", lambda request: asked.append(request.url) if request.url.endswith("/session/renew") else None)
    ada.clock.install()
    go(ada, product, "general")
    ada.clock.run_for(60_000)
    assert asked == []
    with ada.expect_response("**/session/renew") as renewed:
        ada.clock.run_for(3_600_000)
    assert renewed.value.ok


def test_a_wrong_address_is_said_where_it_was_typed(ada, product):
    go(ada, product, "general")
    ada.get_by_label("Time zone").fill("Moon/Base")
    ada.get_by_role("button", name="Save").press("Enter")
    expect(ada.get_by_label("Time zone")).to_be_focused()
    expect(ada.get_by_text("There is no time zone of this name.")).to_be_visible()


def test_a_webhook_is_added_tried_out_and_paused(ada, product):
    go(ada, product, "webhooks")
    form = ada.locator("form", has=ada.get_by_role("heading", name="Add a webhook"))
    form.get_by_label("What it is for").fill("The CRM of Ada")
    form.get_by_label("Address").fill("http://10.0.0.1/hook")
    form.get_by_role("button", name="Add").press("Enter")
    expect(form.get_by_label("Address")).to_be_focused()
    expect(form.get_by_label("What it is for")).to_have_value("The CRM of Ada")
    form.get_by_label("Address").fill("https://hooks.demo.example/in")
    form.get_by_label("Only these:").check()
    form.get_by_label("message.created").check()
    form.get_by_role("button", name="Add").click()
    secret = ada.get_by_role("textbox", name=re.compile("Secret of"))
    expect(secret).to_have_value(re.compile(r"^whsec_"))
    shoot(ada, "webhooks-secret")
    row = ada.locator("[data-subscription]", has_text="The CRM of Ada")
    row.locator("summary").click()
    shoot(ada, "webhooks-open")
    row.get_by_role("button", name="Send a test").click()
    log = ada.get_by_role("region", name=re.compile("Calls of"))
    expect(log.locator("[data-call]").first).to_contain_text("test.ping")
    shoot(ada, "webhooks-log")
    row.locator("summary").click()
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused")
    row.locator("summary").click()
    row.get_by_role("button", name="Delete").click()
    ada.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_of_one_thing_the_word_for_one_is_said(ada, product):
    said = ada.evaluate(
        """async () => {
            const words = `<i data-word="hits">{n} hits</i><i data-word="hits.1">One hit</i>
                <i data-word="all">{n} all</i>`;
            document.body.insertAdjacentHTML("beforeend", `<template data-words>${words}</template>`);
            const { t } = await import("/static/ui/js/words.js?anew");
            return [t("hits", { n: 1 }), t("hits", { n: 2 }), t("all", { n: 1 })];
        }"""
    )
    assert said == ["One hit", "2 hits", "1 all"]
