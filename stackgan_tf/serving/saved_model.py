"""A finished generator as one SavedModel that needs nothing of this package to run."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import keras
import tensorflow as tf

from stackgan_tf.generator import image_name, images_of_seeds
from stackgan_tf.user_error import UserError


class UnconditionalModule(tf.__internal__.tracking.AutoTrackable):
    """The object inside the SavedModel: a Reusable SavedModel of TF Hub with serving signatures.

    Called with `{'noise': float32 [N, Z]}` it gives the `latent` signature's outputs and can be differentiated.
    Its lists of variables are plain attributes, since only those are found again after loading.
    """

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.variables = [variable.value for variable in network.variables]
        self.trainable_variables = [variable.value for variable in network.trainable_variables]
        self.regularization_losses: list[tf.Tensor] = []
        self._network = network
        noise = tf.TensorSpec((None, network.noise_dimension), tf.float32, name='noise')
        seed = tf.TensorSpec((None,), tf.int64, name='seed')
        self.__call__ = tf.function(self._call, input_signature=[{'noise': noise}])
        self.signatures_by_name = {
            'serving_default': tf.function(self._serve, input_signature=[seed]),
            'images': tf.function(self._images, input_signature=[seed]),
            'latent': tf.function(self._latent, input_signature=[noise]),
        }

    def _call(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return self._latent(inputs['noise'])

    def _latent(self, noise: tf.Tensor) -> dict[str, tf.Tensor]:
        images = self._network(noise, training=False)
        return {image_name(size): image for size, image in zip(self._network.sizes, images, strict=True)}

    def _images(self, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        images = images_of_seeds(self._network, seed)
        return {image_name(size): image for size, image in zip(self._network.sizes, images, strict=True)}

    def _serve(self, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        largest = images_of_seeds(self._network, seed)[-1]
        encoded = tf.map_fn(tf.io.encode_png, largest, fn_output_signature=tf.string)
        return {'image_bytes': encoded}


def check_target(target: Path) -> None:
    """Refuses to export over something.

    Raises:
        UserError: the folder exists.
    """
    if target.exists():
        raise UserError(f'{target} exists: remove it or name another folder with --output')


def export_saved_model(network: keras.Model, target: Path) -> None:
    """Writes a generator as a SavedModel; the folder appears only when it is whole.

    Args:
        network: a built tree generator, the averaged one of a run.
        target: the folder to make.

    Raises:
        UserError: the folder exists.
    """
    write_saved_model(UnconditionalModule(network), target)


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
