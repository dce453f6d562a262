"""The exception for mistakes of the user."""

import contextlib
from collections.abc import Iterator


class UserError(ValueError):
    """A mistake that the user can correct: the message is one line that says what is wrong and what to do.

    Commands print it without a traceback and exit with status 2. In Python it is a `ValueError`: where one is caught
    around code of this package, `except UserError: raise` comes first.
    """


@contextlib.contextmanager
def as_user_error(what: str) -> Iterator[None]:
    """Turns any error into a `UserError`: what failed, and the first line of the reason.

    It is for operations that fail in too many ways to list, such as building a network of `keras.applications` or
    downloading its weights.

    Raises:
        UserError: the block raises.
    """
    try:
        yield
    except Exception as error:
        reason = str(error).strip().partition('\n')[0] or type(error).__name__
        raise UserError(f'{what}: {reason}') from error
