"""The commands on models small enough to test: in this process, or where a process is the subject, in one of their own.

`run` executes a command as `python -m` does, in this process: importing TensorFlow takes longer than most commands.
"""

import contextlib
import dataclasses
import os
import runpy
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import tensorflow as tf
from absl import flags
from tensorflow.python.framework import config as tf_config

tf.config.list_physical_devices()  # now, so that what TensorFlow says at that is in no command's stderr

ROOT = Path(__file__).parents[2]
TINY = [
    '--gin_param=SIZES = (8, 16)',
    '--gin_param=BATCH_SIZE = 4',
    '--gin_param=TICK = 2',
    '--gin_param=CHECKPOINT_EVERY = 4',
    '--gin_param=StackGANv2.generator_width = 8',
    '--gin_param=TreeDiscriminators.width = 4',
]
TINY_TEXT = [
    *TINY,
    '--gin_param=FEATURES_STEPS = 2',
    '--gin_param=ENCODER_STEPS = 6',
    '--gin_param=ENCODER_BATCH_SIZE = 4',
    '--gin_param=AttributeClassifier.sizes = (8,)',
    '--gin_param=TextMatching.sizes = (8,)',
    '--gin_param=TextMatching.widths = (4, 4, 4)',
]


@dataclasses.dataclass(frozen=True)
class Result:
    """What a command has said and how it ended, as `subprocess.run` gives it."""

    returncode: int
    stdout: str
    stderr: str


def command(module, *given):
    return [sys.executable, '-m', f'stackgan_tf.{module}', *map(str, given)]


def tool(name, *given):
    return [sys.executable, str(ROOT / 'tools' / name), *map(str, given)]


def run(arguments, cwd, **environment):
    """Runs a `command` or a `tool` in this process."""
    _, *words = arguments
    module = words[1] if words[0] == '-m' else None
    script, given = (words[0], words[1:]) if module is None else (_file_of(module), words[2:])
    with (
        _said() as said,
        _place(cwd, environment),
        _fresh_flags(),
        _arguments(script, given),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter('ignore', RuntimeWarning)  # runpy's, of modules that were imported before
        try:
            if module is None:
                runpy.run_path(script, run_name='__main__')
            else:
                runpy.run_module(module, run_name='__main__', alter_sys=True)
            status = 0
        except SystemExit as ended:
            status = ended.code or 0
            if isinstance(status, str):
                print(status, file=sys.stderr)
                status = 1
    return Result(status, *said)


def run_process(arguments, cwd, **environment):
    """Runs anything in a process of its own; variables that are None are not set there."""
    environment = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    return subprocess.run(arguments, env=environment, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def train(workdir, steps, *more):
    return command(
        'train',
        '--gin_file=gin/painted_birds_unconditional.gin',
        f'--workdir={workdir}',
        f'--gin_param=STEPS = {steps}',
        *TINY,
        *more,
    )


def train_text(workdir, steps, *more):
    """A quickstart: a classifier, a text encoder, and a tree that reads it."""
    recipe = ['--gin_file=gin/quickstart.gin', f'--workdir={workdir}', f'--gin_param=STEPS = {steps}']
    return command('train', *recipe, *TINY_TEXT, *more)


def assert_one_line(result, message):
    assert result.returncode == 2, result.stderr
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def _file_of(module):
    return str(ROOT.joinpath(*module.split('.')).with_suffix('.py'))


@contextlib.contextmanager
def _said():
    """Takes what is written to stdout and stderr, also by C++, into a list, once the block ends."""
    said, kept, streams = [], [os.dup(1), os.dup(2)], (sys.stdout, sys.stderr)
    for stream in streams:
        stream.flush()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        os.dup2(out.fileno(), 1)
        os.dup2(error.fileno(), 2)
        sys.stdout, sys.stderr = (open(number, 'w', encoding='utf-8', closefd=False) for number in (1, 2))  # noqa: SIM115
        try:
            yield said
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = streams
            for number, was in zip((1, 2), kept, strict=True):
                os.dup2(was, number)
                os.close(was)
            for file in (out, error):
                file.seek(0)
                said.append(file.read().decode(errors='backslashreplace'))


@contextlib.contextmanager
def _place(cwd, environment):
    """The folder at work, environment variables, and TensorFlow's determinism, which a command may switch on."""
    before, variables = Path.cwd(), dict(os.environ)
    deterministic = tf_config.is_op_determinism_enabled()
    os.chdir(cwd)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(variables)
        if not deterministic:
            tf_config.disable_op_determinism()


@contextlib.contextmanager
def _fresh_flags():
    """Without the flags that modules of ours have defined, before and afterwards."""
    _forget_flags()
    try:
        yield
    finally:
        _forget_flags()
        flags.FLAGS.unparse_flags()


def _forget_flags():
    for module, defined in flags.FLAGS.flags_by_module_dict().items():
        if module.startswith(('stackgan_tf', 'benchmarks', str(ROOT))):  # a command's own are under its file's name
            for flag in list(defined):
                delattr(flags.FLAGS, flag.name)


@contextlib.contextmanager
def _arguments(script, given):
    before, path = sys.argv, list(sys.path)
    sys.argv = [script, *given]
    sys.path.insert(0, str(Path(script).parent) if script.startswith(str(ROOT / 'tools')) else str(ROOT))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = before, path
