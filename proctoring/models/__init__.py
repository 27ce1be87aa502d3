from proctoring.models.boards import BoardSnapshot, Leaderboard, LeaderboardEntry, LeaderboardTally, ScoreCorrection
from proctoring.models.commands import Command
from proctoring.models.devices import SessionDevice
from proctoring.models.exams import Enrolment, Exam, ExamRule, ExamTutor
from proctoring.models.ledger import ServiceMark, SessionGap
from proctoring.models.reminders import ExamReminder
from proctoring.models.sessions import ConsentRecord, ExamRoom, ExamSession, SessionPulse, SessionSummary
from proctoring.models.violations import Violation, ViolationReview

__all__ = [
    "BoardSnapshot",
    "Command",
    "ConsentRecord",
    "Enrolment",
    "Exam",
    "ExamReminder",
    "ExamRoom",
    "ExamRule",
    "ExamSession",
    "ExamTutor",
    "Leaderboard",
    "LeaderboardEntry",
    "LeaderboardTally",
    "ScoreCorrection",
    "ServiceMark",
    "SessionDevice",
    "SessionGap",
    "SessionPulse",
    "SessionSummary",
    "Violation",
    "ViolationReview",
]
