"""The interface of a finished model, from a run, an export, a preset or a TF Hub handle."""

import abc
import difflib
import functools
import operator
import reprlib
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.seeded_images import embed_each, images_of_seeds
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.caption_readings import caption_readings
from stackgan_tf.text.text_encoder import TextEncoder


class Generator(abc.ABC):
    """A finished model. It generates uint8 RGB images, 0..255.

    Attributes:
        kind: the condition besides noise: `'unconditional'` none, `'text'` captions, `'embedding'` vectors, `'class'`
            labels.
        sizes: of the images at each scale, in pixels, small to large.
        noise_dimension: Z, the length of z.
        embedding_dimension: T, the length of embeddings; 0 if unconditional.
        condition_dimension: E, the length of conditioning augmentation's noise; 0 if unconditional.
        class_names: for kind class, in the order of the labels.
        alphabet: what its text encoder reads of captions, one of `ALPHABETS`; None if that is not known.
        embedding_scale: mean and standard deviation of the numbers in the embeddings of its training, where known.
        title: a name for reports.
        trained: the phase and the step of a run; None for a model from elsewhere.
    """

    title: str = 'a model'
    trained: tuple[str, int] | None = None
    kind: str
    sizes: tuple[int, ...]
    noise_dimension: int
    embedding_dimension: int = 0
    condition_dimension: int = 0
    class_names: tuple[str, ...] = ()
    alphabet: str | None = None
    embedding_scale: tuple[float, float] = (0.0, 1.0)

    def generate(
        self,
        conditions: int | Sequence[str | int] | np.ndarray | None = None,
        seed: int = 0,
        seeds: Sequence[int] | None = None,
        every_size: bool = False,
    ) -> np.ndarray | dict[int, np.ndarray]:
        """Generates images; the same seed and caption give the same image, whatever else is in the batch.

        Args:
            conditions: for kind text captions; for kind embedding float `[N, T]`; for kind class labels or names of
                classes; for kind unconditional the number of images, unless `seeds` are given.
            seed: the first seed; images have the seeds `seed`, `seed + 1`, ...
            seeds: instead of `seed`, the seed of each image.
            every_size: whether to return every scale.

        Returns:
            uint8 `[N, s, s, 3]` of the largest scale, or a dict from size to such an array.

        Prints a line if the text encoder does not read all of the captions.

        Raises:
            UserError: `conditions` does not fit this model, or the number of seeds differs.
        """
        embeddings = None if self.kind == 'unconditional' else self._embeddings(conditions)
        count = len(embeddings) if embeddings is not None else self._count(conditions, seeds)
        seeds = range(seed, seed + count) if seeds is None else seeds
        if len(seeds) != count:
            raise UserError(f'{count} images need as many seeds, not {len(seeds)}')
        images = self.generate_every_size(seeds, embeddings)
        return images if every_size else images[self.sizes[-1]]

    def _count(self, count: Any, seeds: Sequence[int] | None) -> int:
        """The number of images to generate with an unconditional model.

        Raises:
            UserError: neither or both of count and seeds are given, or the count is not a positive number.
        """
        if (count is None) == (seeds is None):
            raise UserError('generate() of an unconditional model takes either a count or seeds')
        if seeds is not None:
            return len(seeds)
        if not isinstance(count, int) or count < 1:
            raise UserError(f'an unconditional model generates a positive number of images, not {count!r}')
        return count

    def _embeddings(self, given: Any) -> np.ndarray:
        """The embeddings `[N, T]` of the condition given to `generate`.

        Raises:
            UserError: the model does not take such a condition.
        """
        given = [given] if isinstance(given, str) else given
        given_text = isinstance(given, Sequence) and len(given) > 0 and all(isinstance(each, str) for each in given)
        shape: tuple[int, ...] = tuple(getattr(given, 'shape', ()))
        if given_text and self.kind == 'text':
            for warning in self.caption_warnings(given):
                say(warning)
        if (given_text and self.kind == 'text') or (self.kind == 'class' and len(shape) != 2):
            return self.embed(given)
        if given_text:
            raise UserError(
                f'this model was trained on embeddings of {self.embedding_dimension} numbers and has no text encoder: '
                'embed the captions with the encoder that made those, and generate from the vectors'
            )
        if len(shape) == 2 and shape[1] == self.embedding_dimension:
            return np.asarray(given, np.float32)
        alternatives = {'text': 'a list of captions, or ', 'class': 'labels, or '}.get(self.kind, '')
        raise UserError(
            f'this model takes {alternatives}embeddings [N, {self.embedding_dimension}], not {reprlib.repr(given)}'
        )

    def caption_warnings(self, captions: Sequence[str | bytes]) -> list[str]:
        """What the text encoder does not read of captions, a line; empty if it reads all, or that is not known."""
        losses = caption_readings(captions, self.alphabet).losses()
        return [f'The text encoder does not read all: {", ".join(losses)}'] if losses else []

    def generate_every_size(self, seeds: Sequence[int], embeddings: np.ndarray | None = None) -> dict[int, np.ndarray]:
        """The images of seeds (and embeddings `[N, T]`, if conditional) at every scale, by size."""
        given = None if embeddings is None else tf.constant(embeddings, tf.float32)
        images = self._images(tf.constant(list(seeds), tf.int64), given)
        return {size: image.numpy() for size, image in zip(self.sizes, images, strict=True)}

    def embed(self, conditions: Sequence[str | int] | np.ndarray) -> np.ndarray:
        """The embeddings of captions (kind text), or of labels or names of classes (kind class).

        Returns:
            float32 `[N, T]`.

        Raises:
            UserError: this model is of another kind, or has no such class.
        """
        if self.kind != 'class':
            raise UserError(f'this model is {self.kind}: it has no text encoder')
        listed: Any = conditions if np.ndim(conditions) else [conditions]
        return np.eye(len(self.class_names), dtype=np.float32)[[label_of(each, self.class_names) for each in listed]]

    @abc.abstractmethod
    def latent(
        self, noise: tf.Tensor, condition: tf.Tensor | None = None, conditioning_noise: tf.Tensor | None = None
    ) -> dict[int, tf.Tensor]:
        """Images from the given noise, differentiable.

        Args:
            noise: z, float32 `[N, Z]`.
            condition: embeddings, float32 `[N, T]`; for kind class labels, int64 `[N]`.
            conditioning_noise: epsilon, float32 `[N, E]`; zeros (the default) give the mean.

        Returns:
            float32 `[N, s, s, 3]` in [-1, 1] by size.
        """

    @abc.abstractmethod
    def _images(self, seeds: tf.Tensor, embeddings: tf.Tensor | None) -> Sequence[tf.Tensor]:
        """uint8 images of every scale, small to large, of int64 seeds `[N]` and float32 embeddings `[N, T]`."""

    def _inputs(
        self, noise: tf.Tensor, condition: tf.Tensor | None, conditioning_noise: tf.Tensor | None
    ) -> dict[str, tf.Tensor]:
        """The inputs of `latent` by the names that exports use.

        Raises:
            UserError: a conditional model got no condition, or an unconditional one got one.
        """
        if (condition is None) != (not self.embedding_dimension):
            named = 'a label' if self.kind == 'class' else 'an embedding'
            raise UserError(
                f'this model is {self.kind}: it takes {named if condition is None else "nothing but noise"}'
            )
        inputs = {'noise': tf.convert_to_tensor(noise, tf.float32)}
        if condition is not None:
            name, dtype = ('label', tf.int64) if self.kind == 'class' else ('embedding', tf.float32)
            inputs[name] = tf.convert_to_tensor(condition, dtype)
            if conditioning_noise is None:
                conditioning_noise = tf.zeros((tf.shape(inputs['noise'])[0], self.condition_dimension))
            inputs['conditioning_noise'] = tf.convert_to_tensor(conditioning_noise, tf.float32)
        return inputs


class NetworkGenerator(Generator):
    """A finished model that is a Keras network in this process.

    Args:
        network: a built generator, such as `TreeGenerator` or `StackedGenerator`.
        encoder: the text encoder that it was trained with, if any.
        class_names: the classes, if it was trained with their one-hot labels.
    """

    def __init__(
        self, network: keras.Model, encoder: TextEncoder | None = None, class_names: Sequence[str] = ()
    ) -> None:
        self.network = network
        self.encoder = encoder
        self.class_names = tuple(class_names)
        self.sizes = tuple(network.sizes)
        self.noise_dimension = network.noise_dimension
        self.embedding_dimension = network.embedding_dimension
        self.condition_dimension = network.condition_dimension
        conditional = 'text' if encoder else 'class' if class_names else 'embedding'
        self.kind = conditional if self.embedding_dimension else 'unconditional'
        if encoder is not None:
            self.alphabet = encoder.alphabet
            self._embed = tf.function(functools.partial(embed_each, encoder), reduce_retracing=True)
        self._generate = tf.function(functools.partial(images_of_seeds, network), reduce_retracing=True)

    def latent(
        self, noise: tf.Tensor, condition: tf.Tensor | None = None, conditioning_noise: tf.Tensor | None = None
    ) -> dict[int, tf.Tensor]:
        """Images from the given noise; see `Generator.latent`."""
        inputs = self._inputs(noise, condition, conditioning_noise)
        if 'label' in inputs:
            inputs['label'] = tf.one_hot(inputs['label'], self.embedding_dimension)
        return dict(zip(self.sizes, self.network(*inputs.values(), training=False), strict=True))

    def embed(self, conditions: Sequence[str | int] | np.ndarray) -> np.ndarray:
        """Embeds captions or labels; see `Generator.embed`."""
        if self.encoder is None:
            return super().embed(conditions)
        return self._embed(tf.constant(list(conditions), tf.string)).numpy()

    def _images(self, seeds: tf.Tensor, embeddings: tf.Tensor | None) -> Sequence[tf.Tensor]:
        return self._generate(seeds, embeddings)


def label_of(class_: str | int, class_names: Sequence[str]) -> int:
    """The label of a class, given by its name or its label, which may be a string.

    Raises:
        UserError: the model has no such class.
    """
    if class_ in class_names:
        return list(class_names).index(class_)  # type: ignore[arg-type]
    try:
        label = int(class_) if isinstance(class_, str) else operator.index(class_)
    except (TypeError, ValueError):
        label = -1
    if not 0 <= label < len(class_names):
        close = difflib.get_close_matches(str(class_), class_names, 1)
        hint = f'did you mean {close[0]}?' if close else f'it has 0 to {len(class_names) - 1}, such as {class_names[0]}'
        raise UserError(f'this model has no class {class_!r}: {hint}')
    return label
