import dataclasses
import functools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from captioned import Captioned, WordEncoder
from image_files import save
from small_models import TREE, build
from text_phases import Reader, matching, words

import stackgan_tf
from stackgan_tf.data.captions import Captions
from stackgan_tf.data.embeddings import CaptionEmbeddings, LabelVectors
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.loading import load_phase
from stackgan_tf.models.attribute_classifier import AttributeClassifier
from stackgan_tf.models.stackgan_v2 import StackGANv2
from stackgan_tf.runs.checkpoints import Checkpoints
from stackgan_tf.runs.run_directory import RunDirectory
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.character_encoder import CharacterEncoder
from stackgan_tf.training.phase import Phase
from stackgan_tf.training.run import Run
from stackgan_tf.training.text_encoders import check_text_encoder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('STACKGAN_TF_CACHE', str(tmp_path / 'cache'))


def classifier():
    return AttributeClassifier(names=('color', 'parity'), choices=(3, 2), sizes=(8,), batch_size=6, width=4)


def train(workdir, *phases, steps=4):
    made = [Phase(name, model, Captioned, steps, **settings) for name, model, settings in phases]
    run = Run(made, tick=2, checkpoint_every=2, seed=0)
    run.train(RunDirectory(workdir, 'SEED = 0\n'))
    return made


def test_a_later_phase_reads_the_embeddings_of_an_earlier_one(tmp_path):
    encoder = ('encoder', matching, {'test_data': Captioned})
    train(tmp_path / 'run', encoder, ('reader', lambda: Reader(5), {'text_encoder': 'encoder'}))
    trained = load_phase(tmp_path / 'run', 'encoder')
    progress = json.loads((tmp_path / 'run/reader/checkpoints/step_000004/progress.json').read_text())
    assert progress['embeddings'] == trained.fingerprint
    scored = [json.loads(line) for line in (tmp_path / 'run/encoder/metrics.jsonl').read_text().splitlines()]
    assert all(0 <= line['zero_shot_accuracy'] <= 1 for line in scored)


def test_a_trained_text_encoder_loads_from_its_checkpoint(tmp_path):
    train(tmp_path / 'run', ('encoder', matching, {}))
    keras.utils.set_random_seed(99)
    loaded, model = load_phase(tmp_path / 'run', 'encoder'), matching()
    Checkpoints(tmp_path / 'run' / 'encoder' / 'checkpoints').restore(model.checkpoint_variables())
    trained = CharacterEncoder(model.text_encoder, model.image_encoder)
    captions, images = tf.constant(['red 0 of 0']), tf.random.stateless_uniform((2, 8, 8, 3), (0, 1), -1.0)
    np.testing.assert_array_equal(loaded(captions), trained(captions))
    np.testing.assert_array_equal(loaded.encode_images(images), trained.encode_images(images))
    assert loaded.fingerprint == trained.fingerprint


def test_a_run_resumes_with_the_same_embeddings_alone(tmp_path):
    train(tmp_path / 'run', ('reader', Reader, {'text_encoder': words}))
    train(tmp_path / 'run', ('reader', Reader, {'text_encoder': words}), steps=6)

    def others(source):
        return CaptionEmbeddings(source, WordEncoder('other words'))

    with pytest.raises(
        UserError, match='was trained on the embeddings words, now they are other words: resume it with'
    ):
        train(tmp_path / 'run', ('reader', Reader, {'text_encoder': others}), steps=8)


def test_an_encoder_is_not_trained_further_after_a_phase_that_depends_on_it(tmp_path):
    encoder = ('encoder', matching, {})
    phases = encoder, ('reader', lambda: Reader(5), {'text_encoder': 'encoder'})
    train(tmp_path / 'run', *phases)
    with pytest.raises(UserError, match='reader was trained on embeddings of encoder, which would change'):
        train(tmp_path / 'run', *phases, steps=6)


class Gappy(Captioned):
    """The first of every three images has no caption."""

    def captions(self):
        whole = super().captions()
        first, counts = whole.index.first, whole.index.counts
        return Captions(whole.texts[first[i] : first[i] + counts[i]].tolist() if i % 3 else [] for i in range(9))


def test_images_without_captions_are_counted(tmp_path, capsys):
    made = Phase('encoder', matching, Gappy, 2, test_data=Gappy)
    reader = Phase('reader', lambda: Reader(5), Gappy, 2, text_encoder='encoder')
    for name, last in (('kept', reader), ('left', dataclasses.replace(reader, without_captions='left_out'))):
        Run([made, last], tick=2, checkpoint_every=2, seed=0).train(RunDirectory(tmp_path / name, 'SEED = 0\n'))
    said = capsys.readouterr().out
    assert said.count('encoder: 3 of 9 images have no caption and are left out') == 4  # training and test data
    assert 'encoder: 2 steps of 6 of 6 images' in said
    assert said.count('reader: 3 of 9 images have no caption and train the unconditional terms alone') == 1
    assert said.count('reader: 3 of 9 images have no caption and are left out') == 1
    assert 'reader: 2 steps of 3 of 9 images' in said
    assert 'reader: 2 steps of 3 of 6 images' in said


def test_a_checkpoint_holds_the_source_of_the_condition(tmp_path):
    train(tmp_path / 'run', ('reader', lambda: Reader(3), {'text_encoder': LabelVectors}))
    progress = Checkpoints(tmp_path / 'run/reader/checkpoints').progress()
    assert progress['condition_source'] == {'class_names': ['red', 'green', 'blue']}
    assert progress['embedding_scale'] == pytest.approx([1 / 3, 2**0.5 / 3], rel=1e-3)  # of one-hot vectors


def test_data_to_score_on_must_have_captions(tmp_path):
    class Silent(Captioned):
        captions = ExampleSource.captions

    with pytest.raises(UserError, match='has no captions'):
        train(tmp_path / 'run', ('encoder', matching, {'test_data': Silent}))
    with pytest.raises(UserError, match='test_data is of no use'):
        train(tmp_path / 'run', ('reader', Reader, {'text_encoder': words, 'test_data': Captioned}))
    assert not (tmp_path / 'run').exists()


def test_lacking_captions_are_found_before_any_image_is_read(tmp_path, capsys):
    for name in ('train/a.png', 'val/b.png'):
        save(tmp_path / 'images' / name)
    data, held_out = (
        functools.partial(ImageFolder, str(tmp_path / 'images'), (8,), each) for each in ('train', 'test')
    )
    phase = Phase('encoder', matching, data, 4, test_data=held_out)
    run = Run([phase], tick=2, checkpoint_every=2, seed=0)
    with pytest.raises(UserError, match=r'has no captions, .*: none of its 1 images has an x.txt next to x.jpg'):
        run.train(RunDirectory(tmp_path / 'run', 'SEED = 0\n'))
    (tmp_path / 'images' / 'train' / 'a.txt').write_text('a bird')
    with pytest.raises(UserError, match=r'.split test. has 1 images without captions, while those of the other part'):
        run.train(RunDirectory(tmp_path / 'run', 'SEED = 0\n'))
    assert 'First pass' not in capsys.readouterr().out
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize(
    ('phases', 'reason'),
    [
        (
            [('reader', Reader, {'text_encoder': LabelVectors})],
            r'embeddings of reader have 3 numbers, Conditioning\.embedding_dimension = 4: set',
        ),
        ([('reader', Reader, {})], 'reader reads embeddings: set reader/Phase.text_encoder'),
        ([('encoder', matching, {'text_encoder': words})], 'encoder reads no embeddings'),
        (
            [('first', classifier, {}), ('second', Reader, {'text_encoder': 'first'})],
            "second/Phase.text_encoder = 'first': that phase trains no text encoder",
        ),
    ],
)
def test_phases_that_do_not_fit_are_refused(tmp_path, phases, reason):
    with pytest.raises(UserError, match=reason):
        train(tmp_path / 'run', *phases)
    assert not (tmp_path / 'run' / phases[-1][0]).exists()


@pytest.mark.skipif(
    'painted_birds' not in stackgan_tf.presets(), reason='the weights of the preset are not in this tree'
)
def test_a_model_reads_the_embeddings_of_a_preset(tmp_path):
    def tree():
        settings = {'embedding_dimension': 512, 'condition_dimension': 3}
        return build(StackGANv2, **{**TREE, 'sizes': (8,), 'color_consistency__weight': 0.0, **settings})

    train(tmp_path / 'run', ('tree', tree, {'text_encoder': 'preset:painted_birds'}))
    trained, preset = load_phase(tmp_path / 'run', 'tree'), stackgan_tf.from_preset('painted_birds')
    np.testing.assert_array_equal(trained.embed(['a red bird']), preset.embed(['a red bird']))
    assert trained.generate(['a red bird'], seed=0).shape == (1, 8, 8, 3)


def test_a_preset_that_does_not_exist_is_refused():
    with pytest.raises(UserError, match='none'):
        check_text_encoder(Phase('reader', Reader, Captioned, 4, text_encoder='preset:none'), ())
