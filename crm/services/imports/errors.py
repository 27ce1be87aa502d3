"""What can go wrong with a file of contacts."""

from config.errors import Conflict, Invalid, TooLarge


class WrongImportFile(Invalid):
    """`data["errors"]["file"]`: what is wrong with it."""

    code = "wrong_import_file"
    message = "This file cannot be imported."


class ImportTooLarge(TooLarge):
    code = "import_too_large"
    message = "An import takes files of at most 200 MB."


class WrongState(Conflict):
    """`data["state"]`: where it stands."""

    code = "import_in_wrong_state"
    message = "The import does not stand where this can be done."


class Unreadable(Exception):
    """A sentence about the file, shown with the import."""
