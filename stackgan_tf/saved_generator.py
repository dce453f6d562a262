"""A finished model from an export or TF Hub."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from stackgan_tf.formats.hub_module import hash_of_files, load_hub_module
from stackgan_tf.generator import Generator
from stackgan_tf.seeded_images import image_name
from stackgan_tf.system.errors import UserError, as_user_error
from stackgan_tf.text.saved_encoder import read_alphabet


class SavedModelGenerator(Generator):
    """A model exported by `python -m stackgan_tf.export`, from a folder or a TF Hub handle.

    Raises:
        UserError: it is not an export of this package.
    """

    def __init__(self, loaded: Any, source: str) -> None:
        self._loaded = loaded  # holds the variables
        self._signatures = getattr(loaded, 'signatures', {})
        missing = {'images', 'latent', 'serving_default'} - set(self._signatures)
        if missing:
            raise UserError(f'{source} is no export of stackgan_tf: it lacks the signature {sorted(missing)[0]!r}')
        with as_user_error(f'{source} is no export of stackgan_tf: its signatures are others'):
            self._read_signatures()

    def _read_signatures(self) -> None:
        inputs = self._signatures['latent'].structured_input_signature[1]
        self.noise_dimension = inputs['noise'].shape[1]
        self.kind = 'unconditional'
        if 'label' in inputs:
            self.kind = 'class'
            self.class_names = tuple(name.decode() for name in self._loaded.class_names().numpy())
            self.embedding_dimension = len(self.class_names)
        if 'embedding' in inputs:
            self.kind = 'text' if 'embed' in self._signatures else 'embedding'
            self.embedding_dimension = inputs['embedding'].shape[1]
        self.alphabet = read_alphabet(self._loaded)
        if self.kind != 'unconditional':
            self.condition_dimension = inputs['conditioning_noise'].shape[1]
        outputs = self._signatures['latent'].structured_outputs
        self.sizes = tuple(sorted(int(name.removeprefix('image_')) for name in outputs))
        self._images_of_embeddings = self._loaded.images_of_embeddings

    def latent(
        self, noise: tf.Tensor, condition: tf.Tensor | None = None, conditioning_noise: tf.Tensor | None = None
    ) -> dict[int, tf.Tensor]:
        """Images from the given noise; see `Generator.latent`."""
        outputs = self._signatures['latent'](**self._inputs(noise, condition, conditioning_noise))
        return {size: outputs[image_name(size)] for size in self.sizes}

    def embed(self, conditions: Sequence[str | int] | np.ndarray) -> np.ndarray:
        """Embeds captions or labels; see `Generator.embed`."""
        if self.kind != 'text':
            return super().embed(conditions)
        return self._signatures['embed'](caption=tf.constant(list(conditions), tf.string))['embedding'].numpy()

    def _images(self, seeds: tf.Tensor, embeddings: tf.Tensor | None) -> Sequence[tf.Tensor]:
        inputs = {} if embeddings is None else {'embedding': embeddings}
        outputs = self._images_of_embeddings(seed=seeds, **inputs)
        return [outputs[image_name(size)] for size in self.sizes]


def load_saved_model(source: str) -> SavedModelGenerator:
    """Loads an export from a folder or a TF Hub handle.

    Raises:
        UserError: the source holds no model that can be loaded.
    """
    loaded, folder = load_hub_module(source)
    generator = SavedModelGenerator(loaded, source)
    generator.title = f'export {source} ({hash_of_files(folder)})'
    return generator
