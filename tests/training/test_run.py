import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stackgan_tf.training.prepared_phase import ticks_between

TINY_RUN = Path(__file__).parents[1] / 'support' / 'tiny_run.py'


def tiny_run(workdir, *arguments, devices=1):
    environment = {**os.environ, 'TINY_RUN_DEVICES': str(devices)}
    command = [sys.executable, str(TINY_RUN), str(workdir), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)


def metrics(workdir):
    return [json.loads(line) for line in (workdir / 'tree' / 'metrics.jsonl').read_text().splitlines()]


def losses(line):
    return {name: value for name, value in line.items() if name != 'images_per_second'}


@pytest.fixture(scope='module')
def uninterrupted(tmp_path_factory):
    workdir = tmp_path_factory.mktemp('whole') / 'run'
    result = tiny_run(workdir, 120, 20, 40)
    assert result.returncode == 0, result.stderr
    return workdir, result.stdout


@pytest.mark.parametrize('stop_at', [60, 67])
def test_interrupted_and_resumed_equals_uninterrupted_exactly(uninterrupted, tmp_path, stop_at):
    stopped = tiny_run(tmp_path / 'run', 120, 20, 40, stop_at)
    assert stopped.returncode == 143, stopped.stderr
    assert (tmp_path / 'run' / 'tree' / 'checkpoints' / f'step_{stop_at:06d}').is_dir()
    resumed = tiny_run(tmp_path / 'run', 120, 20, 40)
    assert resumed.returncode == 0, resumed.stderr
    assert f'resuming after step {stop_at}' in resumed.stdout
    whole, parts = metrics(uninterrupted[0]), metrics(tmp_path / 'run')
    assert [line['step'] for line in parts] == [20, 40, 60, 80, 100, 120]
    assert [losses(line) for line in whole] == [losses(line) for line in parts]


def test_two_devices_interrupted_and_resumed_train_as_one_does(uninterrupted, tmp_path):
    assert tiny_run(tmp_path / 'run', 40, 20, 40, 30, devices=2).returncode == 143
    resumed = tiny_run(tmp_path / 'run', 40, 20, 40, devices=2)
    assert resumed.returncode == 0, resumed.stderr
    assert 'on 2 device(s), resuming after step 30' in resumed.stdout
    for one, two in zip(metrics(uninterrupted[0]), metrics(tmp_path / 'run'), strict=False):
        assert losses(two) == pytest.approx(losses(one), rel=0.02, abs=1e-3)


def test_run_directory_has_what_the_contract_says(uninterrupted):
    workdir, output = uninterrupted
    assert {path.name for path in (workdir / 'tree' / 'checkpoints').iterdir()} == {'step_000080', 'step_000120'}
    assert sorted(path.name for path in (workdir / 'tree' / 'samples').iterdir())[-1] == 'step_000120.png'
    assert list((workdir / 'tree').glob('events.out.tfevents.*'))
    assert json.loads((workdir / 'environment.json').read_text())['starts'][0]['versions']['tensorflow']
    assert (workdir / 'config.gin').read_text() == 'SEED = 0\n'
    assert not list(workdir.rglob('.step_*'))
    line = metrics(workdir)[-1]
    assert line['images_per_second'] > 0
    for size in (8, 16):
        assert {f'discriminator_loss_{size}', f'generator_loss_{size}', f'confidence_real_{size}'} <= set(line)
    assert 'tree 120/120' in output
    assert 'images/s' in output
    assert 'left' in output


def test_a_reader_that_is_gone_does_not_cost_the_checkpoint(tmp_path):
    """As in `train | tee log` when Ctrl-C ends tee first."""
    command = [sys.executable, str(TINY_RUN), str(tmp_path / 'run'), '100000', '20', '100000', '65']
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stderr.close()
    assert process.wait(timeout=120) == 143
    assert (tmp_path / 'run' / 'tree' / 'checkpoints' / 'step_000065').is_dir()


def test_a_finished_run_says_so(uninterrupted):
    result = tiny_run(uninterrupted[0], 120, 20, 40)
    assert result.returncode == 0
    assert 'is finished' in result.stdout


def test_a_damaged_checkpoint_costs_its_steps_and_no_more(uninterrupted, tmp_path):
    shutil.copytree(uninterrupted[0], tmp_path / 'run')
    checkpoints = tmp_path / 'run' / 'tree' / 'checkpoints'
    data = checkpoints / 'step_000120' / 'variables.data-00000-of-00001'
    right = data.read_bytes()
    data.write_bytes(right[:1000] + bytes([right[1000] ^ 1]) + right[1001:])
    result = tiny_run(tmp_path / 'run', 120, 20, 40)
    assert result.returncode == 0, result.stderr
    assert (
        result.stdout.count(
            'is damaged (variables.data-00000-of-00001 is not what was written): resuming from the one before it'
        )
        == 1
    )
    assert 'resuming after step 80' in result.stdout
    assert data.read_bytes() == right
    assert [losses(line) for line in metrics(tmp_path / 'run')] == [losses(line) for line in metrics(uninterrupted[0])]
    assert (checkpoints / 'damaged_step_000120').is_dir()


@pytest.mark.parametrize(
    ('start', 'stop', 'expected'),
    [
        (0, 120, [(0, 20, 6)]),
        (60, 120, [(60, 20, 3)]),
        (67, 120, [(67, 13, 1), (80, 20, 2)]),
        (67, 75, [(67, 8, 1)]),
        (60, 75, [(60, 15, 1)]),
        (5, 50, [(5, 15, 1), (20, 20, 1), (40, 10, 1)]),
    ],
)
def test_ticks_end_at_multiples(start, stop, expected):
    assert list(ticks_between(start, stop, 20)) == expected
