"""tools/benchmark.py: compared forms compute the same, and operations are counted correctly. Nothing is timed here."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import TREE, build

from stackgan_tf.models.stackgan_v1 import StageI
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.system.errors import UserError

TOOLS = Path(__file__).parents[2] / 'tools'
pytestmark = pytest.mark.skipif(not TOOLS.exists(), reason='needs the source tree')


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    from benchmarks import forms, operations, plain_keras, report

    return {'forms': forms, 'operations': operations, 'plain_keras': plain_keras, 'report': report}


def tree(pairs):
    return build(StackGANv2, **{**TREE, 'sizes': (16, 32)}, embedding_dimension=7, condition_dimension=3, pairs=pairs)


def stage(pairs):
    return build(
        StageI,
        size=32,
        batch_size=4,
        noise_dimension=8,
        generator_width=8,
        discriminator__width=4,
        embedding_dimension=7,
        condition_dimension=3,
        pairs=pairs,
    )


@pytest.mark.parametrize(('make', 'pairs'), [(tree, 'text'), (tree, 'image'), (stage, 'text')])
def test_plain_keras_is_the_same_step(benchmarks, make, pairs):
    results = []
    for plain in (False, True):
        keras.utils.set_random_seed(0)
        with benchmarks['plain_keras'].plain_keras() if plain else tf.name_scope(''):
            model = make(pairs)
            batch = benchmarks['forms'].synthetic_batch(model)
            step = tf.function(lambda: model.train_step(batch))  # noqa: B023
            work = step.get_concrete_function()
            records = [work(), work()]  # the second depends on the updates of the first
        operations = benchmarks['operations'].matrix_operations(work.graph)
        results.append((operations, records, [type(each).__name__ for each in model.optimizers()]))
    (fast, records, kinds), (slow, plain_records, plain_kinds) = results
    assert fast < 0.95 * slow
    assert set(kinds) == {'FusedAdam'}
    assert set(plain_kinds) == {'Adam'}
    for record, plain_record, tolerance in zip(records, plain_records, (1e-4, 2e-2), strict=True):
        assert record.keys() == plain_record.keys()
        for name, value in plain_record.items():
            np.testing.assert_allclose(record[name], value, rtol=tolerance, atol=tolerance, err_msg=name)


def test_operations_that_never_run_are_not_counted(benchmarks):
    x, kernel, weights = tf.ones((2, 8, 8, 3)), tf.Variable(tf.ones((3, 3, 3, 5))), tf.ones((5, 7))

    @tf.function
    def work():
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.nn.conv2d(x, kernel, 1, 'SAME') @ weights)
        return tape.gradient(loss, x)  # the kernel's gradient and the product's value are not needed

    convolution, product = 2 * (2 * 8 * 8) * 9 * 3 * 5, 2 * (2 * 8 * 8) * 5 * 7
    count = benchmarks['operations'].matrix_operations
    assert count(work.get_concrete_function().graph) == convolution + product
    forward = tf.function(lambda: tf.nn.conv2d(x, kernel, 2, 'SAME'))
    assert count(forward.get_concrete_function().graph) == convolution // 4


def row(speed, **changes):
    same = {'subject': 'train', 'recipe': 'gin/cub.gin', 'settings': [], 'form': 'the recipe', 'batch': 8}
    return {**same, 'images_per_second': speed, **changes}


def test_two_files_are_compared_row_by_row(benchmarks, tmp_path, capsys):
    before, after = tmp_path / 'before.json', tmp_path / 'after.json'
    before.write_text(json.dumps({'machine': {'cores': 2}, 'rows': [row(2.0), row(9.0, batch=4)]}))
    after.write_text(json.dumps({'machine': {'cores': 4}, 'rows': [row(3.0)]}))
    benchmarks['report'].compare_files(before, after)
    machine, line = capsys.readouterr().out.splitlines()
    assert 'differ' in machine
    assert line.endswith('2.00 to 3.00 images/s, 1.50 times')
    after.write_text(json.dumps({'machine': {}, 'rows': [row(3.0, recipe='gin/flowers.gin')]}))
    with pytest.raises(UserError, match='no measurement in common'):
        benchmarks['report'].compare_files(before, after)
    after.write_text('{}')
    with pytest.raises(UserError, match='cannot be read'):
        benchmarks['report'].compare_files(before, after)
