"""What a contact's timeline tells of exams, to their tutors: the sessions of the user who chats as that contact."""

from crm import timeline
from crm.features import Feature
from crm.roles import Action

# The link is the contact's identity of a signed-in user: an e-mail address alone, which anybody may type, is none.
_SESSIONS = f"""
    select happened.at, 'exam:' || session.id || ':' || happened.what as ref, 'exam' as kind, jsonb_build_object(
        'what', happened.what, 'session', session.id, 'exam', exam.slug, 'title', exam.title,
        'status', session.status, 'attempt', session.attempt, 'violation_count', session.violation_count
    ) as data
    from crm_contactidentity known
    join proctoring_examsession session on session.workspace_id = known.workspace_id
        and session.student_user_id = case when known.kind = 'user' then known.value::uuid end
    join proctoring_exam exam on exam.id = session.exam_id
    join crm_workspace workspace on workspace.id = session.workspace_id
    cross join lateral (values ('started', session.started_at), ('ended', session.ended_at)) as happened(what, at)
    where known.contact_id = %(contact)s and known.kind = 'user' and known.workspace_id = %(workspace)s
        and happened.at is not null and coalesce((workspace.features ->> '{Feature.PROCTORING.value}')::bool, true)
        and exists (
            select from proctoring_examtutor tutor where tutor.exam_id = exam.id and tutor.user_id = %(reader)s
            and (tutor.expires_at is null or tutor.expires_at > now())
        )
"""  # noqa: S608  # only constants are put in


def register_sources() -> None:
    timeline.tells("exam", _SESSIONS, needs=Action.PROCTOR)
