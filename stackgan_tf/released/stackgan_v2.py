"""Networks of the v2 release (birds; dog, cat, church and bedroom without captions): their keys, their settings.

Source: the released PyTorch code of StackGAN-v2, `G_NET`, `D_NET64`, `D_NET128` and so on.
"""

from collections.abc import Iterator

from stackgan_tf.networks.scale_discriminator import ScaleDiscriminator
from stackgan_tf.networks.scales import SEED_SIZE, doublings
from stackgan_tf.networks.tree_generator import TreeGenerator
from stackgan_tf.released.layout import (
    ReleasedWeight,
    batch_normalization,
    convolution,
    dense,
    maps,
    normalized,
)
from stackgan_tf.released.shapes import Shapes, UnknownNetworkError, check_channels, remaining

_S16 = 4  # convolutions of `img_code_s16`, each of stride 2
_FURTHER = 4  # further convolutions of stride 2 at most, up to 1024 pixels
_GATED = 4  # outputs of conditioning augmentation's dense layer per number of c: values and gates of mu, log variance


def tree_weights(tree: TreeGenerator) -> Iterator[ReleasedWeight]:
    """The weights of a generator in the order of the release."""
    if tree.augment is not None:
        yield from dense('ca_net.fc', tree.augment.dense)
    first = tree.first_branch
    yield from dense('h_net1.fc.0', first.dense, maps(2))
    yield from batch_normalization('h_net1.fc.1', first.batch_norm, maps(2))
    for number, block in enumerate(first.up, 1):
        yield from normalized(f'h_net1.upsample{number}', 1, block.conv, block.batch_norm)
    yield from convolution('img_net1.img.0', tree.to_image[0])
    for number, (branch, to_image) in enumerate(zip(tree.next_branches, tree.to_image[1:], strict=True), 2):
        yield from normalized(f'h_net{number}.jointConv', 0, branch.joint.conv, branch.joint.batch_norm)
        for i, block in enumerate(branch.residual):
            yield from normalized(f'h_net{number}.residual.{i}.block', 0, block.first_conv, block.first_norm)
            yield from normalized(f'h_net{number}.residual.{i}.block', 3, block.second_conv, block.second_norm)
        yield from normalized(f'h_net{number}.upsample', 1, branch.up.conv, branch.up.batch_norm)
        yield from convolution(f'img_net{number}.img.0', to_image)


def make_tree(shapes: Shapes) -> TreeGenerator:
    """The generator with the settings that follow from shapes.

    Raises:
        UnknownNetworkError: the shapes fit none.
    """
    ups, branches = shapes.count('h_net1.upsample{}.1.weight', 1), shapes.count('img_net{}.img.0.weight', 1)
    width = shapes.dimension('img_net1.img.0.weight', 1)
    check_channels(width, ups)
    embedding, condition = 0, 0
    if shapes.has('ca_net.fc.weight'):
        embedding = shapes.dimension('ca_net.fc.weight', 1)
        condition = shapes.dimension('ca_net.fc.weight', 0) // _GATED
    return TreeGenerator(
        sizes=[SEED_SIZE << (ups + branch) for branch in range(branches)],
        noise_dimension=remaining(shapes.dimension('h_net1.fc.0.weight', 1), condition, 'noise'),
        generator_width=width,
        residual_blocks=shapes.count('h_net2.residual.{}.block.0.weight', 0),
        embedding_dimension=embedding,
        condition_dimension=condition,
    )


def discriminator_weights(discriminator: ScaleDiscriminator) -> Iterator[ReleasedWeight]:
    """The weights of a discriminator in the order of the release.

    `logits` is the conditional head where there is a condition, otherwise the only head.
    """
    yield from convolution('img_code_s16.0', discriminator.first)
    for i, block in enumerate(discriminator.down, 1):
        key, place = ('img_code_s16', 3 * i - 1) if i < _S16 else (f'img_code_s{1 << (i + 1)}', 0)
        yield from normalized(key, place, block.conv, block.batch_norm)
    for i, block in enumerate(discriminator.across, 1):
        yield from normalized(f'img_code_s{discriminator.size // SEED_SIZE}_{i}', 0, block.conv, block.batch_norm)
    if not discriminator.condition_dimension:
        yield from convolution('logits.0', discriminator.logit)
        return
    yield from convolution('logits.0', discriminator.conditional_logit)
    yield from normalized('jointConv', 0, discriminator.joint.conv, discriminator.joint.batch_norm)
    yield from convolution('uncond_logits.0', discriminator.logit)


def make_discriminator(shapes: Shapes) -> ScaleDiscriminator:
    """The discriminator with the settings that follow from shapes.

    Raises:
        UnknownNetworkError: the shapes fit none.
    """
    downs = _S16 + sum(shapes.has(f'img_code_s{32 << i}.0.weight') for i in range(_FURTHER))
    width = shapes.dimension('img_code_s16.0.weight', 0)
    check_channels(width, downs - 1)
    condition = 0
    if shapes.has('jointConv.0.weight'):
        features = shapes.dimension('jointConv.0.weight', 0)
        condition = remaining(shapes.dimension('jointConv.0.weight', 1), features, 'a condition')
    return ScaleDiscriminator(
        size=SEED_SIZE << downs,
        width=width,
        condition_dimension=condition,
    )


def check_tree(tree: TreeGenerator) -> None:
    """Checks that the release has keys for a generator.

    Raises:
        UnknownNetworkError: it does not; the message says why.
    """
    if tree.embedding_dimension and (tree.activation, tree.whitening, tree.augmentation) != ('gated', False, True):
        raise UnknownNetworkError("it reads embeddings in another way than the release's gated linear unit")
    if tree.branch_images != 'own_size':
        raise UnknownNetworkError('not each of its branches has an image of its own size')


def check_discriminator(discriminator: ScaleDiscriminator) -> None:
    """Checks that the release has keys for a discriminator.

    Raises:
        UnknownNetworkError: it does not; the message says why.
    """
    if doublings(discriminator.size) < _S16:
        raise UnknownNetworkError(f'it reads {discriminator.size} pixels, those of the release 64 and more')
    if not discriminator.normalization or discriminator.projection or discriminator.inner_product:
        raise UnknownNetworkError('it has no batch normalization, or it projects the condition')
    if not discriminator.unconditional or discriminator.spectral_normalization:
        raise UnknownNetworkError('it has no unconditional logit, or it has spectral normalization')
