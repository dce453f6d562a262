import keras
import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator


@pytest.mark.parametrize(
    ('size', 'condition', 'parameters'),
    [
        (64, 0, 2_765_569),
        (128, 0, 15_875_841),
        (256, 0, 68_310_785),
        (64, 128, 5_723_906),
        (128, 128, 18_834_178),
        (256, 128, 71_269_122),
    ],
)
def test_released_networks_have_the_released_parameters(size, condition, parameters, monkeypatch):
    # Counting parameters needs no orthogonal kernels, which take most of a minute.
    monkeypatch.setattr(keras.initializers, 'Orthogonal', keras.initializers.Zeros)
    network = ScaleDiscriminator(size=size, width=64, condition_dimension=condition)
    network.build((None, size, size, 3))
    assert sum(int(np.prod(variable.shape)) for variable in network.trainable_variables) == parameters


@pytest.mark.parametrize(('size', 'normalize'), [(8, True), (16, False), (64, True), (128, False)])
def test_discriminator(tmp_path, size, normalize):
    images = np.random.default_rng(0).normal(size=(2, size, size, 3)).astype('float32')
    check_layer(
        lambda: ScaleDiscriminator(size=size, width=2, normalization=normalize),
        (images,),
        ((2,),),
        tmp_path,
    )


@pytest.mark.parametrize(('size', 'projection'), [(8, 0), (16, 5)])
def test_conditional_discriminator(tmp_path, size, projection):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, size, size, 3)).astype('float32')
    conditions = rng.normal(size=(2, 6)).astype('float32')

    def make():
        return ScaleDiscriminator(size=size, width=2, condition_dimension=6, projection=projection)

    check_layer(make, (images, conditions), ((2,), (2,)), tmp_path)
    network = make()
    network.build(images.shape)
    conditional_logits, unconditional_logits = network(images, conditions)
    other_conditional, same_unconditional = network(images, -conditions)
    np.testing.assert_array_equal(unconditional_logits, same_unconditional)
    assert not np.any(network.logit.bias)
    assert not np.any(network.conditional_logit.bias)
    assert (conditional_logits.numpy() != other_conditional.numpy()).all()


def test_without_an_unconditional_logit(tmp_path):
    rng = np.random.default_rng(0)
    inputs = (rng.normal(size=(2, 8, 8, 3)).astype('float32'), rng.normal(size=(2, 6)).astype('float32'))

    def make(unconditional=False):
        return ScaleDiscriminator(size=8, width=2, condition_dimension=6, unconditional=unconditional)

    check_layer(make, inputs, ((2,),), tmp_path)
    one, two = make(), make(True)
    for network in (one, two):
        network.build(inputs[0].shape)
    parameters = [sum(int(np.prod(v.shape)) for v in network.trainable_variables) for network in (one, two)]
    assert parameters[1] - parameters[0] == 4 * 4 * 16 + 1


@pytest.mark.parametrize(
    ('size', 'first', 'down', 'across'),
    [(8, 8, [], []), (32, 2, [4, 8], []), (64, 1, [2, 4, 8], []), (256, 1, [2, 4, 8, 16, 32], [16, 8])],
)
def test_widths(size, first, down, across):
    network = ScaleDiscriminator(size=size, width=10)
    assert network.first.filters == 10 * first
    assert [block.filters for block in network.down] == [10 * width for width in down]
    assert [block.filters for block in network.across] == [10 * width for width in across]
