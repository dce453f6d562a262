import os
import sys

import pytest

from stackgan_tf.system import command_line
from stackgan_tf.system.console import others_silent, output_may_close, printable, say


def test_control_characters_of_files_do_not_reach_the_terminal(capsys):
    say('a class:\n\tred\x1b[31m \r\x07bird ✓ \udcff \u202e')
    assert capsys.readouterr().out == 'a class:\n\tred\\x1b[31m \\r\\x07bird ✓ \\udcff \\u202e\n'
    command_line._print_error('the server says \x1b]0;title\x07\nmore')
    assert capsys.readouterr().err.endswith(': the server says \\x1b]0;title\\x07\n')


@pytest.mark.parametrize(('name', 'expected'), [('bird ✓.jpg', 'bird ✓.jpg'), ('a\nb\x1b', r"'a\nb\x1b'")])
def test_a_name_is_one_line(name, expected):
    assert printable(name) == expected


def test_a_closed_output_does_not_stop_a_program(monkeypatch, capfd):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, 'w') as stream, monkeypatch.context() as patch:
        patch.setattr(sys, 'stdout', stream)
        say('one')
        with others_silent():
            say('two')
        print('three')
        with output_may_close():
            print('four')
    assert capfd.readouterr() == ('', '')
