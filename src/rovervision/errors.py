"""The one kind of error that a user is meant to read."""


class RovervisionError(Exception):
    """A sentence that names what is wrong, where, and what to do. The command line shows it without a traceback."""
