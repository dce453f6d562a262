"""`train` and `sample`: images a second of recipes' models in several forms, which take turns within one process."""

import concurrent.futures
import contextlib
import dataclasses
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from benchmarks.machine import MatrixPeak, peak_memory
from benchmarks.operations import matrix_operations
from benchmarks.operator_times import operator_times
from benchmarks.plain_keras import plain_keras
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.networks.folding import folded
from stackgan_tf.recipe.recipe import read_recipe
from stackgan_tf.system.command_line import start_quietly
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.computation import graphs_in, layers_in
from stackgan_tf.training.devices import set_up_operations

PLAIN = 'plain Keras'
AS_IT_IS = 'the recipe'


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is measured of a recipe.

    Attributes:
        subject: `train` or `sample`.
        recipe: its gin file.
        settings: over it.
        variants: each further settings, separated by semicolons; each is a form of its own.
        plain: whether the recipe as plain Keras layers is one too, and what the others are compared with.
        repeats: measurements of each form.
        profiled: whether a step of each is profiled afterwards.
    """

    subject: str
    recipe: str
    settings: Sequence[str]
    variants: Sequence[str]
    plain: bool
    repeats: int
    profiled: bool


@dataclasses.dataclass
class _Form:
    """One way to do a recipe's work. `work` runs it once on a batch, in `precision`."""

    name: str
    work: tf.types.experimental.ConcreteFunction
    precision: str
    batch_size: int
    steps: int
    seconds: list[float] = dataclasses.field(default_factory=list)

    def run(self) -> None:
        start = time.perf_counter()
        with graphs_in(self.precision):
            tf.nest.map_structure(lambda tensor: tensor.numpy(), self.work())
        self.seconds.append(time.perf_counter() - start)


def measure_in_process(asked: Asked) -> list[dict[str, Any]]:
    """The rows of a recipe, measured in a process of its own: threads and memory are a process's."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as process:
        return process.submit(measure, asked).result()


def measure(asked: Asked) -> list[dict[str, Any]]:
    """The rows of a recipe, see docs/performance.md.

    Raises:
        UserError: the recipe is wrong, or has nothing to sample.
    """
    start_quietly()
    set_up_operations(read_recipe([asked.recipe], asked.settings).run.threads_per_operation)
    make = {'train': _training, 'sample': _sampling}[asked.subject]
    forms = [make(asked, PLAIN, '')] if asked.plain else []
    forms += [make(asked, AS_IT_IS, ''), *(make(asked, variant, variant) for variant in asked.variants)]
    peaks = {dtype: MatrixPeak(dtype) for dtype in ('float32', 'bfloat16')}
    for _ in range(asked.repeats + 1):
        for form in forms:
            form.run()
        for peak in peaks.values():
            peak.measure()
    rows = [_row(asked, form, forms, peaks) for form in forms]
    times = [operator_times(form.run) if asked.profiled else [] for form in forms]
    return [{**row, 'operator_times': of_kinds} for row, of_kinds in zip(rows, times, strict=True)]


def _row(asked: Asked, form: _Form, forms: list[_Form], peaks: dict[str, MatrixPeak]) -> dict[str, Any]:
    """What a form's measurements say; the first of them, which warms up, does not count."""
    seconds, first = form.seconds[1:], forms[0].seconds[1:]
    ratios = [before / now for before, now in zip(first, seconds, strict=True)]
    median = statistics.median(seconds)
    operations = matrix_operations(form.work.graph)
    peak = peaks['bfloat16' if 'bfloat16' in form.precision else 'float32'].gflops
    return {
        'subject': asked.subject,
        'recipe': asked.recipe,
        'settings': list(asked.settings),
        'form': form.name,
        'precision': form.precision,
        'device': 'GPU' if tf.config.list_physical_devices('GPU') else 'CPU',
        'batch': form.batch_size,
        'images_per_second': form.batch_size / median,
        'fastest_images_per_second': form.batch_size / min(seconds),
        'gflop_per_image': 1e-9 * operations / form.batch_size,
        'peak_gflops': peak,
        'share_of_peak': 1e-9 * operations / min(seconds) / peak,
        'times_the_first': statistics.median(ratios),
        'times_the_first_range': [min(ratios), max(ratios)],
        'memory_mib': peak_memory() if len(forms) == 1 else None,  # of several, no one's own
        'hours_of_schedule': form.steps * median / 3600 if asked.subject == 'train' else None,
    }


def _made(asked: Asked, variant: str) -> tuple[Any, str, int]:
    """The model of the last phase, whose data is not asked for; the precision, and the steps of its schedule."""
    settings = [*asked.settings, *(each.strip() for each in variant.split(';') if each.strip())]
    run = read_recipe([asked.recipe], settings).run
    keras.utils.set_random_seed(run.seed)
    with layers_in(run.precision):
        model = run.phases[-1].make_model()
    if not isinstance(model, AdversarialModel):
        raise UserError(f'{asked.recipe} ends with no generator: name a recipe that does')
    return model, run.precision, run.phases[-1].steps


def _form(name: str, work: Callable[[], Any], precision: str, batch_size: int, steps: int) -> _Form:
    return _Form(name, tf.function(work, autograph=False).get_concrete_function(), precision, batch_size, steps)


def _training(asked: Asked, name: str, variant: str) -> _Form:
    with plain_keras() if name == PLAIN else contextlib.nullcontext():
        model, precision, steps = _made(asked, variant)
        batch = made_up_batch(model)
        return _form(name, lambda: model.train_step(batch), precision, model.batch_size, steps)


def _sampling(asked: Asked, name: str, variant: str) -> _Form:
    """Plain Keras's generator is as it trains; the others are baked, as in exports."""
    with plain_keras() if name == PLAIN else contextlib.nullcontext():
        model, precision, steps = _made(asked, variant)
        generator = model.generator_ema
        with layers_in(precision):
            network = generator if name == PLAIN else folded(generator)
        dimensions = [network.noise_dimension]
        if network.embedding_dimension:
            dimensions += [network.embedding_dimension, network.condition_dimension]
        inputs = [tf.random.stateless_normal((model.batch_size, d), (0, d)) for d in dimensions]
        return _form(name, lambda: network(*inputs, training=False), precision, model.batch_size, steps)


def made_up_batch(model: AdversarialModel) -> dict[str, Any]:
    """A batch of noise that a model can train on; no two pictures of one class."""
    rng, rows = np.random.default_rng(0), model.batch_size

    def pictures() -> tuple[tf.Tensor, ...]:
        return tuple(tf.constant(rng.uniform(-1, 1, (rows, s, s, 3)), tf.float32) for s in model.sizes)

    parts = {
        'images': pictures(),
        'embedding': tf.constant(rng.standard_normal((rows, model.embedding_dimension)), tf.float32),
        'has_condition': tf.ones(rows),
        'label': tf.range(rows),
        'mismatched_images': pictures(),
        'mismatched_rows': tf.ones(rows),
    }
    extra = ('has_condition', 'mismatched_rows') if model.embedding_dimension else ()
    return {name: part for name, part in parts.items() if name in (*model.batch_keys, *extra)}
