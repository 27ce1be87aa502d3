from tests.inbox.desk import desk

__all__ = ["desk"]
