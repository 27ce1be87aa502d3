"""Why a start is refused. The message is one sentence for the person at the terminal; nothing else is shown."""


class StartRefused(Exception):
    pass


class EmbeddedError(StartRefused):
    """Why an embedded server cannot run here."""
