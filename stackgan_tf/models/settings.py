"""Groups of settings of the adversarial models; recipes bind them: `StackGANv2.conditioning = @Conditioning()`."""

import dataclasses
from collections.abc import Sequence
from typing import Annotated, Literal

from stackgan_tf.networks.conditioning_augmentation import Activation
from stackgan_tf.networks.differentiable_augmentation import Augmentation
from stackgan_tf.system.ranges import AtLeast, AtMost, Count, LessThan, Weight, check_range

AdversarialLoss = Literal['cross_entropy', 'relativistic']  # the latter not in the paper


@dataclasses.dataclass(frozen=True)
class Settings:
    """Checks the fields of a group against the ranges in their annotations."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_range(field.name, getattr(self, field.name), field.type)


@dataclasses.dataclass(frozen=True)
class Conditioning(Settings):
    """How a model is conditioned on embeddings (StackGAN++, "Conditioning Augmentation").

    Attributes:
        embedding_dimension: T, of the embeddings; 0: unconditional.
        condition_dimension: E, of the condition c.
        activation: after the linear layer of conditioning augmentation; `'linear'` in the paper, `'gated'` in the
            released v2, `'leaky_relu'` in the TensorFlow release of v1, `'relu'` in its PyTorch release.
        augmentation: whether c is drawn from a normal distribution; off: c is its mean mu, without KL divergence.
        whitening: whether embeddings are whitened first (not in the paper).
        kl_weight: of the KL divergence.
        discriminator_condition: the discriminators' condition: `'mu'`, `'detached_mu'` without gradients, or
            `'embedding'` through a dense layer of their own.
        pairs: mismatched pairs are a real image with the caption of another (`'text'`, the paper), or another real
            image with the caption (`'image'`, the released v2).
    """

    embedding_dimension: Annotated[int, AtLeast(0)] = 0
    condition_dimension: Count = 128
    activation: Activation = 'gated'
    augmentation: bool = True
    whitening: bool = False
    kl_weight: Weight = 2.0
    discriminator_condition: Literal['mu', 'detached_mu', 'embedding'] = 'mu'
    pairs: Literal['text', 'image'] = 'text'


@dataclasses.dataclass(frozen=True)
class TermWeights(Settings):
    """The weights of the terms of the joint loss; see `joint_discriminator_loss`.

    Attributes:
        conditional_weight: of all terms of the conditional logits: whether pairs match.
        unconditional_weight: of all terms of the unconditional logits; 0: there are no such logits.
        mismatched_weight: of mismatched pairs, within the conditional terms.
        generated_weight: of generated images, within the conditional terms.
        mismatched_real_weight: for `pairs='image'`, of mismatched images in the unconditional terms, where they are
            real images.
    """

    conditional_weight: Weight = 1.0
    unconditional_weight: Weight = 1.0
    mismatched_weight: Weight = 1.0
    generated_weight: Weight = 1.0
    mismatched_real_weight: Weight = 1.0


@dataclasses.dataclass(frozen=True)
class TreeDiscriminators(Settings):
    """The discriminators of StackGAN-v2, one `ScaleDiscriminator` or several per image.

    Attributes:
        width: channels after the first convolution (DF_DIM of the release).
        normalization: batch normalization, as in the paper.
        spectral_normalization: of every convolution (not in the paper).
        inner_product: whether the inner product of condition and features is added to the conditional logits (not in
            the paper).
        per_image: discriminators of each image, each with its own initial weights.
    """

    width: Count = 64
    normalization: bool = True
    spectral_normalization: bool = False
    inner_product: bool = False
    per_image: Count = 1


@dataclasses.dataclass(frozen=True)
class StageDiscriminators(Settings):
    """The discriminator of a stage of StackGAN-v1; see `StageDiscriminator`.

    Attributes:
        width: channels after the first convolution (DF_DIM of the release).
        normalization: batch normalization, as in the paper.
        joint_kernel: size of the convolution that joins image and condition.
        residual: whether a bottleneck ends the features.
        released_linear: no activation after one convolution, as in the released Stage-I.
        logit_bias: whether logits have a bias.
        inner_product: whether the inner product of condition and features is added to the conditional logits (not in
            the paper).
        unconditional: whether there are unconditional logits too.
    """

    width: Count = 64
    normalization: bool = True
    joint_kernel: Count = 1
    residual: bool = True
    released_linear: bool = False
    logit_bias: bool = False
    inner_product: bool = False
    unconditional: bool = False


@dataclasses.dataclass(frozen=True)
class DiscriminatorInputs(Settings):
    """Additions to the paper at the discriminators: noise, augmentation, label smoothing, R1 and R2 penalties.

    Attributes:
        noise: standard deviation of the noise that is added to images.
        augmentation: random changes of real and generated images alike, of `'color'`, `'translation'`, `'cutout'`.
        real_target: the target of real images; below 1, one-sided label smoothing.
        r1_weight: gamma of the R1 gradient penalty at real images.
        r2_weight: gamma of the R2 gradient penalty, the same at generated images.
        r1_every: steps between computations of both penalties.
    """

    noise: Weight = 0.0
    augmentation: Sequence[Augmentation] = ()
    real_target: Annotated[float, AtLeast(0), AtMost(1)] = 1.0
    r1_weight: Weight = 0.0
    r2_weight: Weight = 0.0
    r1_every: Count = 16


@dataclasses.dataclass(frozen=True)
class ColorConsistency(Settings):
    """Color-consistency regularization (StackGAN++, section of that name).

    Attributes:
        weight: alpha; 0 switches it off.
        mean_weight: lambda_1.
        covariance_weight: lambda_2.
        norm: `'released'` or `'paper'`; see `color_consistency_loss`.
    """

    weight: Weight = 50.0
    mean_weight: Weight = 1.0
    covariance_weight: Weight = 5.0
    norm: Literal['released', 'paper'] = 'released'


@dataclasses.dataclass(frozen=True)
class Optimization(Settings):
    """Adam's rates and the average of the generator (StackGAN++, "Implementation details").

    Attributes:
        generator_rate: learning rate of the generator.
        discriminator_rate: learning rate of the discriminators.
        decay_steps: if set, rates fall linearly to 0 in the second half of these steps (not in the paper).
        halve_every: steps after which rates are halved, as in v1; 0: never.
        averaging_decay: of the moving average of the generator; 0: no average.
        accumulated_steps: one update per this many steps, by their mean gradient (not in the paper).
    """

    generator_rate: Weight = 2e-4
    discriminator_rate: Weight = 2e-4
    decay_steps: Annotated[int, AtLeast(0)] = 0
    halve_every: Annotated[int, AtLeast(0)] = 0
    averaging_decay: Annotated[float, AtLeast(0), LessThan(1)] = 0.999
    accumulated_steps: Count = 1
