"""The range of each setting, by its bare name."""

from collections.abc import Callable
from typing import Any

from stackgan_tf.evaluation.resizing import RESIZES
from stackgan_tf.networks.conditioning_augmentation import ACTIVATIONS
from stackgan_tf.networks.differentiable_augmentation import POLICIES
from stackgan_tf.networks.image_encoder import BACKBONES
from stackgan_tf.networks.scales import BRANCH_IMAGES, check_sizes
from stackgan_tf.system.errors import UserError
from stackgan_tf.training.generator_scores import NAMES


def _sizes(name: str, value: Any) -> None:
    try:
        check_sizes(value)
    except ValueError as error:
        raise UserError(str(error)) from error


def _power_of_two(name: str, value: Any) -> None:
    if value < 4 or value & (value - 1):
        raise UserError(f'{name} = {value!r} must be a power of two, at least 4')


def _widths(name: str, value: Any) -> None:
    if len(value) != 3 or min(value) < 1:
        raise UserError(f'{name} = {value!r} must be three numbers of channels')


def _at_least(lowest: float) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if not value >= lowest:
            raise UserError(f'{name} = {value!r} is too small: the least is {lowest}')

    return check


def _fraction(name: str, value: Any) -> None:
    if not 0 <= value <= 1:
        raise UserError(f'{name} = {value!r} must be between 0 and 1')


def _seed(name: str, value: Any) -> None:
    if not 0 <= value < 2**31:
        raise UserError(f'{name} = {value!r} must be from 0 to {2**31 - 1}')


def _below_one(name: str, value: Any) -> None:
    if not 0 <= value < 1:
        raise UserError(f'{name} = {value!r} must be from 0 to less than 1')


def _positive(name: str, value: Any) -> None:
    if not value > 0:
        raise UserError(f'{name} = {value!r} must be more than 0')


def _one_of(*allowed: str) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if value not in allowed:
            raise UserError(f'{name} = {value!r} must be {" or ".join(map(repr, allowed))}')

    return check


def _all_of(*allowed: str) -> Callable[[str, Any], None]:
    def check(name: str, value: Any) -> None:
        if isinstance(value, str) or any(item not in allowed for item in value):
            raise UserError(f'{name} = {value!r} must be a list of some of {", ".join(map(repr, allowed))}, or ()')

    return check


RANGES: dict[tuple[str, ...], Callable[[str, Any], None]] = {
    ('sizes',): _sizes,
    ('size', 'first_map'): _power_of_two,
    ('seed',): _seed,
    (
        'steps',
        'tick',
        'checkpoint_every',
        'batch_size',
        'noise_dimension',
        'condition_dimension',
        'generator_width',
        'discriminator_width',
        'dimension',
        'image_width',
        'width',
        'captions_averaged',
        'joint_kernel',
        'classes',
        'tower_size',
        'discriminators_per_image',
        'r1_every',
        'accumulated_steps',
        'keep_last',
    ): _at_least(1),
    (
        'residual_blocks',
        'decay_steps',
        'halve_every',
        'generator_rate',
        'discriminator_rate',
        'input_noise',
        'color_weight',
        'color_mean_weight',
        'color_covariance_weight',
        'caption_weight',
        'embedding_dimension',
        'kl_weight',
        'conditional_weight',
        'unconditional_weight',
        'mismatched_weight',
        'generated_weight',
        'mismatched_real_weight',
        'r1_weight',
        'rate',
        'initial_range',
        'threads_per_operation',
        'keep_every_hours',
        'rollbacks',
    ): _at_least(0),
    ('averaging_decay', 'real_target'): _fraction,
    ('test_fraction',): _below_one,
    ('cache_gigabytes', 'rollback_rate'): _positive,
    ('widths',): _widths,
    ('conditioning',): _one_of(*ACTIVATIONS),
    ('discriminator_condition',): _one_of('mu', 'detached_mu', 'embedding'),
    ('best',): _one_of('', *NAMES),
    ('count',): _at_least(2),
    ('resize',): _one_of(*RESIZES),
    ('pairs',): _one_of('text', 'image'),
    ('branch_images',): _one_of(*BRANCH_IMAGES),
    ('without_captions',): _one_of('unconditional', 'left_out'),
    ('image_tower',): _one_of('', 'classifier', *BACKBONES),
    ('loss',): _one_of('hinge', 'cross_entropy'),
    ('recurrence',): _one_of('relu', 'gru'),
    ('color_norm',): _one_of('released', 'paper'),
    ('augmentation',): _all_of(*POLICIES),
}
