"""A finished generator as one SavedModel that needs nothing of this package to run."""

import inspect
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from stackgan_tf.generator import embed_each, image_name, images_of_seeds
from stackgan_tf.text.text_encoder import TextEncoder
from stackgan_tf.user_error import UserError


class GeneratorModule(tf.__internal__.tracking.AutoTrackable):
    """The object inside the SavedModel: a Reusable SavedModel of TF Hub with serving signatures.

    Called with a dict of the `latent` signature's inputs it gives that signature's outputs, and can be differentiated.
    Its lists of variables are plain attributes, since only those are found again after loading.

    Args:
        network: a built tree generator.
        encoder: the text encoder that it was trained with: then `serving_default` and `images` take captions.
    """

    _network: keras.Model

    def __init__(self, network: keras.Model, encoder: TextEncoder | None = None) -> None:
        super().__init__()
        self.variables = [variable.value for variable in network.variables]
        self.trainable_variables = [variable.value for variable in network.trainable_variables]
        self.regularization_losses: list[tf.Tensor] = []
        # Past the tracking: Keras would save a signature of one input for it. Its variables are listed above.
        object.__setattr__(self, '_network', network)
        self._encoder = encoder
        noise = {'noise': tf.TensorSpec((None, network.noise_dimension), tf.float32, name='noise')}
        told, asked = {}, {}
        if network.embedding_dimension:
            told = {'embedding': tf.TensorSpec((None, network.embedding_dimension), tf.float32, name='embedding')}
            shape = (None, network.condition_dimension)
            noise |= told | {'conditioning_noise': tf.TensorSpec(shape, tf.float32, name='conditioning_noise')}
            asked = told if encoder is None else {'caption': tf.TensorSpec((None,), tf.string, name='caption')}
        seed = {'seed': tf.TensorSpec((None,), tf.int64, name='seed')}
        self.__call__ = tf.function(self._latent, input_signature=[noise])
        self.images_of_embeddings = _with_names(self._images, told | seed)
        self.signatures_by_name = {
            'serving_default': _with_names(self._serve, asked | seed),
            'images': _with_names(self._images, asked | seed),
            'latent': _with_names(self._latent, noise),
        }
        if encoder is not None:
            self.signatures_by_name['embed'] = _with_names(self._embed, asked)

    def _latent(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        given = [inputs[name] for name in ('noise', 'embedding', 'conditioning_noise') if name in inputs]
        return self._named(self._network(*given, training=False))

    def _embed(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        assert self._encoder is not None
        return {'embedding': embed_each(self._encoder, inputs['caption'])}

    def _every_size(self, inputs: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        embedding = self._embed(inputs)['embedding'] if 'caption' in inputs else inputs.get('embedding')
        return images_of_seeds(self._network, inputs['seed'], embedding)

    def _images(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return self._named(self._every_size(inputs))

    def _serve(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        largest = self._every_size(inputs)[-1]
        return {'image_bytes': tf.map_fn(tf.io.encode_png, largest, fn_output_signature=tf.string)}

    def _named(self, images: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
        return {image_name(size): image for size, image in zip(self._network.sizes, images, strict=True)}


def _with_names(
    function: Callable[[Mapping[str, tf.Tensor]], dict[str, tf.Tensor]], inputs: Mapping[str, tf.TensorSpec]
) -> tf.types.experimental.PolymorphicFunction:
    """A function of a dict as one of named arguments, for TensorFlow's signatures."""
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in inputs]

    def named(*given: tf.Tensor) -> dict[str, tf.Tensor]:
        return function(dict(zip(inputs, given, strict=True)))

    named.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return tf.function(named, input_signature=list(inputs.values()))


def check_target(target: Path) -> None:
    """Refuses to export over something.

    Raises:
        UserError: the folder exists.
    """
    if target.exists():
        raise UserError(f'{target} exists: remove it or name another folder with --output')


def export_saved_model(network: keras.Model, target: Path, encoder: TextEncoder | None = None) -> None:
    """Writes a generator as a SavedModel; the folder appears only when it is whole.

    Args:
        network: a built tree generator, the averaged one of a run.
        target: the folder to make.
        encoder: the text encoder that goes with it.

    Raises:
        UserError: the folder exists.
    """
    write_saved_model(GeneratorModule(network, encoder), target)


def write_saved_model(module: tf.__internal__.tracking.AutoTrackable, target: Path) -> None:
    """Writes a module with its `signatures_by_name`; the folder appears only when it is whole.

    Raises:
        UserError: the folder exists.
    """
    check_target(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f'.{target.name}.{os.getpid()}')
    signatures = {name: function.get_concrete_function() for name, function in module.signatures_by_name.items()}
    try:
        tf.saved_model.save(module, str(beside), signatures=signatures)
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
