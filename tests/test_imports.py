"""The packages import one way; `docs/architecture.md` draws the same picture."""

import ast
from pathlib import Path

import pytest

import stackgan_tf

PACKAGE = Path(stackgan_tf.__file__).parent
FLOOR = {'cache_entry', 'console', 'files', 'hub_module', 'onednn', 'user_error', ''}
ALLOWED = {
    'networks': set(),
    'losses': set(),
    'formats': {'user_error'},
    'data': {'formats', 'text'} | FLOOR,
    'text': {'networks'} | FLOOR,
    'models': {'networks', 'losses'} | FLOOR,
    'released': {'networks', 'formats'} | FLOOR,
    'seeded_images': {'text'},
    'generator': {'seeded_images', 'text'} | FLOOR,
    'evaluation': {'data', 'text', 'generator'} | FLOOR,
    'figures': {'generator'} | FLOOR,
    'serving': {'command_line', 'generator', 'networks', 'seeded_images', 'text', 'released', 'formats'} | FLOOR,
    'training': {'models', 'data', 'text', 'evaluation', 'figures', 'generator'} | FLOOR,
    'recipe': {'models', 'networks', 'data', 'evaluation', 'training'} | FLOOR,
    'loading': {'evaluation', 'generator', 'models', 'recipe', 'text', 'training'} | FLOOR,
    'watching': {'evaluation', 'judging', 'loading', 'recipe', 'training'} | FLOOR,
    'judging': {'data', 'evaluation', 'generator', 'loading', 'recipe', 'text', 'training'} | FLOOR,
}
WITHOUT_TENSORFLOW = ('networks', 'losses', 'released')


def imports(path):
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}: relative import'
            yield node.module


def files(room):
    return sorted((PACKAGE / room).rglob('*.py')) or [PACKAGE / f'{room}.py']


@pytest.mark.parametrize('room', sorted(ALLOWED))
def test_a_room_imports_only_what_is_below_it(room):
    for path in files(room):
        for name in imports(path):
            if name.split('.')[0] == 'stackgan_tf':
                target = [*name.split('.'), ''][1]
                assert target == room or target in ALLOWED[room], f'{path} imports {name}'


def test_every_room_has_a_rule():
    rooms = {path.name for path in PACKAGE.iterdir() if (path / '__init__.py').exists()}
    assert rooms <= set(ALLOWED)


@pytest.mark.parametrize('room', WITHOUT_TENSORFLOW)
def test_networks_losses_and_released_weights_know_no_tensorflow(room):
    for path in files(room):
        assert not {name.split('.')[0] for name in imports(path)} & {'tensorflow', 'tf_keras', 'gin'}


def test_importing_the_package_is_cheap_and_every_name_is_there():
    import subprocess
    import sys

    script = "import stackgan_tf, sys; assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    subprocess.run([sys.executable, '-c', script], check=True)
    for name in stackgan_tf.__all__:
        assert getattr(stackgan_tf, name)
