"""The frame of all commands: quiet start of TensorFlow, flags, errors in one line."""

import contextlib
import errno
import functools
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator

from absl import app, flags, logging

from stackgan_tf.system.console import escaped, open_closed_streams, output_may_close
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.flag_help import FlagGroups, groups_of_module, help_text
from stackgan_tf.system.keras_settings import set_keras

USER_ERROR_STATUS = 2
INTERRUPTED_STATUS = 130
_WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EEXIST)
_FILE_ERRORS = (
    *_WRITE_ERRORS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.ENOLCK,
    errno.ESTALE,
)


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Holds back what C++ code writes to stderr, and prints it only if the block raises."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def start_quietly() -> None:
    """Imports Keras and TensorFlow and lists its devices without its start-up messages, which no log level silences."""
    # With several hosts, TensorFlow logs the end of another host as an error; the command reports it in one line.
    os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3' if os.environ.get('TF_CONFIG') else '2')
    with _quiet_stderr():
        set_keras()
        import tensorflow as tf

        tf.config.list_physical_devices()  # not the logical ones, after which threads cannot be set


def run_command(
    main: Callable[..., None],
    words: bool = False,
    before_tensorflow: Callable[[], None] | None = None,
    flag_groups: FlagGroups | None = None,
) -> None:
    """Runs a command with absl's flags; a user's mistake ends with one line and status 2.

    Args:
        main: the command; with `words` it takes a list of them.
        words: whether the command takes arguments that are not flags.
        before_tensorflow: called after the flags are parsed, before TensorFlow is imported.
        flag_groups: the flags by title, as `--help` shows them; by default in one group.
    """

    def guarded(arguments: list[str]) -> None:
        status = 0
        logging.set_verbosity(logging.ERROR)
        # File names may contain characters that the terminal cannot print.
        sys.stdout.reconfigure(errors='backslashreplace')  # type: ignore[union-attr]
        try:
            if len(arguments) > 1 and not words:
                raise UserError(f'{arguments[1]!r} is not a flag: flags look like --name=value')
            if before_tensorflow is not None:
                before_tensorflow()
            start_quietly()
            main(*[arguments[1:]] * words)
        except UserError as error:
            status = _print_error(str(error))
        except KeyboardInterrupt:
            print('\nInterrupted.', file=sys.stderr)
            status = INTERRUPTED_STATUS
        except Exception as error:
            message = _file_message(error)
            if message is None:
                raise
            status = _print_error(message)
        finally:
            with output_may_close():
                pass  # flushes what libraries printed
        sys.exit(status)

    open_closed_streams()
    app.run(guarded, flags_parser=functools.partial(_parse_flags, flag_groups))


def _file_message(error: Exception) -> str | None:
    """The message for a file that cannot be read or written; None for any other error."""
    while isinstance(error, OSError) and error.errno is None and isinstance(error.__context__, OSError):
        error = error.__context__  # gin raises a copy, without the number
    name, number = None, None
    if isinstance(error, OSError):
        name, number = error.filename, error.errno
    elif type(error).__module__.startswith('tensorflow'):  # its readers and writers raise its own errors
        number = next((each for each in _FILE_ERRORS if os.strerror(each) in str(error)), None)
    if number not in _FILE_ERRORS:
        return None
    what = 'written' if number in _WRITE_ERRORS else 'read or written'
    return f'{name or "a file"} cannot be {what}: {os.strerror(number)}'


def _print_error(message: str) -> int:
    # Only the first line: gin appends the place of the error.
    print(f'{os.path.basename(sys.argv[0])}: {escaped(message).partition(chr(10))[0]}', file=sys.stderr)
    return USER_ERROR_STATUS


def _with_home(flag: re.Match[str]) -> str:
    return flag[1] + os.path.expanduser(flag[2])


def _parse_flags(flag_groups: FlagGroups | None, arguments: list[str]) -> list[str]:
    # Shells do not expand `~` after `=`.
    arguments = [re.sub(r'^(-\S+?=)(~/.*)', _with_home, each) for each in arguments]
    words = arguments[: arguments.index('--')] if '--' in arguments else arguments
    try:
        with output_may_close():
            if {'--help', '-help', '-h'} & set(words[1:]):
                groups = flag_groups or groups_of_module(flags.FLAGS, arguments[0])
                print(help_text(sys.modules['__main__'].__doc__ or '', groups, flags.FLAGS))
                sys.exit(0)
            return flags.FLAGS(arguments)
    except flags.Error as error:
        sys.exit(_print_error(f'{str(error).splitlines()[-1].strip()}; --help lists the flags'))
    except SystemExit:  # the help was printed, after which absl ends with 1
        pass
    sys.exit(0)
