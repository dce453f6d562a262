"""Text encoders from elsewhere: this package's exports, and any module of TF Hub that takes strings."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from stackgan_tf.formats.hub_module import hash_of_files, load_hub_module
from stackgan_tf.networks.char_cnn_rnn import ALPHABETS
from stackgan_tf.system.errors import UserError, as_user_error
from stackgan_tf.text.text_encoder import TextEncoder

_TRIALS = (['a small red bird', '', 'a bird \N{BIRD}'], ['a flower'])  # captions of a data set may be empty
# Modules with several outputs give the embedding one of these names.
_OUTPUTS = ('embedding', 'embeddings', 'default', 'outputs', 'sentence_embedding', 'pooled_output')


class SavedEncoder(TextEncoder):
    """A SavedModel that maps strings to vectors, such as the Universal Sentence Encoder.

    Args:
        source: its folder, or a TF Hub handle.

    Raises:
        UserError: there is no such model, or it does not map strings to vectors.
    """

    def __init__(self, source: str) -> None:
        super().__init__()
        self._loaded, folder = load_hub_module(source)
        self._embed = _function(self._loaded, source)
        self.dimension = self(tf.constant(_TRIALS[0])).shape[1]
        # Only this package's exports have both as functions.
        if all(callable(getattr(self._loaded, name, None)) for name in ('fingerprint', 'image_size')):
            with as_user_error(f'{source} is no text encoder of stackgan_tf'):
                self.fingerprint = self._loaded.fingerprint().numpy().decode()
                self.image_size = int(self._loaded.image_size()) or None
        else:
            self.fingerprint = hash_of_files(folder)
        self.alphabet = read_alphabet(self._loaded)

    def __call__(self, captions: tf.Tensor) -> tf.Tensor:
        """Embeddings of captions; see `TextEncoder`."""
        return tf.cast(self._embed(captions), tf.float32)

    def encode_images(self, images: tf.Tensor) -> tf.Tensor:
        """Features of images; see `TextEncoder`."""
        return super().encode_images(images) if self.image_size is None else self._loaded.encode_images(images)


def read_alphabet(loaded: Any) -> str | None:
    """What the text encoder of a loaded export reads of captions; None if the export does not say."""
    function = getattr(loaded, 'alphabet', None)
    named = function().numpy().decode() if callable(function) else None
    return named if named in ALPHABETS else None


def _function(loaded: Any, source: str) -> Callable[[tf.Tensor], tf.Tensor]:
    """The function of a module that takes strings and gives a vector for each.

    Raises:
        UserError: there is none; the message gives the reason.
    """
    call, signatures = getattr(loaded, '__call__', None), getattr(loaded, 'signatures', {})  # noqa: B004
    reason = 'it can neither be called nor has it a serving signature'
    for function in (call, signatures.get('serving_default'), signatures.get('default')):
        if function is None:
            continue
        try:
            return _checked(function)
        except _UnfitError as error:
            reason = str(error)
        except (TypeError, ValueError, tf.errors.OpError):
            reason = 'it takes something else'
    raise UserError(f'{source} is no text encoder, which takes strings [N] and gives vectors [N, T]: {reason}')


class _UnfitError(Exception):
    """The output of a module is not one vector per caption."""


def _checked(function: Callable[[tf.Tensor], Any]) -> Callable[[tf.Tensor], tf.Tensor]:
    """The function with one output, if it passes trials.

    Raises:
        _UnfitError: it fails them.
    """
    given = function(tf.constant(_TRIALS[0]))
    chosen = function
    if isinstance(given, dict):
        names = list(given) if len(given) == 1 else [name for name in _OUTPUTS if name in given]
        if not names:
            raise _UnfitError(f'of its outputs {", ".join(sorted(given))} none is known to be the embedding')
        chosen = lambda captions: function(captions)[names[0]]  # noqa: E731
    widths = {_width(chosen, captions) for captions in _TRIALS}
    if len(widths) > 1:
        raise _UnfitError(f'its vectors are of different lengths: {sorted(widths)}')
    return chosen


def _width(function: Callable[[tf.Tensor], Any], captions: list[str]) -> int:
    given = function(tf.constant(captions))
    if (
        not tf.is_tensor(given)
        or not given.dtype.is_floating
        or given.shape.rank != 2
        or given.shape[0] != len(captions)
        or not given.shape[1]
    ):
        raise _UnfitError(f'for {len(captions)} captions it gave {_description(given)}')
    if not np.isfinite(tf.cast(given, tf.float32)).all():
        raise _UnfitError(f'for one of {captions} it gave no numbers')
    return int(given.shape[1])


def _description(given: Any) -> str:
    return f'{given.dtype.name} {given.shape.as_list()}' if tf.is_tensor(given) else type(given).__name__
