"""Reproduces a table of the paper in miniature; a repeated call resumes and skips finished runs.

python tools/reproduce.py --table=5 --out=runs/table_5
"""

import os
from pathlib import Path

from absl import flags

from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say

_TABLE = flags.DEFINE_enum('table', '5', ['5'], 'The table of StackGAN++; 5 has the ablations of StackGAN-v2.')
_OUT = flags.DEFINE_string('out', 'runs/table_5', 'The folder of all runs, scores and the table.')
_SEEDS = flags.DEFINE_integer('seeds', 3, 'Runs of each row.', 1, 1000)
_GIN_PARAM = flags.DEFINE_multi_string('gin_param', [], 'A setting of all runs, as for training: the budget.')
_COUNT = flags.DEFINE_integer('count', 10_000, 'Images per score.', 1, 10_000_000)
_CLASSIFIER = flags.DEFINE_string(
    'classifier', None, 'The run of an attribute classifier; by default one is trained in --out.'
)


def main() -> None:
    """Reproduces the table of the flags."""
    from table_five import Experiment

    os.nice(19)
    experiment = Experiment(Path(_OUT.value), _SEEDS.value, _GIN_PARAM.value, _COUNT.value, _CLASSIFIER.value)
    say(experiment.reproduce())


if __name__ == '__main__':
    run_command(main)
