"""The package makes no network access: a process that resolves a host name or opens a connection exits at once."""

import os
import pkgutil
import sys

import pytest
from command_runs import ROOT, TINY, command, run_process
from image_files import photograph, save

import stackgan_tf

ENDED = 97
# Python imports a module of this name at every start, also in subprocesses.
GUARD = f"""
import os, sys

def guard(event, arguments):
    if event in {{'socket.connect', 'socket.getaddrinfo', 'socket.gethostbyname', 'socket.gethostbyaddr',
                  'socket.sendto', 'socket.sendmsg'}}:
        print('NETWORK', event, arguments, file=sys.stderr, flush=True)
        os._exit({ENDED})

sys.addaudithook(guard)
"""


@pytest.fixture
def guarded(tmp_path):
    """The environment of processes without network access."""
    (tmp_path / 'guard').mkdir()
    (tmp_path / 'guard' / 'sitecustomize.py').write_text(GUARD)
    return {'PYTHONPATH': os.pathsep.join([str(tmp_path / 'guard'), str(ROOT)])}


def test_the_guard_stops_network_access(tmp_path, guarded):
    for access in ("s.create_connection(('192.0.2.1', 9), 1)", "s.getaddrinfo('example.org', 80)"):
        result = run_process(
            [sys.executable, '-c', f'import socket as s; s.setdefaulttimeout(1); {access}'], tmp_path, **guarded
        )
        assert result.returncode == ENDED
        assert 'NETWORK' in result.stderr


def test_importing_everything(tmp_path, guarded):
    modules = [module.name for module in pkgutil.walk_packages(stackgan_tf.__path__, 'stackgan_tf.')]
    alone = {name for name in modules if name.endswith(('.client', '.development_server', '.fresh_process'))}
    commands = {f'stackgan_tf.{name}' for name in ('train', 'sample', 'evaluate', 'export')}
    assert commands < set(modules)
    together = sorted({*modules} - alone - commands)
    script = f'import importlib\nfor name in {together}: importlib.import_module(name)'
    result = run_process([sys.executable, '-c', script], tmp_path, **guarded)
    assert result.returncode == 0, result.stderr


FEW_STEPS = ['STEPS = 2', 'CHECKPOINT_EVERY = 2']
NARROW_ENCODER = [
    'ENCODER_STEPS = 2',
    'ENCODER_BATCH_SIZE = 4',
    'TextMatching.widths = (4, 4, 4)',
    'TextMatching.sizes = (8,)',
]


@pytest.mark.parametrize(
    ('recipe', 'more', 'captions'),
    [
        ('gin/image_folder_64px.gin', ["IMAGE_ROOT = 'images'"], []),
        pytest.param('gin/quickstart.gin', NARROW_ENCODER, ['--caption=a red bird'], marks=pytest.mark.slow),
    ],
)
def test_training_sampling_exporting_and_loading(tmp_path, guarded, recipe, more, captions):
    for number in range(6):
        save(tmp_path / 'images' / f'{number}.jpg', photograph(40, 60, number))
    settings = [f'--gin_param={each}' for each in (*FEW_STEPS, *more)]
    for arguments in (
        command('train', f'--gin_file={recipe}', '--workdir=run', *TINY, *settings),
        command('sample', '--model=run', '--count=2', '--output=here', *captions),
        command('export', '--model=run', '--output=export'),
        command('sample', '--model=export', '--count=2', '--output=there', *captions),
    ):
        result = run_process(arguments, tmp_path, **guarded)
        assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / 'here').iterdir()) == sorted(
        path.name for path in (tmp_path / 'there').iterdir()
    )


def test_a_hub_handle_needs_the_network(tmp_path, guarded):
    # In its own cache: the stopped process leaves a lock there, for which TF Hub waits.
    guarded['TFHUB_CACHE_DIR'] = str(tmp_path / 'cache')
    result = run_process(command('sample', '--model=https://example.org/model/1', '--count=1'), tmp_path, **guarded)
    assert result.returncode == ENDED
    assert "socket.getaddrinfo ('example.org', 443" in result.stderr
