"""The one exception that a person is meant to read."""


class UserError(Exception):
    """Something the user can put right: one sentence that says what was wrong and what to do.

    The command line prints it without a traceback and exits with code 2.
    """
