"""The commands in processes of their own, on models small enough to test."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TINY = [
    '--gin_param=SIZES = (8, 16)',
    '--gin_param=BATCH_SIZE = 4',
    '--gin_param=TICK = 2',
    '--gin_param=CHECKPOINT_EVERY = 4',
    '--gin_param=StackGANv2.generator_width = 8',
    '--gin_param=StackGANv2.discriminator_width = 4',
]


def command(module, *flags):
    return [sys.executable, '-m', f'stackgan_tf.{module}', *map(str, flags)]


def run(arguments, cwd, **environment):
    environment = {**os.environ, **environment}
    return subprocess.run(arguments, env=environment, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


def train(workdir, steps, *flags):
    return command(
        'train',
        '--gin_file=gin/painted_birds_unconditional.gin',
        f'--workdir={workdir}',
        f'--gin_param=STEPS = {steps}',
        *TINY,
        *flags,
    )


def assert_one_line(result, message):
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
