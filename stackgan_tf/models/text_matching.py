"""A text encoder trained with images: matching captions and images get similar embeddings.

Source: Reed et al. (arXiv 1605.05395), whose encoder the paper takes its embeddings from.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import keras
import numpy as np
import tensorflow as tf

from stackgan_tf.losses.groups import share_group
from stackgan_tf.losses.joint_embedding import joint_embedding_loss, matching_cross_entropy
from stackgan_tf.models.batch import Batch
from stackgan_tf.models.fused_kernels import FusedAdam
from stackgan_tf.models.global_batch import all_rows
from stackgan_tf.models.optimizers import ready
from stackgan_tf.models.trained_model import Rate, TrainedModel, input_error, variables_of
from stackgan_tf.networks.char_cnn_rnn import CharCNNRNN
from stackgan_tf.networks.image_encoder import BACKBONES, BackboneEncoder, ImageEncoder
from stackgan_tf.networks.scales import check_sizes
from stackgan_tf.system.errors import as_user_error
from stackgan_tf.system.ranges import Accepted, AtLeast, Count, OneOf, Seed, Weight

LOSSES = {'hinge': joint_embedding_loss, 'cross_entropy': matching_cross_entropy}


def check_tower(tower: str) -> None:
    """Checks the name of an image tower.

    Raises:
        ValueError: there is no such tower.
    """
    OneOf(('', 'classifier'), BACKBONES).check('image_tower', tower.partition(':')[0])


@keras.saving.register_keras_serializable('stackgan_tf')
class TextMatching(TrainedModel):
    """The char-CNN-RNN and an image tower, trained together by the joint embedding loss."""

    def __init__(
        self,
        *,
        sizes: Annotated[Sequence[int], Accepted(check_sizes)] = (64,),  # of the images, pixels; the last is used
        batch_size: Count = 40,  # global; the loss compares all its pairs, also across devices
        widths: tuple[Count, Count, Count] = (384, 512, 512),  # of the char-CNN-RNN
        recurrence: Literal['gru', 'relu'] = 'gru',
        last_pool: bool = False,
        dimension: Count = 1024,  # T
        initial_range: Weight = 0.08,  # 0 for narrow networks
        # What tokens are: as published, or UTF-8 bytes of any language; 'auto': a run decides, otherwise as published
        alphabet: Literal['ascii', 'bytes', 'auto'] = 'ascii',
        loss: Literal['hinge', 'cross_entropy'] = 'hinge',  # 'hinge' is the paper's
        caption_weight: Weight = 0.0,  # of the same loss between two captions of an image, as published for COCO
        # '': trained; or fixed: of a 'classifier', or of keras.applications as NAME or NAME:WEIGHTS_FILE
        image_tower: Annotated[str, Accepted(check_tower)] = '',
        image_width: Count = 32,  # of the other towers: channels after their first convolution
        rate: Weight = 7e-4,
        decay_steps: Annotated[int, AtLeast(0)] = 0,  # if set, the rate falls to 0 in the second half of these steps
        seed: Seed = 0,
    ) -> None:
        super().__init__(seed, batch_size)
        self._loss = LOSSES[loss]
        self.caption_weight = caption_weight
        self.batch_keys = ('images', 'tokens', 'label') + (('other_tokens',) if caption_weight else ())
        self.sizes = tuple(sizes)
        size = self.sizes[-1]
        self.text_encoder = CharCNNRNN(
            widths=widths,
            recurrence=recurrence,
            last_pool=last_pool,
            dimension=dimension,
            initial_range=initial_range,
            alphabet='ascii' if alphabet == 'auto' else alphabet,
        )
        self.alphabet = self.text_encoder.alphabet
        self.automatic_alphabet = alphabet == 'auto'
        self.text_encoder.build((None, self.text_encoder.length))
        image_tower, _, weights = image_tower.partition(':')
        self._image_weights = weights or 'imagenet'
        self.image_encoder: BackboneEncoder | ImageEncoder
        if image_tower not in ('', 'classifier'):
            with as_user_error(f'no {image_tower} for {size} pixels'):
                self.image_encoder = BackboneEncoder(size=size, backbone=image_tower, dimension=dimension)
        else:
            self.image_encoder = ImageEncoder(
                size=size,
                width=image_width,
                dimension=dimension,
                synchronized=self.replicas > 1,
            )
        self.image_encoder.build((None, size, size, 3))
        if image_tower == 'classifier':
            for block in self.image_encoder.blocks:
                block.trainable = False
        optimizer = ready(FusedAdam(Rate(rate, decay_steps)), self._trained_variables())
        self.set_up(optimizer, ('matching_loss', *(('caption_loss',) if caption_weight else ()), 'matching_accuracy'))

    def _trained_variables(self) -> list[Any]:
        return [*self.text_encoder.trainable_variables, *self.image_encoder.trainable_variables]

    def fixed_features(self) -> list[tf.Variable]:
        """The variables that the image tower takes from a classifier; none if it is trained."""
        blocks = getattr(self.image_encoder, 'blocks', [])
        return [variable.value for block in blocks for variable in block.variables if not block.trainable]

    def initialize(self, embeddings: np.ndarray | None = None) -> None:
        """Loads the pretrained weights of a network of `keras.applications`.

        Raises:
            UserError: they cannot be loaded.
        """
        if isinstance(self.image_encoder, BackboneEncoder):
            with as_user_error(f'no weights {self._image_weights!r} for {self.image_encoder.backbone}'):
                self.image_encoder.load_features(self._image_weights)

    def checkpoint_variables(self) -> dict[str, list[tf.Variable]]:
        """Everything that a checkpoint must hold to resume exactly, by name."""
        return {**super().checkpoint_variables(), 'optimizer': variables_of(self.optimizer)}

    def checkpoint_networks(self) -> dict[str, keras.Model]:
        """Both encoders."""
        return {'text_encoder': self.text_encoder, 'image_encoder': self.image_encoder}

    def networks(self) -> dict[str, keras.Model]:
        """Both encoders."""
        return {'text encoder': self.text_encoder, 'image encoder': self.image_encoder}

    def forward_passes(self) -> list[tf.Tensor]:
        """Embeddings of empty captions and of gray images."""
        images = tf.zeros((self.batch_size, self.image_encoder.size, self.image_encoder.size, 3))
        tokens = tf.zeros((self.batch_size, self.text_encoder.length), tf.int32)
        return [self.text_encoder(tokens, training=True), self.image_encoder(images, training=True)]

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor | dict[str, tf.Tensor]:
        """Embeds captions, images, or both.

        Args:
            inputs: `tokens` int32 `[N, L]` of captions (L = 201, or 512 bytes); or a dict of `tokens`, `images` float32
                `[N, size, size, 3]` in [-1, 1], or both.
            training: ignored; the encoders are always in inference mode.

        Returns:
            For tokens, their embeddings, float32 `[N, T]`; for a dict, a dict of embeddings with the same keys.

        Raises:
            UserError: a dict has neither key.
        """
        if not isinstance(inputs, Mapping):
            return self.text_encoder(inputs, training=False)
        encoders = {'tokens': self.text_encoder, 'images': self.image_encoder}
        embeddings = {
            name: encoder(inputs[name], training=False) for name, encoder in encoders.items() if name in inputs
        }
        if not embeddings:
            raise input_error('this TextMatching takes tokens, or a dict of tokens, images or both')
        return embeddings

    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """One update of both encoders.

        Args:
            batch: this replica's rows: `images`, whose last is float32 `[n, size, size, 3]` in [-1, 1]; `tokens` int32
                `[n, L]` of one caption of each, L = 201, or 512 bytes; with a `caption_weight` `other_tokens` of
                another; `label` int32 `[n]`, or `[n, G]` with other groups.

        Returns:
            The losses, and the share of images whose most similar caption is of their class or group.
        """
        labels = all_rows(batch['label'])
        with tf.GradientTape() as tape:
            # Every replica computes the loss of the global batch, which compares all pairs.
            images = all_rows(self.image_encoder(batch['images'][-1], training=True))
            texts = all_rows(self.text_encoder(batch['tokens'], training=True))
            loss = self._loss(images, texts, labels)
            recorded = {'matching_loss': loss}
            if self.caption_weight:
                others = all_rows(self.text_encoder(batch['other_tokens'], training=True))
                recorded['caption_loss'] = self._loss(others, texts, labels)
                loss += self.caption_weight * recorded['caption_loss']
            scaled = loss / self.replicas
        self.apply_gradients(self.optimizer, tape, scaled, self._trained_variables())
        best = tf.argmax(tf.matmul(images, texts, transpose_b=True), axis=1)
        matches = tf.gather(share_group(labels), best, batch_dims=1)
        recorded['matching_accuracy'] = tf.reduce_mean(tf.cast(matches, tf.float32))
        self.record(recorded)
        return recorded
