"""StackGAN-v1: Stage-I sketches, Stage-II refines; the stages are trained one after the other.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v1: two-stage generative adversarial network".
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from stackgan_tf.models.batch import Batch
from stackgan_tf.models.noise import Purpose
from stackgan_tf.models.optimizers import adam
from stackgan_tf.models.stage import Stage
from stackgan_tf.networks.descriptions import describe_network, network_of
from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator
from stackgan_tf.system.errors import UserError


@keras.saving.register_keras_serializable('stackgan_tf')
class StageI(Stage):
    """Stage-I: small images from noise and, if conditional, an embedding. Defaults are those of the TensorFlow release.

    The PyTorch release, for COCO, has `residual=False, conditioning='relu', joint_kernel=3, logit_bias=True,
    discriminator_condition='detached_mu', fresh_fakes=False`, and twice the widths by half.
    """

    def __init__(
        self,
        size: int = 64,  # pixels
        batch_size: int = 64,  # global
        noise_dimension: int = 100,  # Z
        generator_width: int = 128,  # GF_DIM of the release
        discriminator_width: int = 64,  # DF_DIM of the release
        embedding_dimension: int = 1024,  # T; 0: unconditional
        condition_dimension: int = 128,  # E, of c
        conditioning: str = 'leaky_relu',  # or 'linear' (the paper), 'relu', 'gated'
        conditioning_augmentation: bool = True,  # off: c is mu, without KL divergence
        kl_weight: float = 2.0,  # of the KL divergence
        residual: bool = True,  # bottlenecks in both networks
        first_map: int = 4,  # pixels of the generator's first and the discriminator's last map
        joint_kernel: int = 1,  # of the convolution that joins image and text in the discriminator
        logit_bias: bool = False,
        released_linear: bool = False,  # no activation after one convolution of the discriminator, as released
        unconditional_head: bool = False,  # adds unconditional logits: whether the image alone is real
        discriminator_condition: str = 'embedding',  # through a layer of its own; or 'mu', 'detached_mu'
        pairs: str = 'text',  # mismatched: a real image with another's caption; 'image': another real image
        fresh_fakes: bool = True,  # the generator's step draws new noise; off: it reuses the discriminator's images
        discriminator_normalization: bool = True,  # batch normalization in the discriminator
        generator_rate: float = 2e-4,
        discriminator_rate: float = 2e-4,
        halve_every: int = 0,  # steps after which rates are halved; 0: never
        averaging_decay: float = 0.999,  # 0: no average, as released
        real_target: float = 1.0,  # not in the paper: below 1, one-sided label smoothing
        input_noise: float = 0.0,  # not in the paper: deviation of the noise on discriminator inputs
        whitened_embeddings: bool = False,  # not in the paper: embeddings are whitened first
        augmentation: Sequence[str] = (),  # not in the paper: 'color', 'translation', 'cutout' before the discriminator
        decay_steps: int = 0,  # not in the paper: if set, rates fall to 0 in the second half of these steps
        accumulated_steps: int = 1,  # not in the paper: one update per this many steps, by their mean gradient
        seed: int = 0,
    ) -> None:
        super().__init__(seed, batch_size, averaging_decay, accumulated_steps)
        kl_weight = kl_weight if conditioning_augmentation else 0.0
        self.set_up_conditions(embedding_dimension, condition_dimension, kl_weight, discriminator_condition, pairs)
        self.set_up_discriminator_inputs(input_noise, augmentation, real_target)
        self.fresh_fakes = fresh_fakes
        self.noise_dimension = noise_dimension
        schedule = (decay_steps, halve_every, accumulated_steps)
        self.set_up_discriminator(
            size,
            discriminator_width,
            discriminator_rate,
            schedule,
            joint_kernel=joint_kernel,
            residual=residual,
            released_linear=released_linear,
            logit_bias=logit_bias,
            unconditional=unconditional_head,
            last_map=first_map,
            discriminator_normalization=discriminator_normalization,
        )
        generator, trained_ema = (
            StageOneGenerator(
                size=size,
                noise_dimension=noise_dimension,
                generator_width=generator_width,
                embedding_dimension=embedding_dimension,
                condition_dimension=condition_dimension,
                activation=conditioning,
                augmentation=conditioning_augmentation,
                whitening=whitened_embeddings,
                residual=residual,
                synchronized=self.replicas > 1,
                first_map=first_map,
            )
            for _ in range(2)
        )
        for network in (generator, trained_ema):
            network.build((None, noise_dimension))
        optimizer = adam(generator_rate, generator.trainable_variables, *schedule)
        self.set_up_generator(generator, trained_ema, optimizer, self.names_of_record())

    def generate(self, batch: Batch, number: int = 0) -> tuple[tf.Tensor, tf.Tensor | None, tf.Tensor]:
        """Images from noise; see `Stage.generate`."""
        z = self.draw(Purpose.LATENT, (self.noise_dimension,), number)
        conditional = bool(self.embedding_dimension)
        epsilon = self.draw(Purpose.CONDITIONING, (self.condition_dimension,), number) if conditional else None
        c, condition, kl = self.draw_condition(batch, epsilon)
        return self.generator.images(z, c, training=True)[0], condition, kl


@keras.saving.register_keras_serializable('stackgan_tf')
class StageII(Stage):
    """Stage-II: refines the images of a finished Stage-I to 2 or 4 times their size.

    Stage-I is frozen and runs in inference mode. Defaults are those of the TensorFlow release; for the PyTorch release
    see `StageI`, and set `residual_blocks=2, unconditional_head=True`.

    Attributes:
        conditioning_network: the network whose conditioning augmentation gives the discriminator's condition: the
            generator, or Stage-I where the generator has no condition.

    Raises:
        UserError: Stage-I is missing, or does not fit.
    """

    def __init__(
        self,
        stage_one: keras.Model | None = None,  # a built `StageOneGenerator`; recipes set `Phase.stage_one`
        size: int = 256,  # pixels
        batch_size: int = 64,  # global
        generator_width: int = 128,  # GF_DIM of the release
        discriminator_width: int = 64,  # DF_DIM of the release
        residual_blocks: int = 4,
        embedding_dimension: int = 1024,  # T; 0: unconditional
        condition_dimension: int = 128,  # E, of this stage's c
        conditioning: str = 'leaky_relu',  # or 'linear' (the paper), 'relu', 'gated'
        conditioning_augmentation: bool = True,  # off: c is mu, without KL divergence
        kl_weight: float = 2.0,  # of the KL divergence
        conditional: bool = True,  # off: the generator gets Stage-I's image alone
        joint_kernel: int = 1,  # of the convolution that joins image and text in the discriminator
        discriminator_residual: bool = True,  # whether a bottleneck ends the discriminator's features
        logit_bias: bool = False,
        unconditional_head: bool = False,  # adds unconditional logits: whether the image alone is real
        discriminator_condition: str = 'embedding',  # through a layer of its own; or 'mu', 'detached_mu'
        pairs: str = 'text',  # mismatched: a real image with another's caption; 'image': another real image
        fresh_fakes: bool = True,  # the generator's step draws new noise; off: it reuses the discriminator's images
        discriminator_normalization: bool = True,  # batch normalization in the discriminator
        generator_rate: float = 2e-4,
        discriminator_rate: float = 2e-4,
        halve_every: int = 0,  # steps after which rates are halved; 0: never
        averaging_decay: float = 0.999,  # 0: no average, as released
        real_target: float = 1.0,  # not in the paper: below 1, one-sided label smoothing
        input_noise: float = 0.0,  # not in the paper: deviation of the noise on discriminator inputs
        whitened_embeddings: bool = False,  # not in the paper: embeddings are whitened first
        augmentation: Sequence[str] = (),  # not in the paper: 'color', 'translation', 'cutout' before the discriminator
        decay_steps: int = 0,  # not in the paper: if set, rates fall to 0 in the second half of these steps
        accumulated_steps: int = 1,  # not in the paper: one update per this many steps, by their mean gradient
        seed: int = 0,
    ) -> None:
        super().__init__(seed, batch_size, averaging_decay, accumulated_steps)
        self.stage_one = _checked(stage_one, size, embedding_dimension)
        self.stage_one.trainable = False
        kl_weight = kl_weight if conditioning_augmentation and conditional else 0.0
        self.set_up_conditions(embedding_dimension, condition_dimension, kl_weight, discriminator_condition, pairs)
        self.set_up_discriminator_inputs(input_noise, augmentation, real_target)
        self.fresh_fakes = fresh_fakes
        schedule = (decay_steps, halve_every, accumulated_steps)
        generator, trained_ema = (
            StageTwoGenerator(
                stage_one_size=self.stage_one.sizes[0],
                size=size,
                generator_width=generator_width,
                residual_blocks=residual_blocks,
                embedding_dimension=embedding_dimension,
                condition_dimension=condition_dimension,
                activation=conditioning,
                augmentation=conditioning_augmentation,
                whitening=whitened_embeddings,
                conditional=conditional,
                synchronized=self.replicas > 1,
            )
            for _ in range(2)
        )
        # Where the generator has no condition, the discriminator's comes from Stage-I.
        self.conditioning_network = generator if generator.embedding_dimension else self.stage_one
        self.condition_dimension = self.conditioning_network.condition_dimension
        self.set_up_discriminator(
            size,
            discriminator_width,
            discriminator_rate,
            schedule,
            joint_kernel=joint_kernel,
            residual=discriminator_residual,
            logit_bias=logit_bias,
            unconditional=unconditional_head,
            discriminator_normalization=discriminator_normalization,
        )
        for network in (generator, trained_ema):
            network.build(self.stage_one.compute_output_shape((None, self.stage_one.noise_dimension))[0])
        optimizer = adam(generator_rate, generator.trainable_variables, *schedule)
        stacked = StackedGenerator(stage_one=self.stage_one, stage_two=trained_ema)
        stacked.build((None, stacked.noise_dimension))
        self.set_up_generator(generator, trained_ema, optimizer, self.names_of_record(), stacked)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, Stage-I described."""
        return {**super().get_config(), 'stage_one': describe_network(self.stage_one)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> 'StageII':
        """The inverse of `get_config`; Stage-I has random weights until they are loaded."""
        stage_one = network_of(config['stage_one'])
        stage_one.build((None, stage_one.noise_dimension))
        return cls(**{**config, 'stage_one': stage_one})

    def generate(self, batch: Batch, number: int = 0) -> tuple[tf.Tensor, tf.Tensor | None, tf.Tensor]:
        """Images from those that Stage-I makes of noise; see `Stage.generate`."""
        z = self.draw(Purpose.LATENT, (self.stage_one.noise_dimension,), number)
        if not self.embedding_dimension:
            (small,) = self.stage_one(z, training=False)
            return self.generator.images(small, training=True)[0], None, tf.constant(0.0)
        dimensions = [self.stage_one.condition_dimension, self.condition_dimension]
        epsilons = tf.split(self.draw(Purpose.CONDITIONING, (sum(dimensions),), number), dimensions, axis=-1)
        (small,) = self.stage_one(z, batch['embedding'], epsilons[0], training=False)
        c, condition, kl = self.draw_condition_with(self.conditioning_network, batch, epsilons[1])
        if not self.generator.embedding_dimension:
            c, kl = None, tf.constant(0.0)
        return self.generator.images(small, c, training=True)[0], condition, kl


def _checked(stage_one: keras.Model | None, size: int, embedding_dimension: int) -> StageOneGenerator:
    """The Stage-I that Stage-II refines.

    Raises:
        UserError: it is missing or does not fit.
    """
    if not isinstance(stage_one, StageOneGenerator):
        raise UserError("StageII refines what a Stage-I makes: set the phase's Phase.stage_one = @StageI")
    small = stage_one.sizes[0]
    if size not in (2 * small, 4 * small):
        raise UserError(
            f'Stage-I makes {small} pixels, of which StageII.size is {2 * small} or {4 * small}, not {size}'
        )
    if embedding_dimension != stage_one.embedding_dimension:
        raise UserError(
            f'both stages read the same embeddings: StageI.embedding_dimension = {stage_one.embedding_dimension}, '
            f'StageII.embedding_dimension = {embedding_dimension}'
        )
    return stage_one
