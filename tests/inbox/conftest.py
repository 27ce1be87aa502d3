from tests.inbox.desk import desk
from tests.inbox.vouching import vouching_widget

__all__ = ["desk", "vouching_widget"]
