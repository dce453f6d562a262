"""The one exception that speaks to the person at the keyboard."""


class UserError(Exception):
    """A mistake that the user can mend: its text is one line that says what is wrong and what to do.

    Commands print it without a traceback and exit with status 2.
    """
