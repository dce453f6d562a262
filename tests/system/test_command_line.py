import errno
import os

import pytest
import tensorflow as tf
from command_runs import command, run_process

import gin
from stackgan_tf.system.command_line import _file_message


def closed(arguments, folder, output):
    """The result of a command in a shell that closes its output."""
    return run_process(['bash', '-c', f'"$@" {output}', 'bash', *arguments], folder)


@pytest.mark.parametrize('output', ['', '>&-', '>&- 2>&- <&-', '| true; exit ${PIPESTATUS[0]}'])
def test_help_is_no_error(tmp_path, output):
    result = closed(command('sample', '--help'), tmp_path, output)
    assert (result.returncode, result.stderr) == (0, '')
    assert ('--caption' in result.stdout) == (not output)


def test_a_mistake_without_an_output(tmp_path):
    result = closed(command('sample', '--model=nowhere', '--seed=one'), tmp_path, '>&-')
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (PermissionError(errno.EACCES, 'denied', 'a.txt'), 'a.txt cannot be read or written: Permission denied'),
        (IsADirectoryError(errno.EISDIR, 'a folder', 'a'), 'a cannot be read or written: Is a directory'),
        (OSError(errno.ENAMETOOLONG, 'long', 'a'), 'a cannot be read or written: File name too long'),
        (OSError(errno.ENOSPC, 'full', 'a.txt'), 'a.txt cannot be written: No space left on device'),
        (
            tf.errors.PermissionDeniedError(None, None, 'step_000004/variables.index; Permission denied'),
            'a file cannot be read or written: Permission denied',
        ),
        (OSError(errno.ENOLCK, 'none', 'a'), 'a cannot be read or written: No locks available'),
        (ValueError(os.strerror(errno.EACCES)), None),
        (OSError(errno.ECONNRESET, 'reset'), None),
    ],
)
def test_files_that_the_system_refuses(error, message):
    assert _file_message(error) == message


def test_what_gin_raises_in_place_of_an_error_of_the_system():
    """gin's copy of an error lacks its number."""
    at = gin.utils.try_with_location
    with pytest.raises(PermissionError) as raised, at(('a.gin', 1, 0, 'a')), at(('b.gin', 1, 0, 'b')):
        raise PermissionError(errno.EACCES, 'denied', 'a.txt')
    assert raised.value.errno is None
    assert _file_message(raised.value) == 'a.txt cannot be read or written: Permission denied'
