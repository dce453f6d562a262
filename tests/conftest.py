import fcntl
import gc
import os
import shutil
import tempfile

import pytest

from stackgan_tf.system.onednn import choose_onednn

# Before TensorFlow and TFDS are imported anywhere: no chatter, the CPU kernels that the package chooses, no use of a
# GPU that may be there, and data sets and caches in a folder of these tests instead of the user's.
choose_onednn()
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')
os.environ.setdefault('TF_NUM_INTRAOP_THREADS', '1')  # a worker of pytest has a core of its own
os.environ['CUDA_VISIBLE_DEVICES'] = '-1'
os.environ['TFDS_DATA_DIR'] = tempfile.mkdtemp(prefix='stackgan_tf_tests_')
os.environ['STACKGAN_TF_CACHE'] = os.path.join(os.environ['TFDS_DATA_DIR'], 'stackgan_tf')


def pytest_sessionfinish():
    shutil.rmtree(os.environ['TFDS_DATA_DIR'], ignore_errors=True)


# TensorFlow's modules are a million objects, which the default thresholds visit again and again.
gc.set_threshold(100_000, 50, 100)


# One of their tests takes a minute or more: last, it would keep one worker busy alone.
LONG = ('test_workers.py', 'test_replicas.py', 'test_kill_run.py', 'test_run.py')


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope='session')
def made_once(tmp_path_factory):
    """Makes a folder once for all tests, in whichever worker needs it first."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if 'PYTEST_XDIST_WORKER' in os.environ else root

    def made(name, make):
        with (root / f'{name}.lock').open('w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (root / name).exists():
                shutil.rmtree(root / f'{name}.new', ignore_errors=True)
                (root / f'{name}.new').mkdir()
                make(root / f'{name}.new')
                (root / f'{name}.new').rename(root / name)
        return root / name

    return made


@pytest.fixture
def unchecked_exports(monkeypatch):
    """For tests whose subject is not the check of an export in a fresh process."""
    monkeypatch.setattr('stackgan_tf.saved_models.verification.check_export', lambda folder, trials: None)


@pytest.fixture(scope='session')
def tiny_run(made_once):
    """A run of 4 steps without captions, trained in a process of its own; `said.txt` is what that wrote. Read only."""
    import command_runs

    def make(folder):
        result = command_runs.run_process(command_runs.train('run', 4), folder, TF_ENABLE_ONEDNN_OPTS=None)
        assert result.returncode == 0, result.stderr
        (folder / 'said.txt').write_text(f'{result.stdout}STDERR:{result.stderr}')

    return made_once('tiny_run', make) / 'run'


@pytest.fixture(scope='session')
def tiny_text_run(made_once):
    """A quickstart of 4 steps: a classifier, a text encoder, and a tree that reads it. Read only."""
    import command_runs

    def make(folder):
        result = command_runs.run(command_runs.train_text('run', 4), folder)
        assert result.returncode == 0, result.stderr

    return made_once('tiny_text_run', make) / 'run'
