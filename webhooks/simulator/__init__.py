"""The provider simulator: a process of its own that takes our sends and plays the customers. For demo and tests only.

Nothing in the product imports it, and it imports no database: it talks to the product over HTTP like a provider.
"""

from config import env

if not (env.boolean("DEMO") or env.boolean("SWITCHBOARD_TESTING")):
    raise ImportError("The provider simulator runs only in demo and in tests: set DEMO=1.", name=__name__)
