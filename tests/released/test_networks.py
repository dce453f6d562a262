"""Released weights, against a second, channels-first implementation of the released networks."""

import resource

import numpy as np
import pytest
from pytorch_files import saved_in_2017, saved_today
from released_arithmetic import OnNumpy, OnTorch
from released_reference import (
    Release,
    as_released,
    random_weights,
    scale_discriminator_shapes,
    stage_discriminator_shapes,
    stage_one_shapes,
    stage_two_shapes,
    tree_shapes,
)

from stackgan_tf.formats.pytorch import read_state_dict
from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.released.networks import network_of, released_weights
from stackgan_tf.system.errors import UserError

SMALL = {'embedding': 12, 'condition': 5, 'noise': 7}


def draws(*widths, seed=1, count=2):
    generator = np.random.default_rng(seed)
    return [generator.standard_normal((count, width), np.float32) for width in widths]


def image(size, seed=2):
    return np.random.default_rng(seed).uniform(-1, 1, (2, size, size, 3)).astype('float32')


def assert_same_images(ours, theirs, tolerance=2e-5):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        other = np.asarray(other).transpose(0, 2, 3, 1)
        assert other.std() > 0.1  # neither gray nor saturated
        assert np.mean(np.abs(other) > 0.999) < 0.3
        np.testing.assert_allclose(one, other, atol=tolerance)


def test_v2_generator_with_embeddings():
    weights = random_weights(tree_shapes(16, residual=1, branches=2, **SMALL))
    tree = network_of(weights, 'netG.pth')
    assert (tree.sizes, tree.generator_width, tree.residual_blocks) == ((64, 128), 16, 1)
    assert (tree.noise_dimension, tree.embedding_dimension, tree.condition_dimension) == (7, 12, 5)
    given = draws(7, 12, 5)
    assert_same_images(tree(*given), Release(weights).tree(*given))


def test_v2_generator_without_captions():
    weights = random_weights(tree_shapes(16, embedding=0, noise=7, branches=2))
    tree = network_of(weights, 'netG.pth')
    assert (tree.noise_dimension, tree.embedding_dimension, tree.residual_blocks) == (7, 0, 2)
    assert_same_images(tree(*draws(7)), Release(weights).tree(*draws(7)))


@pytest.mark.parametrize('condition', [0, 5])
@pytest.mark.parametrize('size', [64, 128, 256])
def test_v2_discriminators(size, condition):
    weights = random_weights(scale_discriminator_shapes(size, 4, condition))
    discriminator = network_of(weights, 'netD.pth')
    assert (discriminator.size, discriminator.width, discriminator.condition_dimension) == (
        size,
        4,
        condition,
    )
    conditions = draws(5) if condition else []
    ours = discriminator(image(size), *conditions)
    theirs = Release(weights).scale_discriminator(image(size).transpose(0, 3, 1, 2), *conditions)
    np.testing.assert_allclose(ours if condition else [ours], theirs, rtol=1e-4, atol=1e-5)


def test_v1_stage_one():
    weights = random_weights(stage_one_shapes(16, **SMALL))
    network = network_of(weights, 'netG.pth')
    assert (network.sizes, network.generator_width, network.activation) == ((64,), 16, 'relu')
    given = draws(7, 12, 5)
    assert_same_images(network(*given), [Release(weights).stage_one(*given)])


def test_v1_both_stages():
    weights = random_weights(stage_two_shapes(32, residual=1, **SMALL))
    network = network_of(weights, 'netG.pth')
    assert (network.sizes, network.condition_dimension, network.stage_two.residual_blocks) == ((64, 256), 10, 1)
    z, embedding, first, second = draws(7, 12, 5, 5, count=1)
    ours = network(z, embedding, np.concatenate([first, second], 1))
    assert_same_images(ours, Release(weights).stage_two(z, embedding, first, second))


@pytest.mark.parametrize('size', [64, 256])
def test_v1_discriminators(size):
    weights = random_weights(stage_discriminator_shapes(size, 4, 5))
    discriminator = network_of(weights, 'netD.pth')
    assert (discriminator.size, discriminator.width, discriminator.unconditional) == (
        size,
        4,
        size == 256,
    )
    ours = discriminator(image(size), *draws(5))
    theirs = Release(weights).stage_discriminator(image(size).transpose(0, 3, 1, 2), *draws(5))
    np.testing.assert_allclose(ours if size == 256 else [ours], theirs, rtol=1e-4, atol=1e-5)


def test_published_sizes():
    """The key tables have the published numbers of parameters."""
    trained = [
        (tree_shapes(), 21_239_696),
        (tree_shapes(embedding=0), 16_472_208),
        (scale_discriminator_shapes(64), 5_723_906),
        (scale_discriminator_shapes(128, condition=0), 15_875_841),
        (scale_discriminator_shapes(256), 71_269_122),
        (stage_one_shapes(), 20_020_832),
        (stage_two_shapes(), 57_151_312),
        (stage_discriminator_shapes(64), 12_407_425),
        (stage_discriminator_shapes(256), 159_889_538),
    ]
    for shapes, count in trained:
        assert sum(np.prod(shape) for key, shape in shapes.items() if 'running' not in key) == count
    assert len(tree_shapes()) == 90
    assert len(as_released(tree_shapes())) == 107


@pytest.fixture(scope='module')
def birds():
    return random_weights(tree_shapes())


@pytest.mark.parametrize('saved', [saved_in_2017, saved_today])
def test_birds_in_full(birds, saved, tmp_path):
    path = tmp_path / 'netG_210000.pth'
    path.write_bytes(saved(as_released(birds, counters=saved is saved_today)))
    tree = network_of(read_state_dict(path), str(path))
    assert tree.count_params() == 21_239_696 + 2 * sum(len(v) for k, v in birds.items() if k.endswith('running_var'))
    if saved is saved_today:
        given = draws(100, 1024, 128, count=1)
        assert_same_images(tree(*given), Release(birds, OnNumpy).tree(*given), 1e-4)


def test_birds_on_pytorch(birds):
    torch = pytest.importorskip('torch')
    tree = network_of(birds, 'netG.pth')
    given = draws(100, 1024, 128)
    weights = {key: torch.from_numpy(value) for key, value in birds.items()}
    with torch.no_grad():
        theirs = Release(weights, OnTorch(torch)).tree(*map(torch.from_numpy, given))
    assert_same_images(tree(*given), [other.numpy() for other in theirs], 1e-4)


@pytest.mark.parametrize(
    'shapes',
    [
        tree_shapes(16, branches=2, **SMALL),
        scale_discriminator_shapes(128, 4, 5),
        stage_one_shapes(16, **SMALL),
        stage_two_shapes(32, residual=1, **SMALL),
        stage_discriminator_shapes(256, 4, 5),
    ],
)
def test_there_and_back(shapes):
    weights = random_weights(shapes)
    back = released_weights(network_of(weights, 'net.pth'), 'net')
    prefix = 'module.' if 'jointConv.0.weight' in shapes or 'h_net1.fc.0.weight' in shapes else ''
    assert list(back) == [prefix + key for key in shapes]  # in the order of the release
    for key, value in weights.items():
        np.testing.assert_array_equal(back[prefix + key], value, strict=True)


def test_every_mistake_is_named():
    weights = random_weights(tree_shapes(16, branches=2, **SMALL))
    weights['h_net2.upsample.1.weight'] = weights['h_net2.upsample.1.weight'][:, :, :1]
    for key in ('h_net1.fc.1.running_var', 'ca_net.fc.bias'):
        del weights[key]
    weights['h_net2.attention.weight'] = np.zeros(3, 'f4')
    with pytest.raises(UserError) as info:
        network_of(weights, 'netG.pth')
    assert str(info.value) == (
        'netG.pth is not a generator of StackGAN-v2 as released: it lacks ca_net.fc.bias, h_net1.fc.1.running_var; '
        'it also has h_net2.attention.weight; h_net2.upsample.1.weight is (16, 16, 1, 3) and not (16, 16, 3, 3)'
    )


def test_other_networks_are_refused():
    with pytest.raises(UserError, match=r'holds none of the released networks of StackGAN: its weights are conv1\.'):
        network_of({'conv1.weight': np.zeros(3)}, 'resnet.pth')
    with pytest.raises(UserError, match='its weights are none'):
        network_of({}, 'empty.pth')
    with pytest.raises(UserError, match=r"its weights are 'a\\nb'"):
        network_of({'a\nb': np.zeros(3)}, 'odd.pth')


def huge(*shape):
    return np.broadcast_to(np.float32(0), shape)


@pytest.mark.parametrize(
    ('key', 'value', 'reason'),
    [
        ('img_net1.img.0.weight', huge(3, 8192, 3, 3), 'it would have 131072 channels'),
        ('ca_net.fc.weight', huge(20, 2**30), r'ca_net\.fc\.weight has the shape \(20, 1073741824\)'),
        ('h_net1.fc.0.weight', huge(8), r'h_net1\.fc\.0\.weight has the shape \(8,\)'),
        ('h_net1.fc.0.weight', huge(8192, 5), 'it reads 5 numbers, which leaves none for noise'),
        ('img_net1.img.0.weight', None, r'it lacks img_net1\.img\.0\.weight'),
        ('ca_net.fc.weight', huge(2, 12), 'units'),
        ('h_net2.residual.2.block.0.weight', huge(1), r'it lacks h_net2\.residual\.2\.block\.1\.weight'),
    ],
)
def test_absurd_shapes_build_nothing(key, value, reason):
    weights = random_weights(tree_shapes(16, branches=2, **SMALL))
    weights |= {key: value}
    if value is None:
        del weights[key]
    with pytest.raises(UserError, match=reason):
        network_of(weights, 'netG.pth')


def test_incomplete_weights_allocate_nothing():
    claimed = {key: huge(*shape) for key, shape in tree_shapes(256, **SMALL).items()}  # 1.4 GB
    del claimed['h_net1.fc.1.bias']
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UserError, match=r'it lacks h_net1\.fc\.1\.bias'):
        network_of(claimed, 'netG.pth')
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # KiB


def test_more_layers_than_any_network_has():
    weights = random_weights(tree_shapes(16, branches=2, **SMALL))
    weights |= {f'h_net2.residual.{i}.block.0.weight': huge(32, 16, 3, 3) for i in range(50)}
    with pytest.raises(UserError, match=r"it has 50 layers 'h_net2\.residual\.N"):
        network_of(weights, 'netG.pth')


def test_networks_without_a_released_form():
    tree = TreeGenerator(
        sizes=(64,),
        noise_dimension=7,
        generator_width=16,
        embedding_dimension=12,
        condition_dimension=5,
        activation='linear',
    )
    tree.build((None, 7))
    first_form = StageOneGenerator(
        size=64, noise_dimension=7, generator_width=16, embedding_dimension=12, condition_dimension=5, activation='relu'
    )
    first_form.build((None, 7))
    small, bare = (
        ScaleDiscriminator(size=16, width=4),
        ScaleDiscriminator(size=64, width=4, normalization=False),
    )
    small.build((None, 16, 16, 3))
    bare.build((None, 64, 64, 3))
    last, spectral = (
        TreeGenerator(sizes=(64, 128), noise_dimension=7, generator_width=16, branch_images='last_alone'),
        ScaleDiscriminator(size=64, width=4, spectral_normalization=True),
    )
    last.build((None, 7))
    spectral.build((None, 64, 64, 3))
    for network, reason in (
        (last, 'not each of its branches has an image of its own size'),
        (spectral, 'it has no unconditional logit, or it has spectral normalization'),
        (tree, 'it reads embeddings in another way'),
        (first_form, 'it has the form of the TensorFlow release'),
        (small, 'it reads 16 pixels, those of the release 64 and more'),
        (bare, 'it has no batch normalization'),
    ):
        with pytest.raises(UserError, match=f'runs/mine has no counterpart in the PyTorch releases: {reason}'):
            released_weights(network, 'runs/mine')
