"""A process of its own for tests of real workers: makes a workspace, uploads a file of so many contacts and starts the
import. `python -m tests.crm.import_scene <rows>`."""

import io
import os
import sys

import django

django.setup()

from crm.services.imports import start_run, upload_import  # noqa: E402  # apps must be loaded first
from tests.cast import make_cast  # noqa: E402


def main(rows: int) -> None:
    cast = make_cast()
    actor = cast.actor(cast.ben)
    lines = "".join(f"Row {row},+34600{row:06d},row{row}@mail.example\n" for row in range(rows))
    content = f"Name,Phone,E-Mail\n{lines}".encode()
    made = upload_import(actor=actor, content=io.BytesIO(content), size=len(content), name="people.csv")
    start_run(actor=actor, import_id=made.pk)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
