"""Evaluators, feature extractors and references from their names."""

import dataclasses

import keras
import numpy as np
import pytest
from captioned import Captioned, WordEncoder
from clip_words import save_clip
from drawn_images import Painter
from feature_extractors import TfganStandIn
from image_files import photograph, save

from stackgan_tf.commands.evaluators import (
    Evaluator,
    build_evaluator,
    load_features,
    load_reference,
    load_test_data,
    open_model,
)
from stackgan_tf.data.image_folder.image_folder import ImageFolder
from stackgan_tf.evaluation.image_sources import FolderImages
from stackgan_tf.networks.attribute_classifier import AttributeClassifierNetwork
from stackgan_tf.recipe.recipe import read_recipe
from stackgan_tf.saved_models.classifier_module import export_classifier
from stackgan_tf.system.errors import UserError


@pytest.fixture(scope='module')
def classifier(tmp_path_factory):
    """An exported classifier of 16 pixels."""
    keras.utils.set_random_seed(0)
    network = AttributeClassifierNetwork(size=16, choices=(3, 2), width=4)
    network.build((None, 16, 16, 3))
    folder = tmp_path_factory.mktemp('classifier') / 'export'
    export_classifier(network, folder)
    return folder


def images(folder, count=8):
    for number in range(count):
        save(folder / f'{number}.png', photograph(16, 16, seed=number))
    return str(folder)


def test_two_folders_are_compared(classifier, tmp_path):
    one = images(tmp_path / 'one')
    evaluator = build_evaluator(
        images(tmp_path / 'other'), features=f'saved_model:{classifier}', resize='legacy', fid_64=True
    )
    found = evaluator.measure(open_model(one), evaluator.reference(16))
    assert found.scores['fid'].value == pytest.approx(0, abs=1e-6)
    assert found.scores['fid_64'].value == pytest.approx(0, abs=1e-6)
    assert (found.scores['fid'].count, evaluator.count) == (8, 10_000)
    assert f'(the files of {one})' in found.scores['fid'].protocol
    assert 'legacy resize to 16 pixels' in found.scores['fid'].protocol


def test_a_folder_alone_cannot_be_measured(tmp_path):
    model = open_model(images(tmp_path / 'one'))
    assert isinstance(model, FolderImages)
    with pytest.raises(UserError, match='name what to measure by'):
        build_evaluator()
    with pytest.raises(UserError, match='--features has no effect without --reference'):
        build_evaluator(classifier='somewhere', features='keras_inception')
    evaluator = Evaluator(9, 0, None, None, None, False, False, None, None)
    with pytest.raises(UserError, match='can only be measured against a --reference'):
        evaluator.measure(model, evaluator.reference(16))


def test_clip_is_opened_with_its_image_tower(classifier, tmp_path):
    pytest.importorskip('keras_hub', reason="needs the extra 'clip'")
    save_clip(tmp_path / 'clip')
    evaluator = build_evaluator(
        images(tmp_path / 'one'), features=f'saved_model:{classifier}', clip=str(tmp_path / 'clip'), count=9
    )
    alone = dataclasses.replace(evaluator, extractor=None, folder=None, source=Captioned(9))
    found = alone.measure(Painter(), None).scores
    assert {'clip_score', 'clip_score_real', 'clip_r_precision', 'clip_r_precision_real'} <= set(found)
    assert 0 <= found['clip_score'].value <= 100
    assert evaluator.clip.image_hash in found['clip_score'].protocol
    assert 'resize to 32 pixels' in found['clip_score'].protocol


def test_clip_cannot_score_a_folder(classifier, tmp_path):
    model = open_model(images(tmp_path / 'one'))
    evaluator = build_evaluator(images(tmp_path / 'other'), features=f'saved_model:{classifier}')
    with pytest.raises(UserError, match=r'--clip needs captions, which .* does not have: leave out --clip'):
        dataclasses.replace(evaluator, clip=WordEncoder()).measure(model, evaluator.reference(16))


@pytest.mark.parametrize(('size', 'measured'), [(None, False), (8, True), (32, False)])
def test_a_models_own_encoder_measures_what_it_can_read(size, measured):
    painter = Painter()
    painter.encoder = WordEncoder()
    painter.encoder.image_size = size
    evaluator = Evaluator(9, 0, None, None, Captioned(9), False, False, None, None)
    assert ('r_precision' in evaluator.measure(painter, None).scores) == measured
    if not measured:
        with_encoder = dataclasses.replace(evaluator, encoder=painter.encoder)
        with pytest.raises(UserError, match='cannot read images of 16 pixels: leave out --text_encoder'):
            with_encoder.measure(painter, None)


def test_a_run_gives_its_data_as_its_recipe_crops_them(tmp_path):
    for split in ('train', 'test'):
        images(tmp_path / 'images' / split, 3 if split == 'train' else 2)
    settings = [f"IMAGE_ROOT = '{tmp_path}/images'", 'SIZES = (8,)', "ImageFolder.split = 'train'"]
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'config.gin').write_text(read_recipe(['gin/image_folder.gin'], settings).config)
    source = load_reference(f'{tmp_path}/run', 'test')
    assert isinstance(source, ImageFolder)
    assert source.count == 2
    assert source.crops(np.arange(2), np.full((2, 2), 0.5, np.float32), 8).shape == (2, 8, 8, 3)


def test_the_split_chooses_among_the_test_data_of_a_run(tmp_path):
    for split, count in (('train', 3), ('test', 2)):
        images(tmp_path / 'images' / split, count)
    recipe = read_recipe(['gin/text/image_folder.gin'], [f"IMAGE_ROOT = '{tmp_path}/images'", 'SIZES = (8,)'])
    (tmp_path / 'run').mkdir()
    (tmp_path / 'run' / 'config.gin').write_text(recipe.config)
    assert [load_test_data(tmp_path / 'run', split).count for split in ('train', 'test')] == [3, 2]
    (tmp_path / 'run' / 'config.gin').write_text(read_recipe(['gin/quickstart.gin']).config)
    with pytest.raises(UserError, match='has no test data: name a data set with --reference'):
        load_test_data(tmp_path / 'run', 'test')


def test_a_copy_of_tfgans_inception_by_name(tmp_path):
    import tensorflow as tf

    tf.saved_model.save(TfganStandIn(), str(tmp_path / 'copy'))
    assert load_features(f'tfgan_inception:{tmp_path}/copy', 'legacy').name == 'tfgan_inception'


def test_a_saved_models_input_size(classifier):
    assert load_features(f'saved_model:{classifier}').size == 16
    assert load_features(f'saved_model:{classifier}@16').size == 16
    with pytest.raises(UserError, match='does not map images of 20 pixels'):
        load_features(f'saved_model:{classifier}@20')


@pytest.mark.parametrize(
    ('what', 'message'),
    [
        ('inception', "no features 'inception': there are tfgan_inception"),
        ('saved_model:', "no features 'saved_model:'"),
        ('saved_model:/nowhere', 'no model can be loaded from'),
        ('classifier:/nowhere', 'is no run'),
        ('keras_inception:/nowhere.h5', 'no weights'),
    ],
)
def test_features_that_do_not_exist(what, message):
    with pytest.raises(UserError, match=message):
        load_features(what)


def test_a_reference_that_does_not_exist():
    with pytest.raises(UserError, match="no data set 'no_such_data'"):
        load_reference('no_such_data', 'test')
