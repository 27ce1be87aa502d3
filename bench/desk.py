"""An agent's page in Chromium: from a press on a row to its thread drawn, and what a frame costs while a thread of a
thousand messages scrolls. Beside each stands the same markup in a page without any script of ours."""

import os
import sys
from typing import Any

import psycopg
from copies import CHROMIUMS, until_login
from processes import ROOT, free_port, plain_environment
from report import Result, Row, median, ms, percentile
from stage import Stage

from config.env import RUN_FILE, shell_file

TITLE = "an agent's page: {switches} switches between conversations, {messages:,} messages scrolled through and back"
SWITCH_MS, FRAME_MS = 100, 12
PERSON = "Hannah Whitlock"  # whose thread is the longest of the demo's
# Her own messages once more, beside those that they were, until there are enough
LENGTHEN = """
insert into inbox_message
select (jsonb_populate_record(m, jsonb_build_object(
    'id', left(m.id::text, 24) || lpad(to_hex((random() * 281474976710655)::bigint), 12, '0'),
    'client_id', null, 'provider_id', '', 'reply_to_id', null
))).*
from inbox_message m join inbox_conversation c on c.id = m.conversation_id join crm_contact p on p.id = c.contact_id,
    generate_series(1, 9)
where p.name = %(person)s and m.direction in ('in', 'out')
limit greatest(0, %(messages)s - (
    select count(*) from inbox_message m join inbox_conversation c on c.id = m.conversation_id
    join crm_contact p on p.id = c.contact_id where p.name = %(person)s
))
"""


def take(stage: Stage) -> Result:
    switches, messages = (10, 400) if stage.quick else (50, 1_000)
    result = Result("desk", TITLE.format(switches=switches, messages=messages))
    chromium = next((path for path in CHROMIUMS if os.access(path, os.X_OK)), None)
    if chromium is None:
        result.skipped = f"there is no Chromium at {CHROMIUMS[0]}"
        return result
    var_dir, port = stage.folder / "copy-desk", free_port()
    environment = plain_environment() | {
        "PORT": str(port),
        "SIMULATOR_PORT": str(free_port()),
        "VAR_DIR": str(var_dir),
        "DEMO": "1",
        "SIMULATOR_CUSTOMERS": "0",
        "PYTHONPATH": str(ROOT),
    }
    copy = stage.start("copy-desk", [sys.executable, "-m", "config.run"], environment=environment, quiet=True)
    until_login(copy, port)
    with psycopg.connect(shell_file(var_dir / RUN_FILE)["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(LENGTHEN, {"person": PERSON, "messages": messages})
    spec = {
        "port": port,
        "switches": switches,
        "messages": messages,
        "person": PERSON,
        "password": "demo-password",
        "chromium": chromium,
    }
    heard = stage.ask("desk", "desk_probe.py", spec, seconds=600, environment=plain_environment())
    stage.stop(copy)
    _tell(result, heard)
    return result


def _tell(result: Result, heard: dict[str, Any]) -> None:
    plain = heard["plain_switch_ms"]
    for name, times in heard["switch_ms"].items():
        figure = percentile(times, 0.95)
        result.rows += [
            Row(
                f"switch to {name}, p95",
                ms(figure),
                ms(percentile(plain, 0.95)),
                f"{figure / percentile(plain, 0.95):.2f}",
                f"< {SWITCH_MS} ms",
                figure < SWITCH_MS,
            ),
            Row(f"switch to {name}, p50", ms(median(times)), ms(median(plain)), f"{median(times) / median(plain):.2f}"),
        ]
    ours, floor = heard["frames_ms"], heard["plain_frames_ms"]
    figure = percentile(ours, 0.95)
    result.rows += [
        Row(
            f"script and layout of a frame while {heard['messages']:,} messages scroll, p95",
            ms(figure),
            ms(percentile(floor, 0.95)),
            f"{figure / percentile(floor, 0.95):.2f}",
            f"< {FRAME_MS} ms",
            figure < FRAME_MS,
        ),
        Row("the same, p50", ms(median(ours)), ms(median(floor)), f"{median(ours) / median(floor):.2f}"),
        Row(
            "between two frames while scrolling, p95",
            ms(percentile(heard["gaps_ms"], 0.95)),
            ms(percentile(heard["plain_gaps_ms"], 0.95)),
        ),
    ]
    result.raw = heard
