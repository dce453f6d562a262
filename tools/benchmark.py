"""Measures what the project claims about speed, as ratios within one run.

python tools/benchmark.py train RECIPE ...   images a second, share of the machine's matrix-product peak, memory, and
                                       hours of the schedule: the last phase of recipes, on made-up batches. With
                                       --baseline=plain, the same maths as plain Keras layers takes turns with it;
                                       so does each --variant="SETTING; SETTING"
python tools/benchmark.py sample RECIPE ...  the same of its generator, baked as in exports
python tools/benchmark.py onednn RECIPE ...  training with oneDNN's CPU kernels against TensorFlow's own, in turn
python tools/benchmark.py --compare A.json B.json  how many times faster the second is; both as --json wrote them
python tools/benchmark.py up_block     the folded form against the plain one, by size
python tools/benchmark.py joint_block  the spread-out vector against convolving the tiled one
python tools/benchmark.py export       generating one by one, as exports do, against batches
python tools/benchmark.py pyramid      the lower scales of the pyramid: TensorFlow's resizing against compiled sums
python tools/benchmark.py captions     captions a second of the published text encoders
python tools/benchmark.py input        images a second of a recipe's input, and what limits it; with no recipe named,
                                       gin/image_folder.gin on pictures made up for it: its cache, and their files
python tools/benchmark.py prepare      records a second and memory of preparing an LSUN database made up for it
"""

import os

import stackgan_tf  # noqa: F401 (before TensorFlow, whose CPU kernels it chooses)

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import sys
from pathlib import Path

from absl import app, flags
from benchmarks import layers
from benchmarks.forms import Asked, measure_in_process
from benchmarks.input_way import GIN_PARAM, input_way
from benchmarks.machine import describe_machine
from benchmarks.onednn import compare_onednn
from benchmarks.preparing import prepare
from benchmarks.report import compare_files, print_rows
from benchmarks.timing import REPEATS

from stackgan_tf.system.atomic_files import write_json
from stackgan_tf.system.command_line import start_quietly
from stackgan_tf.system.errors import UserError

_BASELINE = flags.DEFINE_enum('baseline', None, ['plain'], 'train, sample: what is measured beside each recipe.')
_VARIANT = flags.DEFINE_multi_string('variant', [], 'train, sample: settings of a further form, separated by ";".')
_PROFILE = flags.DEFINE_boolean('profile', False, 'train, sample: says which operations take the time of each form.')
_JSON = flags.DEFINE_string('json', None, 'train, sample: a file for the numbers, the machine and the versions.')
_COMPARE = flags.DEFINE_boolean('compare', False, 'Compares two such files.')

_SUBJECTS = {
    'up_block': layers.up_block,
    'joint_block': layers.joint_block,
    'export': layers.export,
    'pyramid': layers.pyramid,
    'captions': layers.captions,
    'input': input_way,
    'prepare': prepare,
}


def measure_recipes(subject: str, recipes: list[str]) -> None:
    """Measures recipes one after the other, prints the rows and writes them."""
    rows = []
    for recipe in recipes:
        plain = _BASELINE.value is not None
        settings = GIN_PARAM.value, _VARIANT.value
        rows += measure_in_process(Asked(subject, recipe, *settings, plain, REPEATS.value, _PROFILE.value))
    print_rows(rows)
    if _JSON.value:
        write_json(Path(_JSON.value), {'machine': describe_machine(), 'command': sys.argv[1:], 'rows': rows})


def main(arguments: list[str]) -> None:
    """Measures what the command names."""
    subject, *rest = arguments[1:] or ['']
    start_quietly()
    try:
        if _COMPARE.value and len(rest) == 1:
            compare_files(Path(subject), Path(rest[0]))
        elif subject in ('train', 'sample') and rest:
            measure_recipes(subject, rest)
        elif subject == 'onednn' and rest:
            for recipe in rest:
                compare_onednn(Asked('train', recipe, GIN_PARAM.value, [], False, 1, False), REPEATS.value)
        elif subject in _SUBJECTS and not rest:
            _SUBJECTS[subject]()
        else:
            known = ('train RECIPE', 'sample RECIPE', 'onednn RECIPE', *_SUBJECTS)
            raise app.UsageError(f'name what to measure: {", ".join(known)}')
    except UserError as error:
        sys.exit(f'benchmark.py: {error}')


if __name__ == '__main__':
    app.run(main)
