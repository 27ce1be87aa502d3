"""One student more in the exam that the simulator plays. Reads one JSON line, prints one with the token that lets them
in."""

import json
import sys

import django


def main() -> None:
    django.setup()
    from proctoring.models import Enrolment, Exam
    from proctoring.people import Student
    from proctoring.services.grants import TOKEN_HEADER, token_of

    wanted = json.loads(sys.stdin.readline())
    exam = Exam.objects.get(slug="demo-exam")
    enrolment = Enrolment.objects.create(
        workspace_id=exam.workspace_id, exam=exam, external_id=wanted["name"], name=wanted["name"]
    )
    token = token_of(Student(exam_id=exam.pk, external_id=enrolment.external_id))
    sys.stdout.write(json.dumps({"header": TOKEN_HEADER, "token": token}) + "\n")


if __name__ == "__main__":
    main()
