"""A person brings a file of contacts in: chooses it, looks over the columns, has it checked, and imports it."""

import itertools
import os

import pytest
from playwright.sync_api import expect

from tests.browser.numbers import numbers

SHOTS = os.environ.get("SHOTS")  # a folder to look at afterwards


@pytest.fixture
def rows():
    return "".join(f"Import {number},+34611{number:06d}\n" for number in itertools.islice(numbers, 3))


def shoot(page, name: str) -> None:
    if SHOTS:
        for width, scheme in ((390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")):
            page.set_viewport_size({"width": width, "height": 844})
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
            page.screenshot(path=f"{SHOTS}/import-{name}-{width}-{scheme}.png", full_page=True)


def test_a_file_is_uploaded_checked_and_imported(product, sign_in, rows):
    page = sign_in("ben").page
    page.goto(f"{product.url}/contacts/import")
    shoot(page, "empty")
    content = f"Full name,Mobile\n{rows}Nobody,123\n".encode()
    page.set_input_files("input[name=file]", {"name": "people.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_label("Mobile")).to_have_value("phone")
    shoot(page, "columns")
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="Checked: nothing is written yet")).to_be_visible()
    expect(page.get_by_text("This is not a phone number.")).to_be_visible()
    shoot(page, "checked")
    page.get_by_role("button", name="Import now").click()
    expect(page.get_by_role("heading", name="Imported", exact=True)).to_be_visible()
    expect(page.locator('[data-count="created_rows"]')).to_have_text("3")
    shoot(page, "done")
