"""Networks of v1's later release (COCO): their keys, and their settings from the shapes of weights.

Source: the released PyTorch code of StackGAN-v1, `STAGE1_G`, `STAGE2_G`, `STAGE1_D` and `STAGE2_D`. Stage-II's
generator contains Stage-I's.
"""

from collections.abc import Iterator

from stackgan_tf.networks.scales import SEED_SIZE
from stackgan_tf.networks.stacked_generator import StackedGenerator
from stackgan_tf.networks.stage_discriminator import StageDiscriminator
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator
from stackgan_tf.released.layout import (
    ReleasedWeight,
    batch_normalization,
    convolution,
    dense,
    maps,
    normalized,
)
from stackgan_tf.released.shapes import Shapes, UnknownNetworkError, check_channels, remaining

STAGE_ONE = 'STAGE1_G.'  # prefix of Stage-I's keys in a file of Stage-II
_ENCODER = 4  # Stage-II encodes the image to a quarter of its size
_AUGMENTATION = 2  # outputs of conditioning augmentation's dense layer per number of c: mu and log variance


def stage_one_weights(network: StageOneGenerator, prefix: str = '') -> Iterator[ReleasedWeight]:
    """The weights of Stage-I's generator in the order of the release."""
    if network.augment is not None:
        yield from dense(f'{prefix}ca_net.fc', network.augment.dense)
    yield from dense(f'{prefix}fc.0', network.dense, maps(1))
    yield from batch_normalization(f'{prefix}fc.1', network.batch_norm, maps(1))
    for number, block in enumerate(network.blocks, 1):
        yield from normalized(f'{prefix}upsample{number}', 1, block.conv, block.batch_norm)
    yield from convolution(f'{prefix}img.0', network.to_image.conv)


def stacked_weights(network: StackedGenerator) -> Iterator[ReleasedWeight]:
    """The weights of both generators in the order of the release."""
    yield from stage_one_weights(network.stage_one, STAGE_ONE)
    stage: StageTwoGenerator = network.stage_two
    if stage.augment is not None:
        yield from dense('ca_net.fc', stage.augment.dense)
    first, *further = stage.encode
    yield from convolution('encoder.0', first.conv)
    for place, block in zip((2, 5), further, strict=True):
        yield from normalized('encoder', place, block.conv, block.batch_norm)
    yield from normalized('hr_joint', 0, stage.joint.conv, stage.joint.batch_norm)
    for i, residual in enumerate(stage.refine):
        for place, block in zip((0, 3), residual.blocks, strict=True):
            yield from normalized(f'residual.{i}.block', place, block.conv, block.batch_norm)
    for number, block in enumerate(stage.up, 1):
        yield from normalized(f'upsample{number}', 1, block.conv, block.batch_norm)
    yield from convolution('img.0', stage.to_image.conv)


def make_stage_one(shapes: Shapes, prefix: str = '') -> StageOneGenerator:
    """Stage-I's generator with the settings that follow from shapes.

    Raises:
        UnknownNetworkError: the shapes fit none.
    """
    ups = shapes.count(f'{prefix}upsample{{}}.1.weight', 1)
    first_width = shapes.dimension(f'{prefix}upsample1.1.weight', 1)
    check_channels(first_width, 0)
    embedding, condition = _condition(shapes, prefix)
    return StageOneGenerator(
        size=SEED_SIZE << ups,
        noise_dimension=remaining(shapes.dimension(f'{prefix}fc.0.weight', 1), condition, 'noise'),
        generator_width=first_width >> (ups - 1),
        embedding_dimension=embedding,
        condition_dimension=condition,
        activation='relu',
        residual=False,
    )


def make_stacked(shapes: Shapes) -> StackedGenerator:
    """Both generators with the settings that follow from shapes.

    Raises:
        UnknownNetworkError: the shapes fit none.
    """
    stage_one = make_stage_one(shapes, STAGE_ONE)
    (size,) = stage_one.sizes
    embedding, condition = _condition(shapes, '')
    width = shapes.dimension('encoder.0.weight', 0)
    check_channels(width, 2)
    stage_two = StageTwoGenerator(
        stage_one_size=size,
        size=size // _ENCODER << shapes.count('upsample{}.1.weight', 1),
        generator_width=width,
        residual_blocks=shapes.count('residual.{}.block.0.weight', 0),
        embedding_dimension=embedding,
        condition_dimension=condition,
        activation='relu',
    )
    return StackedGenerator(stage_one=stage_one, stage_two=stage_two)


def _condition(shapes: Shapes, prefix: str) -> tuple[int, int]:
    """Dimensions of an embedding and of c."""
    key = f'{prefix}ca_net.fc.weight'
    return shapes.dimension(key, 1), shapes.dimension(key, 0) // _AUGMENTATION


def discriminator_weights(discriminator: StageDiscriminator) -> Iterator[ReleasedWeight]:
    """The weights of either stage's discriminator in the order of the release."""
    first, *further = discriminator.blocks
    yield from convolution('encode_img.0', first.conv)
    for i, block in enumerate(further):
        yield from normalized('encode_img', 2 + 3 * i, block.conv, block.batch_norm)
    joint = discriminator.joint
    yield from normalized('get_cond_logits.outlogits', 0, joint.conv, joint.batch_norm)
    yield from convolution('get_cond_logits.outlogits.3', discriminator.conditional_logit)
    if discriminator.unconditional:
        yield from convolution('get_uncond_logits.outlogits.0', discriminator.logit)


def make_discriminator(shapes: Shapes) -> StageDiscriminator:
    """The discriminator with the settings that follow from shapes.

    Raises:
        UnknownNetworkError: the shapes fit none.
    """
    layers = 1 + sum(shapes.has(f'encode_img.{2 + 3 * i}.weight') for i in range(16))
    kernels = [shapes.dimension(f'encode_img.{max(3 * i - 1, 0)}.weight', 2) for i in range(layers)]
    downs = sum(kernel == 4 for kernel in kernels)
    width = shapes.dimension('encode_img.0.weight', 0)
    check_channels(width, downs - 1)
    joint = 'get_cond_logits.outlogits.0.weight'
    return StageDiscriminator(
        size=SEED_SIZE << downs,
        width=width,
        condition_dimension=remaining(shapes.dimension(joint, 1), shapes.dimension(joint, 0), 'the condition'),
        projection=0,
        joint_kernel=3,
        residual=False,
        logit_bias=True,
        unconditional=shapes.has('get_uncond_logits.outlogits.0.weight'),
    )


def check_stage_one(network: StageOneGenerator) -> None:
    """Checks that the release has keys for a generator.

    Raises:
        UnknownNetworkError: it does not; the message says why.
    """
    _check_conditioning(network)
    if network.residual or network.first_map != SEED_SIZE:
        raise UnknownNetworkError('it has the form of the TensorFlow release (StageI.residual, StageI.first_map)')


def check_stacked(network: StackedGenerator) -> None:
    """Checks that the release has keys for both generators.

    Raises:
        UnknownNetworkError: it does not; the message says why.
    """
    check_stage_one(network.stage_one)
    _check_conditioning(network.stage_two)


def _check_conditioning(network: StageOneGenerator | StageTwoGenerator) -> None:
    if not network.embedding_dimension:
        raise UnknownNetworkError('it does not read embeddings')
    if (network.activation, network.whitening, network.augmentation) != ('relu', False, True):
        raise UnknownNetworkError("it reads embeddings in another way than the release's rectifier")


def check_discriminator(discriminator: StageDiscriminator) -> None:
    """Checks that the release has keys for a discriminator.

    Raises:
        UnknownNetworkError: it does not; the message says why.
    """
    found = (discriminator.joint_kernel, discriminator.projection, discriminator.residual, discriminator.logit_bias)
    others = (
        discriminator.last_map,
        discriminator.normalization,
        discriminator.condition_dimension > 0,
    )
    if found != (3, 0, False, True) or others != (SEED_SIZE, True, True):
        raise UnknownNetworkError('it does not have the form of the PyTorch release (see gin/coco_v1.gin)')
