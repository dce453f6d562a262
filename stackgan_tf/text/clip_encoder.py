"""CLIP as a text encoder, through the presets of keras-hub."""

import hashlib
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.system.errors import UserError, as_user_error
from stackgan_tf.text.clip_tokens import ClipTokens
from stackgan_tf.text.text_encoder import TextEncoder

CLIP_PREFIX = 'clip:'
_READING_VERSION = 1  # of `ClipTokens`; part of fingerprints


class ClipEncoder(TextEncoder):
    """CLIP (Radford et al., arXiv 2103.00020): a text tower and an image tower with features in one space.

    Features have length 1, so the dot product of a caption and an image is their cosine.

    Args:
        preset: of keras-hub, such as `clip_vit_base_patch32`, or a folder that holds one.
        images: whether the image tower is kept; an export then holds it too.

    Attributes:
        preset: where it is from.
        image_hash: of the image tower's weights, as the fingerprint is of the text tower's.

    Raises:
        UserError: keras-hub is not installed, or the preset is not one of CLIP.
    """

    image_hash: str = ''

    def __init__(self, preset: str, images: bool = False) -> None:
        super().__init__()
        backbone, preprocessor = _open(preset)
        self.preset = preset
        tokenizer, text = preprocessor.tokenizer, backbone.text_encoder
        self.tokens = ClipTokens(tokenizer.vocabulary, tokenizer.merges, text.max_sequence_length)
        towers = [_Tower(text, backbone.text_pooler, backbone.text_projection)]
        self.dimension = backbone.projection_dim
        merges = hashlib.sha256('\n'.join(tokenizer.merges).encode()).hexdigest()
        self.fingerprint = towers[0].hash([_READING_VERSION, merges, sorted(tokenizer.vocabulary.items())])
        if images:
            towers.append(_Tower(backbone.vision_encoder, backbone.vision_pooler, backbone.vision_projection))
            self.image_size = backbone.vision_encoder.image_shape[0]
            self._scale, self._offset = _normalization(preprocessor.image_converter, preset)
            self.image_hash = towers[1].hash([self._scale.tolist(), self._offset.tolist()])
        # Keras networks stay out of TensorFlow's tracking, as in `CharacterEncoder`.
        object.__setattr__(self, '_towers', towers)
        self._variables = [variable.value for tower in towers for variable in tower.variables]

    def __call__(self, captions: tf.Tensor) -> tf.Tensor:
        """Embeddings of captions; see `TextEncoder`. See `ClipTokens` for what is read of them."""
        tokens = self.tokens(captions)
        return self._towers[0].features({'token_ids': tokens}, tokens)

    def encode_images(self, images: tf.Tensor) -> tf.Tensor:
        """Features of images; see `TextEncoder`."""
        if self.image_size is None:
            return super().encode_images(images)
        return self._towers[1].features({'images': (images + 1.0) * 127.5 * self._scale + self._offset})


class _Tower:
    """A network with its pooling and its projection."""

    def __init__(self, network: keras.Model, pooler: keras.Layer, projection: keras.Layer) -> None:
        self._network, self._pooler, self._projection = network, pooler, projection
        self.variables = [*network.variables, *projection.variables]

    def features(self, inputs: dict[str, tf.Tensor], *tokens: tf.Tensor) -> tf.Tensor:
        """Features of length 1, float32 `[N, T]`."""
        pooled = self._pooler(self._network(inputs, training=False), *tokens)
        return tf.math.l2_normalize(self._projection(pooled), axis=-1)

    def hash(self, others: list[Any]) -> str:
        """A hash of all that features depend on, among it `others`."""
        config = {name: value for name, value in self._network.get_config().items() if name not in ('name', 'dtype')}
        hashed = hashlib.sha256(json.dumps([config, *others], sort_keys=True, default=str).encode())
        for variable in self.variables:
            hashed.update(repr(tuple(variable.shape)).encode() + variable.numpy().tobytes())
        return hashed.hexdigest()[:16]


def _open(preset: str) -> tuple[Any, Any]:
    """The backbone of a preset in float32, and its preprocessor.

    Raises:
        UserError: keras-hub is not installed, or the preset is not one of CLIP.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise UserError(f"CLIP needs keras-hub ({error}): pip install 'stackgan-tf[clip]'") from error
    known = keras_hub.models.CLIPBackbone.presets
    if preset not in known and '://' not in preset and not Path(preset).is_dir():
        raise UserError(f'there is no CLIP {preset!r}: name a folder with a preset, or {", ".join(known)}')
    with as_user_error(f'no CLIP can be loaded from {preset!r}'):
        backbone = keras_hub.models.CLIPBackbone.from_preset(preset, dtype='float32')
        return backbone, keras_hub.models.CLIPPreprocessor.from_preset(preset)


def _normalization(converter: Any, preset: str) -> tuple[np.ndarray, np.ndarray]:
    """The factor and the summand of each channel that the image tower expects, for images in 0..255.

    Raises:
        UserError: the preset does not say.
    """
    if converter is None or converter.scale is None:
        raise UserError(f'{preset} does not say how images are normalized: it lacks an image converter')
    offset = 0.0 if converter.offset is None else converter.offset
    return np.resize(converter.scale, 3).astype(np.float32), np.resize(offset, 3).astype(np.float32)
