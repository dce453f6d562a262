"""StackGAN-v1: Stage-I sketches, Stage-II refines; the stages are trained one after the other.

Source: StackGAN++ (arXiv 1710.10916), section "StackGAN-v1: two-stage generative adversarial network".
"""

from typing import Annotated, Any

import keras
import tensorflow as tf

from stackgan_tf.models.batch import Batch
from stackgan_tf.models.noise import Purpose
from stackgan_tf.models.settings import (
    AdversarialLoss,
    Conditioning,
    DiscriminatorInputs,
    Optimization,
    StageDiscriminators,
)
from stackgan_tf.models.stage import RELEASED_CONDITIONING, Stage
from stackgan_tf.networks.descriptions import describe_network, network_of
from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import ENLARGEMENTS, StageTwoGenerator
from stackgan_tf.system.errors import UserError
from stackgan_tf.system.ranges import AtLeast, Count, PowerOfTwo, Seed


@keras.saving.register_keras_serializable('stackgan_tf')
class StageI(Stage):
    """Stage-I: small images from noise and, if conditional, an embedding. Defaults are those of the TensorFlow release.

    With an embedding dimension of 0 it is unconditional. The PyTorch release, for COCO, has `residual=False`,
    `fresh_fakes=False`,
    `Conditioning(embedding_dimension=1024, activation='relu', discriminator_condition='detached_mu')`,
    `StageDiscriminators(residual=False, joint_kernel=3, logit_bias=True)`, and one and a half times the widths.
    """

    def __init__(
        self,
        *,
        size: PowerOfTwo = 64,  # pixels
        batch_size: Count = 64,  # global
        noise_dimension: Count = 100,  # Z
        generator_width: Count = 128,  # GF_DIM of the release
        residual: bool = True,  # bottlenecks in the generator
        first_map: PowerOfTwo = 4,  # pixels of the generator's first and the discriminator's last map
        fresh_fakes: bool = True,  # the generator's step draws new noise; off: it reuses the discriminator's images
        conditioning: Conditioning = RELEASED_CONDITIONING,
        discriminator: StageDiscriminators = StageDiscriminators(),
        discriminator_inputs: DiscriminatorInputs = DiscriminatorInputs(),
        adversarial_loss: AdversarialLoss = 'cross_entropy',  # 'relativistic': not in the paper
        optimization: Optimization = Optimization(),
        seed: Seed = 0,
    ) -> None:
        super().__init__(seed, batch_size, conditioning, discriminator_inputs, optimization, adversarial_loss)
        self.fresh_fakes = fresh_fakes
        self.noise_dimension = noise_dimension
        self.set_up_discriminator(size, discriminator, first_map)
        generator, trained_ema = (
            StageOneGenerator(
                size=size,
                noise_dimension=noise_dimension,
                generator_width=generator_width,
                residual=residual,
                first_map=first_map,
                synchronized=self.replicas > 1,
                **self.conditioning_options(),
            )
            for _ in range(2)
        )
        for network in (generator, trained_ema):
            network.build((None, noise_dimension))
        self.set_up_generator(generator, trained_ema, self.names_of_record())

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
    see `StageI`, and set `residual_blocks=2` and `StageDiscriminators.unconditional`.

    Attributes:
        conditioning_network: the network whose conditioning augmentation gives the discriminator's condition: the
            generator, or Stage-I where the generator has no condition.

    Raises:
        UserError: Stage-I is missing, or does not fit.
    """

    def __init__(
        self,
        stage_one: keras.Model | None = None,  # a built `StageOneGenerator`; recipes set `Phase.stage_one`
        *,
        size: PowerOfTwo = 256,  # pixels
        batch_size: Count = 64,  # global
        generator_width: Count = 128,  # GF_DIM of the release
        residual_blocks: Annotated[int, AtLeast(0)] = 4,
        conditional: bool = True,  # off: the generator gets Stage-I's image alone
        fresh_fakes: bool = True,  # the generator's step draws new noise; off: it reuses the discriminator's images
        conditioning: Conditioning = RELEASED_CONDITIONING,
        discriminator: StageDiscriminators = StageDiscriminators(),
        discriminator_inputs: DiscriminatorInputs = DiscriminatorInputs(),
        adversarial_loss: AdversarialLoss = 'cross_entropy',  # 'relativistic': not in the paper
        optimization: Optimization = Optimization(),
        seed: Seed = 0,
    ) -> None:
        super().__init__(seed, batch_size, conditioning, discriminator_inputs, optimization, adversarial_loss)
        self.stage_one = _checked(stage_one, size, self.embedding_dimension)
        self.stage_one.trainable = False
        self.kl_weight = self.kl_weight if conditional else 0.0
        self.fresh_fakes = fresh_fakes
        generator, trained_ema = (
            StageTwoGenerator(
                stage_one_size=self.stage_one.sizes[0],
                size=size,
                generator_width=generator_width,
                residual_blocks=residual_blocks,
                conditional=conditional,
                synchronized=self.replicas > 1,
                **self.conditioning_options(),
            )
            for _ in range(2)
        )
        # Where the generator has no condition, the discriminator's comes from Stage-I.
        self.conditioning_network = generator if generator.embedding_dimension else self.stage_one
        self.condition_dimension = self.conditioning_network.condition_dimension
        self.set_up_discriminator(size, discriminator)
        for network in (generator, trained_ema):
            network.build(self.stage_one.compute_output_shape((None, self.stage_one.noise_dimension))[0])
        stacked = StackedGenerator(stage_one=self.stage_one, stage_two=trained_ema)
        stacked.build((None, stacked.noise_dimension))
        self.set_up_generator(generator, trained_ema, self.names_of_record(), stacked)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, Stage-I described."""
        return {**super().get_config(), 'stage_one': describe_network(self.stage_one)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> 'StageII':
        """The inverse of `get_config`; Stage-I has random weights until they are loaded."""
        stage_one = network_of(config['stage_one'])
        stage_one.build((None, stage_one.noise_dimension))
        return super().from_config({**config, 'stage_one': stage_one})

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
    possible = [small * times for times in ENLARGEMENTS]
    if size not in possible:
        raise UserError(
            f'Stage-I makes {small} pixels, of which StageII.size is {" or ".join(map(str, possible))}, not {size}'
        )
    if embedding_dimension != stage_one.embedding_dimension:
        raise UserError(
            f'both stages read the same embeddings: embedding_dimension = {stage_one.embedding_dimension} in Stage-I, '
            f'{embedding_dimension} in Stage-II'
        )
    return stage_one
