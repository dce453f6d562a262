"""The one exception that speaks to the person at the keyboard."""

import contextlib
from collections.abc import Iterator


class UserError(Exception):
    """A mistake that the user can mend: its text is one line that says what is wrong and what to do.

    Commands print it without a traceback and exit with status 2.
    """


@contextlib.contextmanager
def as_user_error(what: str) -> Iterator[None]:
    """Says what could not be done, and the first line of why.

    For what fails in more ways than can be listed, such as making a network of `keras.applications` or downloading its
    weights.

    Raises:
        UserError: if so.
    """
    try:
        yield
    except Exception as error:
        reason = str(error).strip().partition('\n')[0] or type(error).__name__
        raise UserError(f'{what}: {reason}') from error
