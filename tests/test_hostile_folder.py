"""Training on a folder of good images, broken files and malicious files."""

import collections
import re
import sys

import pytest
from command_runs import TINY, command, run_process
from hostile_images import BAD, GOOD

from stackgan_tf.system.console import printable

MOST = 2_000_000  # kB of memory, half of which TensorFlow takes before it reads an image


@pytest.mark.parametrize('bad', [len(BAD), pytest.param(500, marks=pytest.mark.slow)])
def test_training_starts_with_exactly_the_good_ones_and_names_all_others(tmp_path, bad, capsys):
    """`pytest -m slow tests/test_hostile_folder.py -s` prints a table with the outcome of each kind."""
    root = tmp_path / 'images'
    good = [write(_place(root, number), number) for number, write in enumerate(_taken(GOOD.values(), bad // 4))]
    expected = {}
    for number, (kind, (write, reason)) in enumerate(_taken(BAD.items(), bad)):
        path = write(_place(root, 10_000 + number), number)
        expected[printable(path.relative_to(root).as_posix())] = (kind, reason)
    (root / 'circular link').symlink_to(root)
    output, memory = _train(tmp_path, root)
    assert f'First pass over {len(good) + bad} images' in output
    assert f'\n{bad} files cannot be used (all in ' in output
    assert f'of {len(good)} images on 1 device(s)' in output
    assert 'tree is done: 2 steps' in output
    (report,) = (tmp_path / 'cache').rglob('bad_files.txt')
    reasons = dict(line.split(': ', 1) for line in report.read_text().splitlines())
    assert reasons.keys() == expected.keys()
    table = collections.Counter()
    for name, (kind, reason) in expected.items():
        assert re.search(reason, reasons[name]), (kind, reasons[name])
        table[kind, re.sub(r'\d+ bytes', '... bytes', reasons[name])] += 1
    assert memory < MOST
    with capsys.disabled():
        if bad == 500:
            print(
                f'\n{len(good)} good files of {len(GOOD)} kinds used; {bad} bad ones, {memory / 1e6:.2f} GB of memory'
            )
            print(*(f'| {kind} | {count} | {outcome} |' for (kind, outcome), count in table.items()), sep='\n')


def _taken(kinds, count):
    kinds = list(kinds)
    return [kinds[number % len(kinds)] for number in range(count)]


def _place(root, number):
    folder = root / f'folder {number % 3}' if number % 3 else root
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f'{number:05}'


def _train(tmp_path, root):
    """The output of training, and its peak memory, kB."""
    settings = [f"IMAGE_ROOT = '{root}'", 'STEPS = 2', 'ImageFolder.test_fraction = 0.0']
    flags = [
        '--gin_file=gin/image_folder_64px.gin',
        '--workdir=run',
        *TINY,
        *(f'--gin_param={each}' for each in settings),
    ]
    # Through a small process, since the peak of a new process includes the memory of its parent.
    measured = run_process(
        [sys.executable, '-c', _MEASURE, *command('train', *flags)], tmp_path, STACKGAN_TF_CACHE=f'{tmp_path}/cache'
    )
    assert measured.returncode == 0, measured.stderr
    output, _, peak = measured.stdout.rstrip().rpartition('\n')
    return output, int(peak)


_MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
