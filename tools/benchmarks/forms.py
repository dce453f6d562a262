"""`train` and `sample`: images per second of recipes' models in several forms, which alternate within one process."""

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
class Request:
    """The measurement of a recipe.

    Attributes:
        subject: `train` or `sample`.
        recipe: its gin file.
        settings: settings over the recipe.
        variants: further settings, separated by semicolons; each entry is a form.
        plain: whether plain Keras layers are a form too, the one with which the others are compared.
        repeats: measurements of each form.
        profiled: whether a step of each form is profiled afterwards.
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
    """One implementation of a recipe's step. `work` runs it once on a batch, in `precision`."""

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


def measure_in_process(request: Request) -> list[dict[str, Any]]:
    """The rows of a recipe, measured in a new process, because threads and peak memory are per process."""
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as process:
        return process.submit(measure, request).result()


def measure(request: Request) -> list[dict[str, Any]]:
    """The rows of a recipe, see docs/performance.md.

    Raises:
        UserError: the recipe is wrong, or trains no generator.
    """
    start_quietly()
    set_up_operations(read_recipe([request.recipe], request.settings).run.threads_per_operation)
    make = {'train': _training, 'sample': _sampling}[request.subject]
    forms = [make(request, PLAIN, '')] if request.plain else []
    forms += [make(request, AS_IT_IS, ''), *(make(request, variant, variant) for variant in request.variants)]
    peaks = {dtype: MatrixPeak(dtype) for dtype in ('float32', 'bfloat16')}
    for _ in range(request.repeats + 1):
        for form in forms:
            form.run()
        for peak in peaks.values():
            peak.measure()
    rows = [_row(request, form, forms, peaks) for form in forms]
    times = [operator_times(form.run) if request.profiled else [] for form in forms]
    return [{**row, 'operator_times': of_kinds} for row, of_kinds in zip(rows, times, strict=True)]


def _row(request: Request, form: _Form, forms: list[_Form], peaks: dict[str, MatrixPeak]) -> dict[str, Any]:
    """The results of a form, without its first measurement, which warms up."""
    seconds, first = form.seconds[1:], forms[0].seconds[1:]
    ratios = [before / now for before, now in zip(first, seconds, strict=True)]
    median = statistics.median(seconds)
    operations = matrix_operations(form.work.graph)
    peak = peaks['bfloat16' if 'bfloat16' in form.precision else 'float32'].gflops
    return {
        'subject': request.subject,
        'recipe': request.recipe,
        'settings': list(request.settings),
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
        'memory_mib': peak_memory() if len(forms) == 1 else None,  # per process, so not per form
        'hours_of_schedule': form.steps * median / 3600 if request.subject == 'train' else None,
    }


def _made(request: Request, variant: str) -> tuple[Any, str, int]:
    """The model of the last phase, without its data; its precision, and the steps of its schedule."""
    settings = [*request.settings, *(each.strip() for each in variant.split(';') if each.strip())]
    run = read_recipe([request.recipe], settings).run
    keras.utils.set_random_seed(run.seed)
    with layers_in(run.precision):
        model = run.phases[-1].make_model()
    if not isinstance(model, AdversarialModel):
        raise UserError(f'the last phase of {request.recipe} trains no generator: name a recipe whose last phase does')
    return model, run.precision, run.phases[-1].steps


def _form(name: str, work: Callable[[], Any], precision: str, batch_size: int, steps: int) -> _Form:
    return _Form(name, tf.function(work, autograph=False).get_concrete_function(), precision, batch_size, steps)


def _training(request: Request, name: str, variant: str) -> _Form:
    with plain_keras() if name == PLAIN else contextlib.nullcontext():
        model, precision, steps = _made(request, variant)
        batch = synthetic_batch(model)
        return _form(name, lambda: model.train_step(batch), precision, model.batch_size, steps)


def _sampling(request: Request, name: str, variant: str) -> _Form:
    """The generator of plain Keras is not folded; the others are folded, as in exports."""
    with plain_keras() if name == PLAIN else contextlib.nullcontext():
        model, precision, steps = _made(request, variant)
        generator = model.generator_ema
        with layers_in(precision):
            network = generator if name == PLAIN else folded(generator)
        dimensions = [network.noise_dimension]
        if network.embedding_dimension:
            dimensions += [network.embedding_dimension, network.condition_dimension]
        inputs = [tf.random.stateless_normal((model.batch_size, d), (0, d)) for d in dimensions]
        return _form(name, lambda: network(*inputs, training=False), precision, model.batch_size, steps)


def synthetic_batch(model: AdversarialModel) -> dict[str, Any]:
    """A batch of noise that a model can train on, in which every image has a class of its own."""
    rng, rows = np.random.default_rng(0), model.batch_size

    def images() -> tuple[tf.Tensor, ...]:
        return tuple(tf.constant(rng.uniform(-1, 1, (rows, s, s, 3)), tf.float32) for s in model.sizes)

    parts = {
        'images': images(),
        'embedding': tf.constant(rng.standard_normal((rows, model.embedding_dimension)), tf.float32),
        'has_condition': tf.ones(rows),
        'label': tf.range(rows),
        'mismatched_images': images(),
        'mismatched_rows': tf.ones(rows),
    }
    extra = ('has_condition', 'mismatched_rows') if model.embedding_dimension else ()
    return {name: part for name, part in parts.items() if name in (*model.batch_keys, *extra)}
