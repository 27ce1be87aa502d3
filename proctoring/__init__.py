"""Exams, sessions, violations, leaderboard."""
