"""StackGAN-v1's two generators as one network: sketch, then refine (StackGAN++, section "StackGAN-v1")."""

from typing import Any

import keras
from keras import KerasTensor

from stackgan_tf.networks.convolution_block import Shape
from stackgan_tf.networks.stage_one import StageOneGenerator
from stackgan_tf.networks.stage_two import StageTwoGenerator


@keras.saving.register_keras_serializable('stackgan_tf')
class StackedGenerator(keras.Model):
    """G_0 and G: maps noise, and an embedding if any, to Stage-I's and Stage-II's images, called like `TreeGenerator`.

    Both stages read the same embedding. Each has its own conditioning augmentation, with its own noise: the first
    numbers of `conditioning_noise` are Stage-I's.
    """

    def __init__(
        self,
        *,
        stage_one: StageOneGenerator,
        stage_two: StageTwoGenerator,
        **kwargs: object,
    ) -> None:
        # Embeddings and noise keep their float32 under a mixed policy; the layers cast what they read.
        super().__init__(autocast=False, **kwargs)
        self.stage_one = stage_one
        self.stage_two = stage_two
        self.sizes = (*stage_one.sizes, *stage_two.sizes)
        self.noise_dimension = stage_one.noise_dimension
        self.embedding_dimension = stage_one.embedding_dimension
        self.condition_dimension = stage_one.condition_dimension + stage_two.condition_dimension

    def build(self, input_shape: Shape, *other_shapes: Shape) -> None:
        """Builds both stages for `[N, Z]`."""
        (shape,) = self.stage_one.compute_output_shape(input_shape)
        for stage, stage_shape in ((self.stage_one, input_shape), (self.stage_two, shape)):
            if not stage.built:
                stage.build(stage_shape)

    def call(
        self,
        z: KerasTensor,
        embedding: KerasTensor | None = None,
        conditioning_noise: KerasTensor | None = None,
        training: bool = False,
    ) -> tuple[KerasTensor, KerasTensor]:
        """Generates images.

        Args:
            z: noise, `[N, Z]`.
            embedding: phi, `[N, T]`, for conditional stages.
            conditioning_noise: epsilon of Stage-I and then of Stage-II, `[N, E_1 + E_2]`; zeros give the means.
            training: whether batch normalization uses the batch's statistics.

        Returns:
            Images `[N, s, s, 3]` in [-1, 1] of Stage-I and Stage-II.
        """
        first, second = None, None
        if conditioning_noise is not None:
            first = conditioning_noise[:, : self.stage_one.condition_dimension]
            second = conditioning_noise[:, self.stage_one.condition_dimension :]
        (small,) = self.stage_one(z, embedding, first, training=training)
        (large,) = self.stage_two(small, embedding, second, training=training)
        return small, large

    def compute_output_shape(self, input_shape: Shape, *other_shapes: Shape) -> tuple[Shape, ...]:
        """One `[N, s, s, 3]` per stage."""
        return tuple((input_shape[0], size, size, 3) for size in self.sizes)

    def get_config(self) -> dict[str, Any]:
        """Both stages, serialized."""
        stages = {'stage_one': self.stage_one, 'stage_two': self.stage_two}
        serialized = {name: keras.saving.serialize_keras_object(stage) for name, stage in stages.items()}
        return {**super().get_config(), **serialized}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> 'StackedGenerator':
        """The inverse of `get_config`."""
        stages = {name: keras.saving.deserialize_keras_object(config[name]) for name in ('stage_one', 'stage_two')}
        return cls(**{**config, **stages})
