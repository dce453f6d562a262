"""Features of any SavedModel that reads pictures: exported classifiers of this package, image modules of TF Hub."""

from collections.abc import Mapping

import tensorflow as tf

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.formats.hub_module import hash_of_files, load_hub_module
from stackgan_tf.system.errors import UserError, as_user_error

# Modules with several outputs call the features by one of these names.
_FEATURES = ('features', 'feature_vector', 'default', 'pool_3', 'avg_pool')


class SavedFeatures(FeatureExtractor):
    """A SavedModel that maps images, float32 `[N, size, size, 3]` in [0, 1] (TF Hub's convention), to vectors `[N, D]`.

    It may give a dict, with `features`, and with `probabilities` or `logits` if it knows classes.

    Args:
        source: its folder, or a TF Hub handle.
        size: that it reads, pixels; 0 asks it, which exports of this package can answer.
        resize: see `RESIZES`.

    Raises:
        UserError: it cannot be loaded, or does not map pictures to vectors.
    """

    def __init__(self, source: str, size: int = 0, resize: str = 'clean') -> None:
        self._loaded, folder = load_hub_module(source)
        if not size:
            if not callable(getattr(self._loaded, 'image_size', None)):
                raise UserError(f'{source} does not say what size of pictures it reads: name it, as in {source}@224')
            size = int(self._loaded.image_size())
        super().__init__(f'SavedModel {folder.name}', hash_of_files(folder), size, resize)
        with as_user_error(f'{source} maps no pictures of {size} pixels to vectors'):
            features, _ = self.extract(tf.zeros((2, size, size, 3)))
            if features.shape.rank != 2 or features.shape[0] != 2:
                raise ValueError(f'of two it makes {features.shape.as_list()}')

    def extract(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """See `FeatureExtractor.extract`."""
        outputs = self._loaded(images / 255.0)
        if not isinstance(outputs, Mapping):
            return tf.cast(outputs, tf.float32), None
        name = next((name for name in _FEATURES if name in outputs), None)
        if name is None:
            raise ValueError(f'of its outputs {", ".join(sorted(outputs))} none is known to be the features')
        probabilities = outputs.get('probabilities')
        if probabilities is None and 'logits' in outputs:
            probabilities = tf.nn.softmax(tf.cast(outputs['logits'], tf.float32))
        return tf.cast(outputs[name], tf.float32), probabilities
