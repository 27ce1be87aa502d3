"""Changes to exams, sessions and boards."""
