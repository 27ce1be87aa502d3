"""What can go wrong with exams and boards."""

from config.errors import NotFound


class NoSuchBoard(NotFound):
    code = "no_such_board"
    message = "There is no such board."
