import numpy as np
import pytest
from layer_harness import check_layer

from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.stage_discriminator import StageDiscriminator


@pytest.mark.parametrize('kind', [ScaleDiscriminator, StageDiscriminator])
def test_the_inner_product_is_added_to_the_conditional_logit(kind, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(3, 16, 16, 3)).astype('float32')
    conditions = rng.normal(size=(3, 6)).astype('float32')
    settings = {'size': 16, 'width': 2, 'condition_dimension': 6, 'inner_product': True, 'unconditional': True}
    check_layer(lambda: kind(**settings, projection=5), (images, conditions), ((3,), (3,)), tmp_path)
    network = kind(**settings, projection=0)
    network.build(images.shape)
    conditional_logits, unconditional_logits = network(images, conditions)
    features = network.features(images).numpy().reshape(3, -1)
    inner = np.sum(features * (conditions @ network.expected.kernel.numpy()), axis=1) / features.shape[1] ** 0.5
    assert np.abs(inner).min() > 1e-6
    network.expected.kernel.assign(np.zeros(network.expected.kernel.shape))
    without, same_unconditional = network(images, conditions)
    np.testing.assert_allclose(conditional_logits, without + inner, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(unconditional_logits, same_unconditional)
