from django.db import migrations

from crm.tenancy import TenantForeignKey


class Migration(migrations.Migration):
    dependencies = [("proctoring", "0001_initial")]

    operations = [
        TenantForeignKey("proctoring_leaderboardentry", "board_id", "proctoring_leaderboard", on_delete="CASCADE"),
        TenantForeignKey("proctoring_scorecorrection", "entry_id", "proctoring_leaderboardentry", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examrule", "exam_id", "proctoring_exam", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examtutor", "exam_id", "proctoring_exam", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examtutor", "user_id", "crm_member", target_column="user_id", on_delete="CASCADE"),
        TenantForeignKey("proctoring_enrolment", "exam_id", "proctoring_exam", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examsession", "exam_id", "proctoring_exam", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examsession", "enrolment_id", "proctoring_enrolment"),
        TenantForeignKey("proctoring_sessionpulse", "session_id", "proctoring_examsession", on_delete="CASCADE"),
        TenantForeignKey("proctoring_consentrecord", "session_id", "proctoring_examsession", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examroom", "session_id", "proctoring_examsession", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examroom", "conversation_id", "inbox_conversation", on_delete="CASCADE"),
        TenantForeignKey("proctoring_sessionsummary", "session_id", "proctoring_examsession", on_delete="CASCADE"),
        TenantForeignKey("proctoring_violation", "session_id", "proctoring_examsession", on_delete="CASCADE"),
        TenantForeignKey("proctoring_violation", "merged_into_id", "proctoring_violation", on_delete="SET NULL"),
        TenantForeignKey("proctoring_violationreview", "violation_id", "proctoring_violation", on_delete="CASCADE"),
        TenantForeignKey("proctoring_command", "session_id", "proctoring_examsession", on_delete="CASCADE"),
        TenantForeignKey("proctoring_sessiongap", "session_id", "proctoring_examsession", on_delete="CASCADE"),
        TenantForeignKey("proctoring_boardsnapshot", "board_id", "proctoring_leaderboard", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examreminder", "exam_id", "proctoring_exam", on_delete="CASCADE"),
        TenantForeignKey("proctoring_examreminder", "enrolment_id", "proctoring_enrolment", on_delete="CASCADE"),
    ]
