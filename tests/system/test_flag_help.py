import re
from pathlib import Path

import pytest
from absl import flags
from command_runs import command, run_process

import stackgan_tf
from stackgan_tf.system.flag_help import groups_of_module, help_text

COMMANDS = ['train', 'sample', 'evaluate', 'export', 'serving.client']


@pytest.mark.parametrize('name', COMMANDS)
def test_help_shows_every_flag_once(name, tmp_path):
    source = Path(stackgan_tf.__file__).parent.joinpath(*name.split('.')).with_suffix('.py').read_text()
    defined = re.findall(r"flags\.DEFINE_\w+\(\s*'(\w+)'", source)
    result = run_process(command(name, '--help'), tmp_path)
    assert (result.returncode, result.stderr) == (0, '')
    shown = re.findall(r'^  --(\w+)', result.stdout, re.MULTILINE)
    assert sorted(shown) == sorted(defined)
    assert len(re.findall(r'^[A-Z][\w ]+:$', result.stdout, re.MULTILINE)) >= 3
    assert max(map(len, result.stdout.splitlines())) <= 120


def test_values_and_defaults():
    defined = flags.FlagValues()
    shapes = {'flag_values': defined}
    size = flags.DEFINE_integer('image_size', 64, 'Pixels.', **shapes)
    kind = flags.DEFINE_enum('kind', 'old', ['old', 'new'], 'The kind.', **shapes)
    names = flags.DEFINE_multi_string('name', [], 'A name; may be repeated.', **shapes)
    sizes = flags.DEFINE_list('sizes', ['1', '2'], 'All sizes.', **shapes)
    quick = flags.DEFINE_bool('quick', False, 'Save time.', **shapes)
    zero = flags.DEFINE_float('rate', 0.0, 'The rate.', **shapes)
    text = help_text(
        'Does it.\n\nit --quick\n', {'First': [size, kind, names], 'Second': [sizes, quick, zero]}, defined
    )
    assert text.splitlines()[:-2] == [
        'Does it.',
        '',
        'it --quick',
        '',
        'First:',
        '  --image_size=N          Pixels (default: 64)',
        '  --kind=old|new          The kind (default: old)',
        '  --name=NAME             A name; may be repeated',
        '',
        'Second:',
        '  --sizes=SIZES           All sizes (default: 1,2)',
        '  --quick                 Save time',
        '  --rate=N                The rate (default: 0.0)',
    ]


def test_long_descriptions_are_wrapped():
    defined = flags.FlagValues()
    flags.DEFINE_string('a_name_that_leaves_no_room', None, 'word ' * 40, flag_values=defined)
    module = next(iter(defined.flags_by_module_dict()))
    entry = help_text('', groups_of_module(defined, module), defined).splitlines()[3:-2]
    assert entry[0] == '  --a_name_that_leaves_no_room=ROOM'
    assert all(line.startswith(' ' * 26 + 'word') and len(line) <= 100 for line in entry[1:])
    assert ' '.join(entry[1:]).split() == ['word'] * 40
