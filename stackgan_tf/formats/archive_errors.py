"""The errors of damaged archives: Python's readers of tar, zip and NumPy files raise many kinds."""

import contextlib
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from stackgan_tf.system.console import printable
from stackgan_tf.system.errors import UserError

# Not the base class alone: an error of another kind is ours. `ValueError` and `ArithmeticError` come from numbers in
# headers, `RuntimeError` from encrypted members and from headers that refer to headers without end.
ARCHIVE_ERRORS = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, OSError, EOFError, ValueError,
    ArithmeticError, LookupError, RuntimeError, MemoryError,
)  # fmt: skip


@contextlib.contextmanager
def archive_errors(what: str | Path) -> Iterator[None]:
    """Turns the errors of a damaged archive, which the code inside reads, into one line for the user.

    Args:
        what: the archive, or a part of it.

    Raises:
        UserError: on any error of a reader.
    """
    try:
        yield
    except UserError:
        raise
    except ARCHIVE_ERRORS as error:
        raise UserError(f'{what} cannot be read to its end ({reason_of(error)}): fetch it again') from error


def reason_of(error: Exception) -> str:
    """The reason in an error, which may quote names of the archive, on one printable line."""
    return printable(str(error) or type(error).__name__)
