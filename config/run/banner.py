"""What is printed once the web answers: the address, the sign-ins, what else is there."""

import os

DEMO_PASSWORD = "demo-password"  # noqa: S105 - published on purpose; DEMO is refused where others can reach it
SIGN_INS = (
    ("ada@demo.example", "owner of workspace demo"),
    ("ben@demo.example", "agent"),
    ("bea@demo.example", "agent"),
    ("tia@demo.example", "tutor of demo-exam"),
    ("vic@demo.example", "viewer: reads, writes nothing"),
    ("sam@demo.example", "student"),
    ("sue@demo.example", "student"),
    ("cleo@demo.example", "owner of workspace elsewhere"),
)


def banner(address: str, seconds: float, *, demo: bool) -> str:
    lines = ["", f"Switchboard is at {address} (ready in {seconds:.1f} s)", ""]
    if demo:
        lines += [f"  {email:<20} {role}" for email, role in SIGN_INS]
        lines += ["", f"  Password of all: {DEMO_PASSWORD}"]
        lines += [f"  Provider simulator: http://127.0.0.1:{os.environ['SIMULATOR_PORT']}"]
    lines += ["  Commands beside it: .venv/bin/python manage.py <command>", "", "Ctrl-C ends all of it.", ""]
    return "\n".join(lines) + "\n"
