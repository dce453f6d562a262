"""tools/kill_run.py: a killed and resumed run is bit-identical to an uninterrupted one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'tools' / 'kill_run.py'
RUNS = Path(__file__).parents[1] / 'support'
pytestmark = pytest.mark.skipif(not TOOL.exists(), reason='needs the source tree')


def kill_run(*arguments, **environment):
    command = [sys.executable, str(TOOL), *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=3000, check=False)


def test_a_killed_run_is_identical_to_an_uninterrupted_one():
    # With this seed, the first kill is while a checkpoint is written, the second after a report.
    command = [sys.executable, str(RUNS / 'tiny_run.py'), '{}', '60', '20', '20']
    result = kill_run('--kills=2', '--writing=0.5', '--spread=0.1', '--seed=7', '--', *command)
    assert result.returncode == 0, result.stdout + result.stderr
    assert '1 after a report; 1 writing a checkpoint' in result.stdout
    assert '2 kills' in result.stdout
    assert 'all are identical to the uninterrupted run' in result.stdout


def test_a_difference_is_found(tmp_path):
    """The command is not a training run: it saves its process ID."""
    script = tmp_path / 'other_each_time.py'
    script.write_text(
        'import os, pathlib, sys\n'
        'import tensorflow as tf\n'
        "phase = pathlib.Path(sys.argv[1], 'phase')\n"
        "variables = phase / 'checkpoints' / 'step_000001' / 'variables'\n"
        'tf.train.Checkpoint(number=tf.Variable(os.getpid())).write(str(variables))\n'
        "(phase / 'metrics.jsonl').touch()\n"
    )
    result = kill_run('--kills=1', '--writing=0', '--spread=0', '--seed=0', '--', sys.executable, str(script), '{}')
    assert result.returncode == 2
    assert 'step_000001: number/.ATTRIBUTES/VARIABLE_VALUE differs' in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize('devices', ['1', '2'])
def test_every_kind_of_model_resumes_exactly(devices):
    command = [sys.executable, str(RUNS / 'every_kind.py'), '{}', '12']
    result = kill_run('--kills=8', '--', *command, EVERY_KIND_DEVICES=devices)
    assert result.returncode == 0, result.stdout + result.stderr
