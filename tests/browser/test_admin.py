"""Django admin in a browser: its first page and three lists, light and dark, under its own policy."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import PASSWORD, Product

PLACES = ("/admin/", "/admin/crm/contact/", "/admin/jobs/job/", "/admin/inbox/message/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_first_page_and_three_lists_open(browser: Browser, product: Product, tmp_path: Path, scheme: Any):
    make_admin(product)
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, color_scheme=scheme)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.goto(f"{product.url}/login?next=/admin/")
    page.fill("input[name=email]", "ada@demo.example")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{product.url}/admin/")
    for number, place in enumerate(PLACES):
        answer = page.goto(f"{product.url}{place}")
        assert answer is not None
        assert answer.status == 200
        page.locator("#content, #main, main").first.wait_for()
        page.screenshot(path=tmp_path / f"{scheme}-{number}.png")
    context.close()
    assert errors == []


def make_admin(product: Product) -> None:
    """As the operator does it, at the command line of the running copy."""
    subprocess.run(
        [sys.executable, "manage.py", "grant_role", "ada@demo.example", "admin"],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(product.copy.var_dir)},
        check=True,
        timeout=60,
    )
