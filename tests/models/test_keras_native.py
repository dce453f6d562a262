"""Training models are Keras models: `fit` with its history and callbacks, calls, `predict`, saving and loading."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import build as small

from stackgan_tf.models.attribute_classifier import AttributeClassifier
from stackgan_tf.models.stackgan_v1 import StageI, StageII
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.models.text_matching import TextMatching
from stackgan_tf.system.errors import UserError

N, Z, T, E = 4, 5, 6, 3  # batch size, dimensions of noise, embeddings and conditions
STEPS, EPOCHS = 2, 2
TREE = {'sizes': (8, 16), 'batch_size': N, 'noise_dimension': Z, 'residual_blocks': 1}
WIDTHS = {'generator_width': 8, 'discriminator__width': 4}
CONDITION = {'embedding_dimension': T, 'condition_dimension': E}


def stage_one():
    return small(StageI, size=8, batch_size=N, noise_dimension=Z, **WIDTHS, **CONDITION)


def stage_two():
    return small(StageII, stage_one().generator_ema, size=16, batch_size=N, residual_blocks=1, **WIDTHS, **CONDITION)


def text_matching():
    return TextMatching(sizes=(16,), batch_size=N, widths=(8, 8, 8), dimension=8, initial_range=0.0, image_width=4)


MODELS = {
    'unconditional': lambda: small(StackGANv2, **TREE, **WIDTHS),
    'conditional': lambda: small(StackGANv2, **TREE, **WIDTHS, **CONDITION),
    'stage_one': stage_one,
    'stage_two': stage_two,
    'text_matching': text_matching,
    'attributes': lambda: AttributeClassifier(
        names=('color', 'size'), choices=(3, 2), sizes=(8,), batch_size=N, width=4
    ),
}
GENERATIVE = ('unconditional', 'conditional', 'stage_one', 'stage_two')


def build(name):
    keras.utils.set_random_seed(0)
    return MODELS[name]()


def batches(model):
    """The batches of one epoch."""
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        images = tuple(rng.uniform(-1, 1, (N, s, s, 3)).astype('float32') for s in model.sizes)
        yield {
            'images': images,
            'embedding': rng.normal(size=(N, T)).astype('float32'),
            'has_condition': np.ones(N, 'float32'),
            'label': np.array([0, 1, 2, 0], 'int32'),
            'tokens': rng.integers(1, 60, (N, 201)).astype('int32'),
            'attributes': rng.integers(0, 2, (N, 2)).astype('int32'),
        }


def data(model):
    """The same epoch again and again."""
    elements = [tf.data.Dataset.from_tensors(batch) for batch in batches(model)]
    return elements[0].concatenate(elements[1]).repeat()


def inputs_of(model):
    """Inputs for three rows of `call`."""
    rng = np.random.default_rng(1)
    if isinstance(model, TextMatching):
        return rng.integers(1, 60, (3, 201)).astype('int32')
    if isinstance(model, AttributeClassifier):
        return rng.uniform(-1, 1, (3, 8, 8, 3)).astype('float32')
    noise = rng.normal(size=(3, Z)).astype('float32')
    return (
        {'noise': noise, 'embedding': rng.normal(size=(3, T)).astype('float32')} if model.embedding_dimension else noise
    )


def outputs_of(model):
    return [output.numpy() for output in tf.nest.flatten(model(inputs_of(model)))]


class Fitted:
    """A model after `fit`, with what its callbacks got; and the same model saved and loaded."""

    def __init__(self, name, folder):
        self.name = name
        self.model = build(name)
        self.monitor = next(key for key in self.model.recorded if 'loss' in key)
        self.log, self.best, saved = folder / 'log.csv', folder / 'best.keras', folder / 'saved.keras'
        self.early_stopping = keras.callbacks.EarlyStopping(monitor=self.monitor, mode='min', patience=9)
        callbacks = [
            keras.callbacks.CSVLogger(str(self.log)),
            keras.callbacks.ModelCheckpoint(str(self.best), monitor=self.monitor, mode='min', save_best_only=True),
            self.early_stopping,
        ]
        self.history = self.fit(self.model, EPOCHS, callbacks)
        self.outputs = outputs_of(self.model)
        self.model.save(saved)
        self.loaded = keras.models.load_model(saved)

    def fit(self, model, epochs=1, callbacks=()):
        return model.fit(
            data(model), steps_per_epoch=STEPS, epochs=epochs, callbacks=list(callbacks), verbose=0, shuffle=False
        ).history


@pytest.fixture(scope='module', params=MODELS)
def fitted(request, tmp_path_factory):
    return Fitted(request.param, tmp_path_factory.mktemp(request.param))


def test_history_holds_the_means_of_each_epoch(fitted):
    model = build(fitted.name)
    for epoch in range(EPOCHS):
        records = [model.train_step(batch) for batch in batches(model)]
        for name in model.recorded:
            mean = np.mean([float(record[name]) for record in records])
            assert fitted.history[name][epoch] == pytest.approx(mean, rel=1e-3, abs=1e-4), name
    assert set(fitted.history) == set(model.recorded)


def test_callbacks_get_the_means(fitted):
    rows = list(csv.DictReader(fitted.log.open()))
    for name in fitted.model.recorded:
        assert [float(row[name]) for row in rows] == pytest.approx(fitted.history[name], rel=1e-5)
    assert fitted.early_stopping.best == pytest.approx(min(fitted.history[fitted.monitor]))
    assert fitted.best.exists()


def test_a_saved_model_is_loaded_with_its_outputs_and_step_and_resumes(fitted):
    assert int(fitted.loaded.step) == EPOCHS * STEPS
    for output, expected in zip(outputs_of(fitted.loaded), fitted.outputs, strict=True):
        np.testing.assert_array_equal(output, expected)
    fitted.loaded.run_eagerly = True  # tracing another step takes seconds
    uninterrupted, resumed = fitted.fit(fitted.model), fitted.fit(fitted.loaded)
    for name, values in uninterrupted.items():
        assert resumed[name] == pytest.approx(values, rel=1e-4, abs=1e-5), name


def test_call_and_predict_give_the_images_of_generator_ema(fitted):
    if fitted.name not in GENERATIVE:
        pytest.skip('it generates nothing')
    model, inputs = fitted.model, inputs_of(fitted.model)
    if model.embedding_dimension:
        noise, zeros = inputs['noise'], np.zeros((3, model.generator_ema.condition_dimension), 'float32')
        expected = model.generator_ema(noise, inputs['embedding'], zeros, training=False)
        wrong, takes = noise, 'a dict of noise and embedding'
    else:
        expected = model.generator_ema(inputs, training=False)
        wrong, takes = {'noise': inputs, 'embedding': np.zeros((3, T), 'float32')}, 'noise alone'
    called, predicted = model(inputs), model.predict(inputs, verbose=0)
    for image, one, other in zip(expected, called, predicted, strict=True):
        np.testing.assert_array_equal(one, image)
        np.testing.assert_allclose(other, image, atol=1e-5)
    for generate in (model, lambda given: model.predict(given, verbose=0)):
        with pytest.raises(UserError, match=f'this {type(model).__name__} takes {takes}$'):
            generate(wrong)


def test_conditioning_noise_is_an_input_too(fitted):
    if fitted.name not in GENERATIVE[1:]:
        pytest.skip('it is not conditional')
    inputs = inputs_of(fitted.model)
    noise = np.ones((3, fitted.model.generator_ema.condition_dimension), 'float32')
    mean, drawn = fitted.model(inputs)[-1], fitted.model({**inputs, 'conditioning_noise': noise})[-1]
    assert not np.array_equal(mean, drawn)


def test_text_matching_embeds_captions_and_images():
    model = build('text_matching')
    batch = next(batches(model))
    images, tokens = batch['images'][-1], batch['tokens']
    both = model({'tokens': tokens, 'images': images})
    assert set(both) == {'tokens', 'images'}
    np.testing.assert_array_equal(both['tokens'], model(tokens))
    np.testing.assert_array_equal(both['tokens'], model.text_encoder(tokens))
    np.testing.assert_array_equal(both['images'], model({'images': images})['images'])
    np.testing.assert_array_equal(both['images'], model.image_encoder(images, training=False))
    with pytest.raises(UserError, match=r'takes tokens, or a dict of tokens, images or both$'):
        model({'noise': images})


def test_an_attribute_classifier_gives_the_logits_of_each_attribute():
    model = build('attributes')
    images = inputs_of(model)
    assert [logits.shape for logits in model.predict(images, verbose=0)] == [(3, 3), (3, 2)]
    for logits, expected in zip(model(images), model.network(images, training=False), strict=True):
        np.testing.assert_array_equal(logits, expected)
