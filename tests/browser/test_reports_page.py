"""An agent at /reports: a filter changes what is counted without loading the page anew, and a phone scrolls one way."""

import re

from playwright.sync_api import expect

SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"


def test_a_filter_changes_the_numbers_and_a_phone_scrolls_one_way(sign_in):
    page = sign_in("ben", path="/reports?period=90").page
    begun = page.locator('[data-figure="conversations"]')
    of_all = begun.inner_text()  # of the demo's channels the web chat has the fewest by far
    page.evaluate("window.stays = true")
    page.locator('[data-chip="channel"]').click()
    page.locator("#menu-channel a[href*='demo-widget']").click()
    expect(page.locator('[data-chip="channel"]')).to_have_attribute("aria-pressed", "true")
    expect(begun).not_to_have_text(of_all)
    expect(page).to_have_url(re.compile("period=90.*channel=demo-widget"))
    expect(page.locator('[data-part="export"]')).to_have_attribute("href", re.compile("report.csv.*demo-widget"))
    page.locator('[data-chip="period-7"]').click()
    expect(page.locator('[data-chip="period-7"]')).to_have_attribute("aria-current", "true")
    assert page.evaluate("window.stays")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate(SIDEWAYS) <= 0
