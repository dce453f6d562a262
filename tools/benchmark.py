"""Measures the project's claims about speed, as ratios within one run.

python tools/benchmark.py train RECIPE ...   images per second, share of the machine's matrix-product peak, memory, and
                                       hours of the schedule: the last phase of recipes, on synthetic batches. With
                                       --baseline=plain, the same math as plain Keras layers alternates with it;
                                       so does each --variant="SETTING; SETTING"
python tools/benchmark.py sample RECIPE ...  the same for its generator, folded as in exports
python tools/benchmark.py onednn RECIPE ...  training with oneDNN's CPU kernels and with TensorFlow's own, alternating
python tools/benchmark.py --compare A.json B.json  the speedup of the second file over the first, both from --json
python tools/benchmark.py up_block     the folded form against the plain one, by size
python tools/benchmark.py joint_block  the spread-out vector against a convolution of the tiled one
python tools/benchmark.py export       generation one by one, as in exports, against batches
python tools/benchmark.py pyramid      the lower scales of the pyramid: TensorFlow's resizing against compiled sums
python tools/benchmark.py captions     captions per second of the published text encoders
python tools/benchmark.py input        images per second of a recipe's input, and its bottleneck; without a recipe,
                                       gin/image_folder.gin on synthetic images, from its cache and from their files
python tools/benchmark.py prepare      records per second and memory of the preparation of a synthetic LSUN database
"""

import os

import stackgan_tf  # noqa: F401 (chooses TensorFlow's CPU kernels before TensorFlow is imported)

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '2')

import sys
from pathlib import Path

from absl import app, flags
from benchmarks import layers
from benchmarks.forms import Request, measure_in_process
from benchmarks.input_pipeline import GIN_PARAM, input_pipeline
from benchmarks.machine import describe_machine
from benchmarks.onednn import compare_onednn
from benchmarks.preparing import prepare
from benchmarks.report import compare_files, print_rows
from benchmarks.timing import REPEATS

from stackgan_tf.system.atomic_files import check_writable, write_json
from stackgan_tf.system.command_line import start_quietly
from stackgan_tf.system.errors import UserError

_BASELINE = flags.DEFINE_enum('baseline', None, ['plain'], 'train, sample: the baseline of each recipe.')
_VARIANT = flags.DEFINE_multi_string('variant', [], 'train, sample: settings of a further form, separated by ";".')
_PROFILE = flags.DEFINE_boolean('profile', False, 'train, sample: print the operations that take most of the time.')
_JSON = flags.DEFINE_string('json', None, 'train, sample: a file for the numbers, the machine and the versions.')
_COMPARE = flags.DEFINE_boolean('compare', False, 'Compare two files of --json.')

_SUBJECTS = {
    'up_block': layers.up_block,
    'joint_block': layers.joint_block,
    'export': layers.export,
    'pyramid': layers.pyramid,
    'captions': layers.captions,
    'input': input_pipeline,
    'prepare': prepare,
}


def measure_recipes(subject: str, recipes: list[str]) -> None:
    """Measures recipes one after another, prints the rows and writes them."""
    if _JSON.value:
        check_writable(Path(_JSON.value))
    rows = []
    for recipe in recipes:
        plain = _BASELINE.value is not None
        settings = GIN_PARAM.value, _VARIANT.value
        rows += measure_in_process(Request(subject, recipe, *settings, plain, REPEATS.value, _PROFILE.value))
    print_rows(rows)
    if _JSON.value:
        write_json(Path(_JSON.value), {'machine': describe_machine(), 'command': sys.argv[1:], 'rows': rows})


def main(arguments: list[str]) -> None:
    """Measures the subject of the command line."""
    subject, *rest = arguments[1:] or ['']
    start_quietly()
    try:
        if _COMPARE.value and len(rest) == 1:
            compare_files(Path(subject), Path(rest[0]))
        elif subject in ('train', 'sample') and rest:
            measure_recipes(subject, rest)
        elif subject == 'onednn' and rest:
            for recipe in rest:
                compare_onednn(Request('train', recipe, GIN_PARAM.value, [], False, 1, False), REPEATS.value)
        elif subject in _SUBJECTS and not rest:
            _SUBJECTS[subject]()
        else:
            known = ('train RECIPE', 'sample RECIPE', 'onednn RECIPE', *_SUBJECTS)
            raise app.UsageError(f'name a subject: {", ".join(known)}')
    except UserError as error:
        sys.exit(f'benchmark.py: {error}')


if __name__ == '__main__':
    app.run(main)
