"""Proctoring's part of /api/v1/: boards for everybody, sessions for the enrolled, exams for their tutors."""

from django.urls import URLPattern, URLResolver, path

from crm.identity.exempt import without_identity
from proctoring import board_page
from proctoring import pages as views
from proctoring.api import board_keeping, boards, chat, exams, sessions, supervision

public: list[URLPattern | URLResolver] = [
    path("leaderboards/<str:quiz_code>", without_identity(boards.LeaderboardView.as_view())),
    path("leaderboards/<str:quiz_code>/join", without_identity(boards.LeaderboardJoin.as_view())),
    path("leaderboards/<str:quiz_code>/nicknames", without_identity(boards.LeaderboardNicknames.as_view())),
    path("exams/<slug:exam>/sessions", sessions.SessionStart.as_view()),
    path("sessions/<uuid:session>", sessions.Session.as_view()),
    path("sessions/<uuid:session>/heartbeat", sessions.Heartbeat.as_view()),
    path("sessions/<uuid:session>/violations", sessions.ViolationList.as_view()),
    path("sessions/<uuid:session>/violations/<uuid:violation>/explanation", sessions.Explanation.as_view()),
    path("sessions/<uuid:session>/end", sessions.SessionEnd.as_view()),
    path("sessions/<uuid:session>/consent", sessions.SessionConsent.as_view()),
    path("sessions/<uuid:session>/hand", sessions.Hand.as_view()),
    path("sessions/<uuid:session>/commands", sessions.CommandList.as_view()),
    path("sessions/<uuid:session>/chat", chat.OwnChat.as_view()),
    path("sessions/<uuid:session>/chat/read", chat.OwnChatRead.as_view()),
    path("sessions/<uuid:session>/chat/typing", chat.OwnChatTyping.as_view()),
]

board_pages: list[URLPattern | URLResolver] = [
    path("leaderboard/<str:quiz_code>", without_identity(board_page.leaderboard), name="leaderboard"),
    path("leaderboard.js", without_identity(board_page.embedding)),
]

api_v1: list[URLPattern | URLResolver] = [
    path("exams/", exams.ExamList.as_view()),
    path("exams/<slug:exam>/", exams.ExamDetail.as_view()),
    path("exams/<slug:exam>/close", exams.ExamClose.as_view()),
    path("exams/<slug:exam>/join", exams.ExamJoin.as_view()),
    path("exams/<slug:exam>/tutors/", exams.TutorList.as_view()),
    path("exams/<slug:exam>/tutors/<uuid:user>/", exams.TutorDetail.as_view()),
    path("exams/<slug:exam>/enrolments/", exams.EnrolmentList.as_view()),
    path("exams/<slug:exam>/enrolments/<uuid:enrolment>/", exams.EnrolmentDetail.as_view()),
    path("exams/<slug:exam>/sessions/", exams.SessionList.as_view()),
    path("exams/<slug:exam>/sessions/<uuid:session>/", exams.SessionDetail.as_view()),
    path("exams/<slug:exam>/sessions/<uuid:session>/violations/", supervision.SessionViolations.as_view()),
    path("exams/<slug:exam>/sessions/<uuid:session>/commands/", supervision.SessionCommands.as_view()),
    path("exams/<slug:exam>/sessions/<uuid:session>/devices/<uuid:device>/allow", supervision.DeviceAllow.as_view()),
    path("exams/<slug:exam>/sessions/<uuid:session>/compensate", supervision.SessionCompensate.as_view()),
    path("exams/<slug:exam>/sessions/<uuid:session>/chat", chat.TutorsChat.as_view()),
    path("exams/<slug:exam>/sessions/<uuid:session>/chat/read", chat.TutorsChatRead.as_view()),
    path("exams/<slug:exam>/sessions/<uuid:session>/chat/typing", chat.TutorsChatTyping.as_view()),
    path("exams/<slug:exam>/violations/", supervision.ViolationList.as_view()),
    path("exams/<slug:exam>/violations/<uuid:violation>/", supervision.ViolationDetail.as_view()),
    path("exams/<slug:exam>/commands/", supervision.CommandList.as_view()),
    path("exams/<slug:exam>/announcements/", supervision.AnnouncementList.as_view()),
    path("exams/<slug:exam>/compensate", supervision.Compensate.as_view()),
    path("boards/", board_keeping.BoardList.as_view()),
    path("boards/<str:quiz_code>/", board_keeping.BoardDetail.as_view()),
    path("boards/<str:quiz_code>/entries/", board_keeping.BoardEntries.as_view()),
    path("boards/<str:quiz_code>/entries/<uuid:entry>/", board_keeping.BoardEntry.as_view()),
    path("boards/<str:quiz_code>/snapshots/", board_keeping.BoardSnapshots.as_view()),
    path("boards/<str:quiz_code>/export.csv", board_keeping.BoardCsv.as_view()),
    path("exams/<slug:exam>/report.csv", exams.ReportCsv.as_view()),
    path("exams/<slug:exam>/report.pdf", exams.ReportPdf.as_view()),
    path("exams/<slug:exam>/students/<str:student>/", exams.StudentData.as_view()),
]

pages: list[URLPattern | URLResolver] = [
    path("proctor", views.exam_list),
    path("proctor/<slug:exam>", views.dashboard),
    path("exam/<slug:exam>", views.sitting),
]
