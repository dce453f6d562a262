"""Images in a NumPy array, with captions and labels if there are any, as a source of examples."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from stackgan_tf.data.captions import Captions
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.data.random_crop import random_crops
from stackgan_tf.system.errors import UserError


class ArrayImages(ExampleSource):
    """Images in memory, for notebooks.

    Args:
        images: uint8 `[N, h, w, 3]` in 0..255, RGB.
        captions: of each image one caption or several; None: the images have none.
        labels: int `[N]` from 0 on. Images of one label are never mismatched pairs. None: each image is its own class.
        title: what messages call the images.

    Raises:
        UserError: an array has another type or shape.
    """

    def __init__(
        self,
        images: np.ndarray,
        captions: Sequence[str | Sequence[str]] | None = None,
        labels: np.ndarray | None = None,
        title: str = 'the array',
    ) -> None:
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or not len(images):
            raise UserError(f'images must be uint8 [N, h, w, 3], not {images.dtype} {list(images.shape)}')
        for name, values in (('captions', captions), ('labels', labels)):
            if values is not None and len(values) != len(images):
                raise UserError(f'{len(images)} images need as many {name}, not {len(values)}')
        self.title = title
        self._encoded = tf.constant([tf.io.encode_png(image, compression=1).numpy() for image in images])
        self._captions = None if captions is None else Captions(captions)
        self._labels = None if labels is None else np.asarray(labels, np.int32)

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(self._encoded)

    def crops(self, indices: tf.Tensor, draws: tf.Tensor, size: int) -> tf.Tensor:
        """uint8 `[N, size, size, 3]`; see `ExampleSource`."""
        return random_crops(tf.gather(self._encoded, indices), size, draws)

    def captions(self) -> Captions:
        """The captions of all images; see `ExampleSource`."""
        return super().captions() if self._captions is None else self._captions

    def labels(self) -> np.ndarray:
        """int32 `[count]`; see `ExampleSource`."""
        return super().labels() if self._labels is None else self._labels
