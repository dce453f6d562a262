"""A tiny captioned data set and a text encoder whose values are known in closed form."""

import numpy as np
import tensorflow as tf

from stackgan_tf.data.captions import Captions
from stackgan_tf.data.example_source import ExampleSource
from stackgan_tf.text.text_encoder import TextEncoder

COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
WORDS = ('red', 'green', 'blue')


class Captioned(ExampleSource):
    """Images of one color each, three classes in turn; each has one to three captions that name it."""

    title = 'colored squares'
    class_names = WORDS

    def __init__(self, count=9):
        self._count = count

    @property
    def count(self):
        return self._count

    def crops(self, indices, draws, size):
        colors = tf.gather(COLOURS, indices % 3)
        return tf.tile(colors[:, None, None], (1, size, size, 1))

    def captions(self):
        return Captions([[f'{WORDS[i % 3]} {number} of {i}' for number in range(1 + i % 3)] for i in range(self.count)])

    def labels(self):
        return np.arange(self.count, dtype=np.int32) % 3

    def attributes(self):
        return np.stack([np.arange(self.count) % 3, np.arange(self.count) % 2], axis=1).astype(np.int32)

    def stored_embeddings(self):
        return [np.full((1 + i % 3, 4), i, np.float32) + np.arange(1 + i % 3)[:, None] / 10 for i in range(self.count)]


class Gappy(Captioned):
    """Every third image, the green one, has no caption."""

    def captions(self):
        whole = super().captions()
        first, counts = whole.index.first, whole.index.counts
        every = [whole.texts[first[i] : first[i] + counts[i]].tolist() for i in range(self.count)]
        return Captions([] if i % 3 == 1 else texts for i, texts in enumerate(every))


class WordEncoder(TextEncoder):
    """Embeds captions as the one-hot color that they name and their length, images as their mean color."""

    dimension = 4
    image_size = 8

    def __init__(self, fingerprint='words'):
        super().__init__()
        self.fingerprint = fingerprint
        self.embedded = 0  # captions, without those of the trace

    def __call__(self, captions):
        found = [tf.strings.regex_full_match(captions, f'{word}.*') for word in WORDS]
        length = tf.cast(tf.strings.length(captions), tf.float32) / 1e6
        tf.py_function(self._count_rows, [tf.size(captions)], [])
        return tf.concat([tf.cast(tf.stack(found, 1), tf.float32), length[:, None]], 1)

    def _count_rows(self, number):
        self.embedded += int(number)

    def encode_images(self, images):
        return tf.pad(tf.reduce_mean(images, axis=(1, 2)), [[0, 0], [0, 1]])
