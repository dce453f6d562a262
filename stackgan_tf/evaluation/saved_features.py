"""Features of a SavedModel that reads images: exported classifiers of this package, image modules of TF Hub."""

from collections.abc import Mapping
from typing import Annotated

import tensorflow as tf

from stackgan_tf.evaluation.feature_extractor import FeatureExtractor
from stackgan_tf.evaluation.resizing import Resize
from stackgan_tf.formats.hub_module import hash_of_files, load_hub_module
from stackgan_tf.system.errors import UserError, as_user_error
from stackgan_tf.system.ranges import AtLeast

# Names of the features in modules with several outputs.
_FEATURES = ('features', 'feature_vector', 'default', 'pool_3', 'avg_pool')


class SavedFeatures(FeatureExtractor):
    """A SavedModel that maps images, float32 `[N, size, size, 3]` in [0, 1] (TF Hub's convention), to vectors `[N, D]`.

    The model may return a dict with `features` and, if it has classes, with `probabilities` or `logits`.

    Args:
        source: the folder of the SavedModel, or a TF Hub handle.
        size: its input size, pixels; 0 reads the size from the model, which works for exports of this package.
        resize: see `RESIZES`.

    Raises:
        UserError: the model cannot be loaded, or does not map images to vectors.
    """

    def __init__(self, source: str, size: Annotated[int, AtLeast(0)] = 0, resize: Resize = 'clean') -> None:
        self._loaded, folder = load_hub_module(source)
        if not size:
            if not callable(getattr(self._loaded, 'image_size', None)):
                raise UserError(f'{source} does not state its input size: name it, as in {source}@224')
            size = int(self._loaded.image_size())
        super().__init__(f'SavedModel {folder.name}', hash_of_files(folder), size, resize)
        with as_user_error(f'{source} does not map images of {size} pixels to vectors'):
            features, _ = self.extract(tf.zeros((2, size, size, 3)))
            if features.shape.rank != 2 or features.shape[0] != 2:
                raise ValueError(f'it maps two images to {features.shape.as_list()}')

    def extract(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """See `FeatureExtractor.extract`."""
        outputs = self._loaded(images / 255.0)
        if not isinstance(outputs, Mapping):
            return tf.cast(outputs, tf.float32), None
        name = next((name for name in _FEATURES if name in outputs), None)
        if name is None:
            raise ValueError(f'none of its outputs {", ".join(sorted(outputs))} is known to be the features')
        probabilities = outputs.get('probabilities')
        if probabilities is None and 'logits' in outputs:
            probabilities = tf.nn.softmax(tf.cast(outputs['logits'], tf.float32))
        return tf.cast(outputs[name], tf.float32), probabilities
