"""The paper's optimiser, under whatever precision and accumulation a recipe asks for."""

from collections.abc import Sequence
from typing import Any

import keras

from stackgan_tf.models.fused_kernels import FusedAdam
from stackgan_tf.models.trained_model import Rate

# Adam as in the paper (StackGAN++, "Implementation details").
ADAM_BETA_1 = 0.5
ADAM_BETA_2 = 0.999
ADAM_EPSILON = 1e-8


def adam(
    rate: float, variables: Sequence[Any], decay_steps: int = 0, halve_every: int = 0, accumulated: int = 1
) -> keras.optimizers.Optimizer:
    """The paper's Adam, with its state already created, so that checkpoints hold it from the first step.

    Args:
        rate: the learning rate.
        variables: what it will move.
        decay_steps: see `Rate`.
        halve_every: see `Rate`.
        accumulated: it moves once in so many steps, by the mean of their gradients.

    Raises:
        UserError: `decay_steps` and `halve_every` are set.
    """
    schedule = Rate(rate, decay_steps, halve_every)
    optimizer = FusedAdam(
        schedule,
        beta_1=ADAM_BETA_1,
        beta_2=ADAM_BETA_2,
        epsilon=ADAM_EPSILON,
        gradient_accumulation_steps=accumulated if accumulated > 1 else None,
    )
    return ready(optimizer, variables)


def ready(optimizer: keras.optimizers.Optimizer, variables: Sequence[Any]) -> keras.optimizers.Optimizer:
    """An optimiser with its state created; where networks compute in float16, with its loss scaled by itself.

    Each optimiser scales the loss that it descends: its scale falls when a gradient overflows, and that step is left
    out; see `TrainedModel.descend`.
    """
    if keras.config.dtype_policy().compute_dtype == 'float16':
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(variables)
    return optimizer
