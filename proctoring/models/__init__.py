from proctoring.models.boards import Leaderboard, LeaderboardEntry, ScoreCorrection
from proctoring.models.commands import Command
from proctoring.models.exams import Enrolment, Exam, ExamRule, ExamTutor
from proctoring.models.ledger import ServiceMark, SessionGap
from proctoring.models.sessions import ConsentRecord, ExamRoom, ExamSession, SessionPulse, SessionSummary
from proctoring.models.violations import Violation, ViolationReview

__all__ = [
    "Command",
    "ConsentRecord",
    "Enrolment",
    "Exam",
    "ExamRoom",
    "ExamRule",
    "ExamSession",
    "ExamTutor",
    "Leaderboard",
    "LeaderboardEntry",
    "ScoreCorrection",
    "ServiceMark",
    "SessionGap",
    "SessionPulse",
    "SessionSummary",
    "Violation",
    "ViolationReview",
]
