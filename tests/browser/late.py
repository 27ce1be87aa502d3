"""An answer that comes late: got from the server when the test says so, given to the page when it says so."""

import re
from typing import Any

from playwright.sync_api import APIResponse, Page, Route

PATIENT = (
    "AbortSignal.timeout = () => new AbortController().signal"  # the page does not give up while a test takes its time
)


class Late:
    """Of the first question at that address (a pattern); the others are answered as always."""

    def __init__(self, page: Page, address: str) -> None:
        self._page = page
        self._route: Route | None = None
        self._answer: APIResponse | None = None
        page.add_init_script(PATIENT)
        page.evaluate(PATIENT)
        page.route(re.compile(address), self._asked)

    def _asked(self, route: Route) -> None:
        if self._route is None:
            self._route = route
        else:
            route.fallback()

    def get(self) -> Any:
        """What the server says now, as JSON, and what the page will hear in the end."""
        while self._route is None:
            self._page.wait_for_timeout(10)
        self._answer = self._route.fetch()
        return self._answer.json()

    def give(self) -> None:
        """The page has taken it in when this is over."""
        route, answer = self._route, self._answer
        assert route
        assert answer
        with self._page.expect_event("requestfinished", lambda request: request.url == route.request.url):
            route.fulfill(response=answer)
        self._page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
