"""Browsers that one after the other sits down at: a fresh one fetches and compiles all that a page is made of."""

from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

STORES = "local_storage,indexeddb,cache_storage,service_workers"
NAMES = "() => Object.getOwnPropertyNames(globalThis).join()"


class Seats:
    """Static files and what was compiled of them stay for the next one, and nothing else."""

    def __init__(self, browser: Browser, origin: str) -> None:
        self._browser = browser
        self._origin = origin
        self._free: dict[str, list[BrowserContext]] = {}
        self._taken: dict[BrowserContext, str] = {}
        self._names = ""  # all that an empty page knows where nobody has brought anything

    def take(self, **options: Any) -> Page:
        """An empty page in a context with these options, which is to be given back."""
        kind = repr(sorted(options.items()))
        page = self._swept(kind)
        if page is None:
            page = self._browser.new_context(**options).new_page()
            self._names = self._names or page.evaluate(NAMES)
        self._taken[page.context] = kind
        return page

    def _swept(self, kind: str) -> Page | None:
        """Init scripts, functions and a clock stay with a context as long as it lives: such a one is not used again."""
        while free := self._free.get(kind):
            context = free.pop()
            page = context.new_page()
            if page.evaluate(NAMES) == self._names:
                sweep = {"origin": self._origin, "storageTypes": STORES}
                context.new_cdp_session(page).send("Storage.clearDataForOrigin", sweep)
                return page
            context.close()
        return None

    def give_back(self, context: BrowserContext) -> None:
        kind = self._taken.pop(context)
        if not context.is_closed():
            for page in context.pages:
                page.close()
            context.unroute_all()
            context.set_offline(False)
            context.clear_permissions()
            context.clear_cookies()
            self._free.setdefault(kind, []).append(context)
