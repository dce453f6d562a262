"""Workers of one run: what `TF_CONFIG` may say, and two processes on the loopback address."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from stackgan_tf.system.errors import UserError
from stackgan_tf.training.workers import read_configuration

TINY_RUN = Path(__file__).parents[1] / 'support' / 'tiny_run.py'
PAIR = {'worker': ['a:1', 'b:1']}


def configuration(cluster, kind='worker', index=0):
    return json.dumps({'cluster': cluster, 'task': {'type': kind, 'index': index}})


@pytest.mark.parametrize('text', ['', ' ', '{}', '{"cluster": {}}'])
def test_without_a_cluster_a_process_trains_alone(text):
    assert read_configuration(text) == ([], 0)


def test_the_chief_is_the_first_worker_or_the_task_of_that_name():
    assert read_configuration(configuration(PAIR, index=1)) == (['a:1', 'b:1'], 1)
    cluster = {'worker': ['a:1', '[::1]:2'], 'chief': ['c:1']}
    assert read_configuration(configuration(cluster, 'chief')) == (['c:1', 'a:1', '[::1]:2'], 0)
    assert read_configuration(configuration(cluster, 'worker', 1))[1] == 2


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{"cluster"', 'TF_CONFIG is not like'),
        ('[]', 'TF_CONFIG is not like'),
        ('{"cluster": {"worker": ["a:1", "b:1"]}}', 'TF_CONFIG is not like .*KeyError'),
        ('{"cluster": {"worker": 3}, "task": {}}', 'TF_CONFIG is not like'),
        (configuration(PAIR, index='x'), 'TF_CONFIG is not like'),
        (configuration({**PAIR, 'ps': ['c:1']}), 'names ps: training here has workers alone'),
        (configuration({'worker': ['a:1', 'b']}), "'b': an address looks like"),
        (configuration({'worker': ['a:1', 'b:99999']}), "'b:99999': an address looks like"),
        (configuration(PAIR).replace('"index": 0', '"index": 1e999'), 'TF_CONFIG is not like .*OverflowError'),
        (configuration({'worker': ['a:1', 'a:1']}), 'one address twice'),
        (configuration(PAIR, index=2), 'this is worker 2, but the cluster'),
        (configuration(PAIR, 'evaluator'), 'this is evaluator 0, but the cluster'),
    ],
)
def test_other_configurations_are_refused_in_one_line(text, message):
    with pytest.raises(UserError, match=message) as refused:
        read_configuration(text)
    assert '\n' not in str(refused.value)


def two_workers(workdir, *arguments, stopped_by=signal.SIGTERM, stop_at=None):
    """Exit statuses and what both wrote; `stop_at` is of the second."""
    with contextlib.ExitStack() as stack:
        doors = [stack.enter_context(socket.create_server(('127.0.0.1', 0))) for _ in range(2)]
        cluster = {'worker': [f'127.0.0.1:{door.getsockname()[1]}' for door in doors]}
    processes = []
    try:
        for number in range(2):
            environment = {
                **os.environ,
                'TF_CONFIG': configuration(cluster, index=number),
                'TINY_RUN_SIGNAL': str(int(stopped_by)),
                'TF_CPP_MIN_LOG_LEVEL': '3',
            }
            last = [str(stop_at)] if stop_at is not None and number == 1 else []
            command = [sys.executable, str(TINY_RUN), str(workdir), *map(str, arguments), *last]
            pipe = subprocess.PIPE
            processes.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment))
        outputs = [process.communicate(timeout=200) for process in processes]
        return [process.returncode for process in processes], outputs
    finally:
        for process in processes:
            process.kill()


def one_process(workdir, *arguments):
    command = [sys.executable, str(TINY_RUN), str(workdir), *map(str, arguments)]
    environment = {**os.environ, 'TINY_RUN_DEVICES': '2'}
    subprocess.run(command, check=True, capture_output=True, timeout=200, env=environment)


def variables(workdir, step):
    reader = tf.train.load_checkpoint(str(workdir / 'tree' / 'checkpoints' / f'step_{step:06d}' / 'variables'))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if 'VARIABLE_VALUE' in name}


def test_two_processes_killed_and_stopped_end_where_one_process_does(tmp_path):
    run, whole = tmp_path / 'run', tmp_path / 'whole'
    # The second is killed: the first ends by itself, with one line.
    statuses, outputs = two_workers(run, 20, 5, 10, stopped_by=signal.SIGKILL, stop_at=13)
    assert statuses == [2, -signal.SIGKILL]
    assert outputs[0][1].splitlines()[-1].startswith('worker 1 (127.0.0.1:')
    assert [path.name for path in (run / 'tree' / 'checkpoints').iterdir()] == ['step_000010']
    # The same command resumes; the second is asked to stop: both do, after the same step.
    statuses, outputs = two_workers(run, 20, 5, 10, stop_at=17)
    assert statuses == [143, 143]
    assert 'resuming after step 10' in outputs[0][0]
    assert outputs[1][0] == ''
    assert (run / 'tree' / 'checkpoints' / 'step_000017').is_dir()
    one_process(run, 20, 5, 10)
    one_process(whole, 20, 5, 10)
    ended, expected = variables(run, 20), variables(whole, 20)
    assert ended.keys() == expected.keys()
    for name, value in ended.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)
