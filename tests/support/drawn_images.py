"""A generator and image sources whose images are known in closed form."""

import numpy as np
import tensorflow as tf
from captioned import Captioned, WordEncoder

from stackgan_tf.evaluation.image_sources import ImageSource
from stackgan_tf.generator import Generator


class Painter(Generator):
    """Paints its condition, the color of a caption or a class, with noise of the seed over it."""

    title = 'the painter'
    sizes = (8, 16)
    noise_dimension = 4

    def __init__(self, kind='text', noise=40):
        self.kind = kind
        self.embedding_dimension = 0 if kind == 'unconditional' else 4
        self.class_names = ('red', 'green', 'blue') if kind == 'class' else ()
        self._noise = noise
        self.drawn = 0

    def latent(self, noise, condition=None, conditioning_noise=None):
        raise NotImplementedError

    def embed(self, what):
        return WordEncoder()(tf.constant(list(what), tf.string)).numpy() if self.kind == 'text' else super().embed(what)

    def _images(self, seeds, embeddings):
        self.drawn += len(seeds)
        colors = np.full((len(seeds), 3), 0.5) if embeddings is None else embeddings.numpy()[:, :3]
        images = []
        for size in self.sizes:
            noise = [np.random.default_rng(seed).normal(size=(size, size, 3)) for seed in seeds.numpy()]
            painted = 40 + 175 * colors[:, None, None] + self._noise * np.stack(noise)
            images.append(tf.constant(np.clip(painted, 0, 255).astype(np.uint8)))
        return images


class Speckled(Captioned):
    """Colored squares, each with its own noise."""

    def crops(self, indices, draws, size):
        seeds = tf.stack([indices, tf.zeros_like(indices)], 1)
        shape = (size, size, 3)
        speckles = tf.map_fn(
            lambda seed: tf.random.stateless_uniform(shape, seed), seeds, fn_output_signature=tf.TensorSpec(shape)
        )
        return tf.cast(0.8 * tf.cast(super().crops(indices, draws, size), tf.float32) + 50 * speckles, tf.uint8)


class Given(ImageSource):
    """The images of an array."""

    def __init__(self, images, batch=7, title='some images'):
        self._images, self._batch, self.title = images, batch, title
        self.count, self.size = len(images), images.shape[1]

    def batches(self):
        yield from (self._images[i : i + self._batch] for i in range(0, self.count, self._batch))


def noise(count, size=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)
