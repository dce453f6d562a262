"""Figures whose conditions come from a data set, with tiny models."""

import numpy as np
import pytest
from captioned import Captioned, WordEncoder
from feature_extractors import MeanColours
from small_models import tree_network

from stackgan_tf import preset_files
from stackgan_tf.commands.data_figures import failures_of, generate, neighbor_figure, tsne_figure
from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.system.errors import UserError


@pytest.fixture(scope='module')
def model():
    network = tree_network(embedding_dimension=4)
    return NetworkGenerator(network, WordEncoder())


def test_images_of_a_data_set_and_their_captions(model):
    generated = generate(model, Captioned(), 20, seed=3)
    assert generated.images.shape == (20, 16, 16, 3)
    np.testing.assert_allclose(generated.embeddings, model.embed(generated.conditions), atol=1e-6)
    row = 7
    expected = model.generate([generated.conditions[row]], seed=3 + row)
    np.testing.assert_array_equal(generated.images[row : row + 1], expected)


def test_a_conditional_model_needs_data(model):
    with pytest.raises(UserError, match='with --data'):
        generate(model, None, 3, seed=0)


def test_a_map_says_how_many_are_collapsed(model):
    figure, note = tsne_figure(model, Captioned(), MeanColours(), 40, seed=0)
    assert figure.shape[1] >= 900
    assert 't-SNE of 40 images' in note
    assert 'Collapsed: ' in note
    with pytest.raises(UserError, match='at least 16 images'):
        tsne_figure(model, Captioned(), MeanColours(), 5, seed=0)


def test_neighbors_are_training_images(model):
    figure, note = neighbor_figure(model, Captioned(), Captioned(30), MeanColours(), 2, 20, 3, seed=0, tile=64)
    assert figure.shape[1] == 190 + 4 * 64
    assert 'nearest of 20 training images' in note
    neighbors = figure[26 : 26 + 2 * 64, 190 + 64 :].reshape(-1, 3)
    assert {tuple(color) for color in neighbors} <= {(255, 0, 0), (0, 255, 0), (0, 0, 255)}


def test_failures_are_those_of_the_model_s_own_discriminator(model, tmp_path, monkeypatch):
    monkeypatch.setattr(preset_files, '_FOLDER', tmp_path)
    discriminators = {}
    for size in (8, 16):
        discriminators[f'discriminator_{size}'] = ScaleDiscriminator(size=size, width=4, condition_dimension=3)
        discriminators[f'discriminator_{size}'].build((None, size, size, 3))
    preset_files.write_preset(tmp_path / 'tiny', {'generator_ema': model.network, **discriminators}, {})
    figure, note = failures_of(model, 'preset:tiny', Captioned(), 9, 2, seed=0, tile=64)
    assert figure.shape[1] == 2 * 64
    assert 'discriminator of 16 pixels' in note
