"""Feature networks small enough to see through."""

import tensorflow as tf

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor


class MeanColours(FeatureExtractor):
    """Sees the mean colour of each quarter of a picture, and which of three colours is the strongest."""

    def __init__(self, size=8, resize='clean', fingerprint='colours'):
        super().__init__('mean colours', fingerprint, size, resize)
        self.seen = 0  # pictures

    def __call__(self, images):
        self.seen += len(images)
        return super().__call__(images)

    def extract(self, images):
        quarters = tf.nn.avg_pool2d(images / 255.0, self.size // 2, self.size // 2, 'VALID')
        features = tf.reshape(quarters, (tf.shape(images)[0], 12))
        return features, tf.nn.softmax(20 * tf.reduce_mean(quarters, axis=(1, 2)))


class TfganStandIn(tf.Module):
    """What TF-GAN's Inception looks like from outside: images `[N, 299, 299, 3]` to `pool_3` and `logits`."""

    @tf.function(input_signature=[tf.TensorSpec((None, 299, 299, 3), tf.float32)])
    def __call__(self, images):
        pooled = tf.reduce_mean(images, axis=(1, 2), keepdims=True)
        return {'pool_3': tf.tile(pooled, (1, 1, 1, 4)), 'logits': 3 * pooled[:, 0, 0]}
