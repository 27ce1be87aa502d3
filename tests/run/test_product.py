"""The real thing, as `make run` starts it: from nothing to the sign-in page and back, then once more."""

import urllib.request

from tests.waiting import wait_for


def _page(port: int, path: str) -> tuple[int, str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.status, answer.read().decode()


def test_a_fresh_copy_comes_up_ends_and_comes_up_again_without_preparing(start):
    copy = start("config.run").wait_until_up(seconds=240)
    status, page = _page(copy.port, "/login")
    assert status == 200
    assert "password" in page
    assert "prepare" in copy.printed
    wait_for(lambda: sum("celery" in process for process in copy.alive()) == 2)
    assert copy.end() == 0
    assert copy.alive() == []

    again = start("config.run").wait_until_up(seconds=240)
    assert "prepare" not in again.printed
    assert _page(again.port, "/login")[0] == 200
    assert again.end() == 0
    assert again.alive() == []
