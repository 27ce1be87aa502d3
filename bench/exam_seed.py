"""An exam with its students, put into the product's tables by its own models: everybody has started and is beating."""

import json
import sys
from datetime import timedelta

import django


def main() -> None:
    django.setup()
    from django.utils import timezone

    from crm.models import Member, User, UserIdentity, Workspace
    from proctoring.models import Enrolment, Exam, ExamSession, ExamTutor, SessionPulse

    wanted = json.loads(sys.stdin.readline())
    workspace = Workspace.objects.get(slug="bench")
    exam = Exam.objects.create(workspace=workspace, slug="bench-exam", title="Bench", question_count=1000)
    tutor = Member.objects.get(workspace=workspace)
    Member.objects.filter(pk=tutor.pk).update(role="tutor")
    ExamTutor.objects.create(workspace=workspace, exam=exam, user_id=tutor.user_id)
    users = [User(name=f"Student {place}", email=f"s{place}@bench.example") for place in range(wanted["students"])]
    User.objects.bulk_create(users, batch_size=1000)
    UserIdentity.objects.bulk_create(
        [UserIdentity(user=user, provider="supabase", subject=str(user.pk)) for user in users], batch_size=1000
    )
    enrolments = [Enrolment(workspace=workspace, exam=exam, user=user, name=user.name) for user in users]
    Enrolment.objects.bulk_create(enrolments, batch_size=1000)
    sessions = [
        ExamSession(
            workspace=workspace,
            exam=exam,
            enrolment=enrolment,
            student_user_id=enrolment.user_id,
            student=str(enrolment.user_id),
            student_name=enrolment.name,
        )
        for enrolment in enrolments
    ]
    ExamSession.objects.bulk_create(sessions, batch_size=1000)
    # Seen just now, whatever the seeding took: nobody is silent when the first round begins
    seen = timezone.now() + timedelta(seconds=wanted["grace"])
    SessionPulse.objects.bulk_create(
        [SessionPulse(workspace=workspace, session=session, seen_at=seen) for session in sessions], batch_size=1000
    )
    answer = {"exam": exam.slug, "students": [[str(one.student_user_id), str(one.pk)] for one in sessions]}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
