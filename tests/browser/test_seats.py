"""That who sits down at a browser finds nothing of who sat there before but what was fetched."""

from tests.browser.seats import Seats

LEAVE = """async () => {
    localStorage.setItem("left", "1");
    sessionStorage.setItem("left", "1");
    document.cookie = "left=1";
    await caches.open("left");
    await new Promise((done) => { indexedDB.open("left").onsuccess = done; });
}"""
FOUND = """async () => [
    ...Object.keys(localStorage), ...Object.keys(sessionStorage), ...await caches.keys(),
    ...(await indexedDB.databases()).map(({ name }) => name), document.cookie.match(/left/)?.[0] ?? "",
    (await navigator.permissions.query({ name: "geolocation" })).state,
].filter(Boolean)"""
FETCHED = "() => performance.getEntriesByType('resource').filter(({ transferSize }) => transferSize).length"


def test_the_next_finds_nothing_of_the_last_but_what_was_fetched(browser, product):
    seats = Seats(browser, product.url)
    page = seats.take()
    context = page.context
    context.grant_permissions(["geolocation"])
    page.goto(f"{product.url}/login")
    before = page.evaluate(FETCHED)
    page.evaluate(LEAVE)
    assert page.evaluate(FOUND) == ["left"] * 5 + ["granted"]
    context.route("**/*", lambda route: route.abort())
    context.set_offline(True)
    seats.give_back(context)

    page = seats.take()
    assert page.context is context
    page.goto(f"{product.url}/login")
    assert page.evaluate(FOUND) == ["prompt"]
    assert page.evaluate(FETCHED) < before / 2
    seats.give_back(context)
    dark = seats.take(color_scheme="dark").context
    assert dark is not context
    for one in (context, dark):
        one.close()


def test_where_a_clock_or_a_function_was_left_nobody_sits_down_again(browser, product):
    seats = Seats(browser, product.url)
    clock, script = seats.take(), seats.take()
    clock.clock.install()
    script.context.expose_function("left", lambda: None)
    used = [clock.context, script.context]
    for context in used:
        seats.give_back(context)
    page = seats.take()
    assert page.context not in used
    for context in used:
        assert context.is_closed()
    page.context.close()
