"""The same models as plain Keras layers, without the optimized implementations of the package.

Upsampling is not folded into kernels, vectors are tiled and convolved with the features, batch normalization and Adam
are Keras's own, and the passes of a discriminator share nothing.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import keras
import tensorflow as tf
from keras import KerasTensor, ops

from stackgan_tf.losses.joint_conditional import Logits
from stackgan_tf.models import adversarial_model, optimizers, trained_model
from stackgan_tf.models.adversarial_model import AdversarialModel
from stackgan_tf.networks import convolution_block


@contextlib.contextmanager
def plain_keras() -> Iterator[None]:
    """A context in which models are built and their steps traced in the plain form."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(convolution_block, 'up_convolve', _up_convolve))
        stack.enter_context(mock.patch.object(convolution_block, 'convolve_joined', _convolve_joined))
        stack.enter_context(mock.patch.object(optimizers, 'FusedAdam', keras.optimizers.Adam))
        stack.enter_context(mock.patch.object(trained_model, 'fuse_normalization'))
        stack.enter_context(mock.patch.object(adversarial_model, 'move_towards', _move_towards))
        stack.enter_context(mock.patch.object(AdversarialModel, 'mismatched', _mismatched(AdversarialModel.mismatched)))
        yield


def _up_convolve(x: KerasTensor, kernel: KerasTensor, folded: bool) -> KerasTensor:
    return ops.conv(ops.repeat(ops.repeat(x, 2, axis=1), 2, axis=2), kernel, padding='same')


def _convolve_joined(
    vector: KerasTensor, of_vector: KerasTensor, features: KerasTensor, of_features: KerasTensor
) -> KerasTensor:
    tiled = ops.tile(vector[:, None, None, :], (1, *features.shape[1:3], 1))
    kernel = ops.concatenate([of_vector, of_features], axis=2)
    return ops.conv(ops.concatenate([tiled, features], axis=-1), kernel, padding='same')


def _move_towards(average: tf.Variable, variable: tf.Tensor, share: tf.Tensor) -> None:
    average.assign_sub(share * (average - variable))


def _mismatched(shared: Callable[..., tuple[Logits, tf.Tensor]]) -> Callable[..., tuple[Logits, tf.Tensor]]:
    def separate(
        self: AdversarialModel,
        discriminator: keras.Model,
        discriminator_input: Callable[[tf.Tensor], tf.Tensor],
        batch: dict[str, Any],
        features: tf.Tensor,
        condition: tf.Tensor,
    ) -> tuple[Logits, tf.Tensor]:
        """For mismatched texts, computes the features of the real image again."""
        if self.conditioning.pairs == 'text':
            scale = self.sizes.index(discriminator.size)
            features = discriminator.features(discriminator_input(batch['images'][scale]), training=True)
        return shared(self, discriminator, discriminator_input, batch, features, condition)

    return separate
