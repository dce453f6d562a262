"""The paper's optimizer, with the precision and gradient accumulation of a recipe."""

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
    """The paper's Adam with its state created, so that checkpoints hold it from the first step.

    Args:
        rate: the learning rate.
        variables: the variables that it updates.
        decay_steps: see `Rate`.
        halve_every: see `Rate`.
        accumulated: it updates once per this many steps, by the mean of their gradients.

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
    """An optimizer with its state created; where networks compute in float16, with dynamic loss scaling.

    Each optimizer has its own scale. The scale falls when a gradient overflows, and that step is skipped, or adds
    nothing to the accumulated gradients; see `TrainedModel.apply_gradients`.
    """
    if keras.config.dtype_policy().compute_dtype == 'float16':
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(variables)
    return optimizer
