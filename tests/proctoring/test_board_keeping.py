"""Those who look after a board: what they may, and what the class sees of it."""

import json
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from config.live.events import events_after
from config.live.topics import may_listen
from crm.models import AuditEntry
from proctoring.api import boards as boards_api
from proctoring.models import BoardSnapshot, Leaderboard, LeaderboardEntry, LeaderboardTally
from proctoring.queries.boards import players_of, rank_of
from proctoring.services import boards
from tests.api import Api
from tests.cast import unique
from tests.proctoring.scene import Scene, make_scene
from tests.proctoring.test_leaderboard import push, shown


@pytest.fixture
def scene() -> Scene:
    return make_scene()


@pytest.fixture
def board(scene: Scene) -> Leaderboard:
    return Leaderboard.objects.create(
        workspace=scene.cast.workspace, quiz_code=unique("KIDS"), name="Kids", exam_id=scene.exam.slug
    )


def kept(scene: Scene, board: Leaderboard, path: str = "") -> str:
    return f"/api/v1/workspaces/{scene.cast.workspace.slug}/boards/{board.quiz_code}/{path}"


def entry(board: Leaderboard, nickname: str) -> LeaderboardEntry:
    return LeaderboardEntry.objects.get(board=board, nickname=nickname)


def names(board: Leaderboard) -> list[str]:
    return [row["nickname"] for row in shown(board)["results"]]


def test_the_exams_tutor_looks_after_its_board_and_strangers_find_none(scene, board):
    assert Api(scene.cast.tia).get(kept(scene, board)).json()["quiz_code"] == board.quiz_code
    assert Api(scene.cast.ada).get(kept(scene, board)).status_code == 200
    for stranger in (scene.cast.cleo, scene.cast.vic, scene.cast.ben, scene.cast.sam):
        assert Api(stranger).get(kept(scene, board)).status_code == 404
        assert Api(stranger).patch(kept(scene, board), {"is_open": False}).status_code == 404
    assert Api().get(kept(scene, board)).status_code == 401
    elsewhere = Leaderboard.objects.create(workspace=scene.cast.workspace, quiz_code=unique("OTHER"))
    assert Api(scene.cast.tia).get(kept(scene, elsewhere)).status_code == 404


def test_a_name_that_was_changed_stays_whatever_is_pushed(scene, board):
    push(board, 7, "Real Name", submission_id="one")
    path = kept(scene, board, f"entries/{entry(board, 'Real Name').pk}/")
    assert Api(scene.cast.tia).patch(path, {"nickname": "fuck"}).json()["code"] == "nickname_refused"
    assert Api(scene.cast.tia).patch(path, {"nickname": "Brave Otter"}).json()["is_renamed"]
    push(board, 8, "Real Name", submission_id="one", correction_id=unique("fix"))
    (row,) = shown(board)["results"]
    assert (row["nickname"], row["score"], row["revision"]) == ("Brave Otter", 8, 2)
    told = [event.data.get("nickname") for event in events_after(shown(board)["live"]["topic"], 0)]
    assert told == ["Real Name", "Brave Otter", "Brave Otter"]
    assert AuditEntry.objects.filter(action="leaderboard.entry_renamed", target_id=board.pk).exists()


def test_a_hidden_entry_counts_for_nothing_until_it_is_shown_again(scene, board):
    for score, name in ((9, "A1"), (8, "B2"), (7, "C3")):
        push(board, score, name)
    path = kept(scene, board, f"entries/{entry(board, 'B2').pk}/")
    assert Api(scene.cast.tia).patch(path, {"is_hidden": True}).status_code == 200
    assert [(row["rank"], row["nickname"]) for row in shown(board)["results"]] == [(1, "A1"), (2, "C3")]
    assert shown(board)["players"] == 2
    assert events_after(shown(board)["live"]["topic"], 3)[0].data == {"id": str(entry(board, "B2").pk), "deleted": True}
    Api(scene.cast.tia).patch(path, {"is_hidden": False})
    assert names(board) == ["A1", "B2", "C3"]


def test_closing_keeps_how_it_ended_once(scene, board):
    push(board, 7, "Zoë")
    for _ in range(2):
        assert Api(scene.cast.tia).patch(kept(scene, board), {"is_open": False}).json()["closed_at"]
    (snapshot,) = BoardSnapshot.objects.filter(board=board)
    assert (snapshot.players, snapshot.rows[0]["nickname"]) == (1, "Zoë")
    assert not shown(board)["is_open"]
    (listed,) = Api(scene.cast.tia).get(kept(scene, board, "snapshots/")).json()["results"]
    assert listed["rows"][0]["score"] == 7


def test_a_hidden_board_is_not_there(scene, board):
    Api(scene.cast.tia).patch(kept(scene, board), {"is_hidden": True})
    assert Api().get(f"/api/v1/leaderboards/{board.quiz_code}").status_code == 404
    assert Api().get(f"/leaderboard/{board.quiz_code}").status_code == 404
    assert not may_listen(None, f"leaderboard.{board.quiz_code}")


def test_a_private_board_opens_by_its_code_alone(scene, board):
    push(board, 7, "Zoë")
    Api(scene.cast.tia).patch(kept(scene, board), {"join_code": "MOON42"})
    path = f"/api/v1/leaderboards/{board.quiz_code}"
    assert Api().get(path).json()["code"] == "board_code_needed"
    assert Api().post(f"{path}/join", {"code": "SUN42"}).json()["code"] == "wrong_board_code"
    joined = Api().post(f"{path}/join", {"code": " moon42 "}).json()
    body = Api().get(path, key=joined["key"]).json()
    assert body["results"][0]["nickname"] == "Zoë"
    assert body["live"]["topic"] == joined["topic"]
    assert may_listen(None, joined["topic"])
    assert not may_listen(None, f"leaderboard.{board.quiz_code}")
    page = Api().get(f"/leaderboard/{board.quiz_code}")
    assert page.status_code == 403
    assert b"Zo\xc3\xab" not in page.content
    Api(scene.cast.tia).patch(kept(scene, board), {"join_code": "NEW123"})
    assert Api().get(path, key=joined["key"]).status_code == 403
    assert not may_listen(None, joined["topic"])


def test_the_table_for_spreadsheets_holds_no_formula(scene, board):
    push(board, 7, "=1+1")
    content = Api(scene.cast.tia).get(kept(scene, board, "export.csv")).content.decode()
    assert "'=1+1" in content
    assert content.splitlines()[0].lstrip("\ufeff").startswith("rank,nickname,score")


def tries(board, address):
    """What comes of a wrong code, from an address of one's own."""
    guess = {"code": "GUESS"}
    path = f"/api/v1/leaderboards/{board.quiz_code}/join"
    return Client(REMOTE_ADDR=address).post(path, guess, content_type="application/json")


def addresses():
    """Of networks that nobody else counts by."""
    word = uuid4().hex
    return (f"2001:db8:{word[:4]}:{number:x}::1" for number in range(1, 1000))


def test_codes_are_not_guessed_from_one_address(scene, board, monkeypatch):
    monkeypatch.setattr(boards_api, "TRIES_OF_ADDRESS", 4)
    Api(scene.cast.tia).patch(kept(scene, board), {"join_code": "MOON42"})
    one, other = islice(addresses(), 2)
    answers = [tries(board, one) for _ in range(9)]  # two windows at most
    assert [answer.status_code for answer in answers[:4]] == [403] * 4
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert tries(board, other).json()["code"] == "wrong_board_code"


def test_codes_are_not_guessed_at_one_board_from_everywhere(scene, board, monkeypatch):
    monkeypatch.setattr(boards_api, "TRIES_OF_BOARD", 4)
    Api(scene.cast.tia).patch(kept(scene, board), {"join_code": "MOON42"})
    assert 429 in [tries(board, address).status_code for address in islice(addresses(), 9)]
    other = Leaderboard.objects.create(workspace=board.workspace, quiz_code=unique("KIDS"), join_code="SUN42")
    assert tries(other, next(addresses())).status_code == 403


def test_tallies_follow_every_change(board):
    for number in range(40):
        push(board, (number * 7) % 9 + 0.125, f"N{number}")
    rows = list(LeaderboardEntry.objects.filter(board=board))
    rows[3].delete()
    LeaderboardEntry.objects.filter(pk=rows[4].pk).update(is_hidden=True)
    LeaderboardEntry.objects.filter(pk=rows[5].pk).update(score=10)
    left = LeaderboardEntry.objects.filter(board=board, is_hidden=False)
    assert players_of(board.pk) == left.count() == 38
    for row in left:
        assert rank_of(row) == left.filter(score__gt=row.score).count() + 1
    assert not LeaderboardTally.objects.filter(board_id=board.pk, count__lt=0).exists()


def test_the_highest_scores_there_can_be_have_their_ranks(board):
    most = 999_999_999.999
    for number, score in enumerate((most - 1.5, most, 2_147_484, most)):
        push(board, score, f"N{number}", max_score=Decimal(str(most)))
    assert [(row["rank"], row["nickname"]) for row in shown(board, me="N2")["results"]] == [
        (1, "N1"),
        (1, "N3"),
        (3, "N0"),
        (4, "N2"),
    ]
    assert [rank_of(entry(board, name)) for name in ("N0", "N1", "N2")] == [3, 1, 4]


def test_what_is_too_old_goes(board):
    push(board, 7, "old")
    LeaderboardEntry.objects.filter(board=board).update(created_at="2020-01-01T00:00:00Z")
    push(board, 8, "new")
    for taken_at in ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z"):
        snapshot = BoardSnapshot.objects.create(workspace=board.workspace, board=board, players=1)
        BoardSnapshot.objects.filter(pk=snapshot.pk).update(taken_at=taken_at)
    boards.forget_old()
    assert names(board) == ["new"]
    assert players_of(board.pk) == 1
    assert [one.taken_at.year for one in BoardSnapshot.objects.filter(board=board)] == [2099]


def test_a_rude_name_is_replaced_and_the_score_stays(board):
    for name in ("fuck you", "f\u200bu\u200bck", "sh1t", "hijo de puta", "kontol", "شرموطة"):
        push(board, 5, name)
    rows: list[dict[str, Any]] = shown(board)["results"]
    assert len(rows) == 6
    assert not any("\u200b" in row["nickname"] for row in rows)
    assert not any(
        word in json.dumps(rows, ensure_ascii=False) for word in ("fuck", "sh1t", "puta", "kontol", "شرموطة")
    )


def test_offered_names_are_fine_and_nobodys(board):
    path = f"/api/v1/leaderboards/{board.quiz_code}/nicknames"
    for language in ("en", "es", "id", "ar"):
        offered = Api().get(path, language=language, count=10).json()["results"]
        assert len(set(offered)) == 10
        assert all(Api().get(path, nickname=name).json()["is_fine"] for name in offered[:2])
    assert Api().get(path, nickname="<b>x</b>").json()["is_fine"] is False
    assert Api().get(path, language="xx").status_code == 400


def test_ones_own_place_comes_with_its_neighbours(board):
    for number in range(9):
        push(board, number, f"N{number}")
    place = shown(board, limit=2, me="n3")["me"]
    assert (place["row"]["rank"], [row["rank"] for row in place["before"]]) == (6, [4, 5])
    assert [row["nickname"] for row in place["after"]] == ["N2", "N1"]
    assert shown(board, me="nobody")["me"] is None


def test_only_the_embedded_page_may_stand_in_a_frame(board):
    plain, framed = (Api().get(f"/leaderboard/{board.quiz_code}", **query) for query in ({}, {"embed": "1"}))
    assert "frame-ancestors 'none'" in plain["Content-Security-Policy"]
    assert plain["X-Frame-Options"] == "DENY"
    assert "frame-ancestors *" in framed["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed
    module = Api().get("/leaderboard.js")
    assert module["Access-Control-Allow-Origin"] == "*"


def test_tutors_look_after_their_boards_in_the_settings(scene, board):
    push(board, 7, "Zoë")
    client = Api(scene.cast.tia)
    page = client.get("/settings/boards", workspace=scene.cast.workspace.slug)
    assert page.status_code == 200
    assert board.quiz_code in page.content.decode()
    assert "Zoë" in page.content.decode()
