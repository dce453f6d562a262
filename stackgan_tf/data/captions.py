"""The captions of a data set, of which training draws one at a time."""

from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from stackgan_tf.data.caption_index import CaptionIndex


class Captions:
    """Captions by example, held in memory.

    Args:
        captions: of every example; one without any gets an empty caption.

    Attributes:
        texts: all captions as bytes, in the order of the examples: objects `[R]`.
        index: which rows of `texts` belong to which example.
        missing: bool `[N]`, the examples that had none.
    """

    def __init__(self, captions: Iterable[str | bytes | Sequence[str | bytes]]) -> None:
        by_example = [[each] if isinstance(each, str | bytes) else list(each) for each in captions]
        self.missing = np.array([not each for each in by_example], bool)
        by_example = [each or [''] for each in by_example]
        encoded = [
            text.encode('utf-8', 'replace') if isinstance(text, str) else text for each in by_example for text in each
        ]
        self.texts = np.array(encoded, object)
        self.index = CaptionIndex([len(each) for each in by_example])
        self._texts = tf.constant(encoded, tf.string)

    def drawn(self, indices: tf.Tensor, draws: tf.Tensor, offset: int = 0) -> tf.Tensor:
        """One caption of each example.

        Args:
            indices: int64 `[N]`, of the examples.
            draws: float32 `[N]` in [0, 1), which of its captions.
            offset: how many captions after that one; wraps around after the example's last.

        Returns:
            string `[N]`.
        """
        return tf.gather(self._texts, self.index.positions(indices, draws, offset))
