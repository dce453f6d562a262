"""The two configurations and the features that the prepared data sets with captions share."""

from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow_datasets as tfds

from stackgan_tf.data.published.stackgan_release import DIMENSION
from stackgan_tf.data.published.tfds_shards import Example

WITH_EMBEDDINGS = 'with_embeddings'


def builder_configs() -> list[tfds.core.BuilderConfig]:
    """The default, with captions, and `with_embeddings`, which adds the vectors that StackGAN's authors released."""
    return [
        tfds.core.BuilderConfig(name='captions', description='Images and their captions.'),
        tfds.core.BuilderConfig(
            name=WITH_EMBEDDINGS,
            description="Also the captions' char-CNN-RNN embeddings, from the release of StackGAN.",
        ),
    ]


def features(
    config: tfds.core.BuilderConfig, captions: int, **others: tfds.features.FeatureConnector
) -> tfds.features.FeaturesDict:
    """The features of an example.

    Args:
        config: one of `builder_configs()`.
        captions: K, how many embeddings each image has.
        others: further features of this data set.

    Returns:
        `image`, the original bytes; `captions`, any number; `filename`; `embeddings`, float32 `[K, 1024]`, if the
        configuration has them; and the others.
    """
    if config.name == WITH_EMBEDDINGS:
        others['embeddings'] = tfds.features.Tensor(shape=(captions, DIMENSION), dtype=np.float32, encoding='zlib')
    return tfds.features.FeaturesDict(
        {
            'image': tfds.features.Image(),
            'captions': tfds.features.Sequence(tfds.features.Text()),
            'filename': tfds.features.Text(),
            **others,
        }
    )


def with_embeddings(examples: Iterator[Example], embeddings: Mapping[str, np.ndarray]) -> Iterator[Example]:
    """Adds to each example its embeddings, by name."""
    for name, example in examples:
        yield name, {**example, 'embeddings': embeddings[name]}
