"""The graph from seeds to images, the same in a run and in an exported model."""

import keras
import tensorflow as tf

from stackgan_tf.text.text_encoder import TextEncoder

# The random streams of a seed. They define what a seed means: never change them.
_LATENT_STREAM = 0
CONDITIONING_STREAM = 1


def noise_of_seeds(seeds: tf.Tensor, dimension: int, stream: int = _LATENT_STREAM) -> tf.Tensor:
    """Standard normal noise of each seed: int64 `[N]` to float32 `[N, dimension]`."""

    def one(seed: tf.Tensor) -> tf.Tensor:
        key = tf.stack([seed, tf.constant(stream, tf.int64)])
        return tf.random.stateless_normal((dimension,), key, alg='philox')

    return tf.map_fn(one, seeds, fn_output_signature=tf.TensorSpec((dimension,), tf.float32))


def to_uint8(images: tf.Tensor) -> tf.Tensor:
    """Images in [-1, 1] to whole numbers in 0..255, nearest."""
    return tf.cast(tf.clip_by_value(tf.round((images + 1.0) * 127.5), 0.0, 255.0), tf.uint8)


def images_of_seeds(
    network: keras.Model, seeds: tf.Tensor, embeddings: tf.Tensor | None = None
) -> tuple[tf.Tensor, ...]:
    """The images of each seed at every scale.

    Each image is generated in its own batch: the batch size changes the order of additions inside a convolution, which
    can change a pixel.

    Args:
        network: a generator, such as `TreeGenerator` or `StackedGenerator`.
        seeds: int64 `[N]`; both noises come from them.
        embeddings: float32 `[N, T]`, if the network is conditional; another number of rows is an error in the graph.

    Returns:
        uint8 `[N, s, s, 3]` per scale, small to large.
    """
    if embeddings is not None:
        message = 'as many seeds are needed as captions, labels or embeddings'
        equal = tf.debugging.assert_equal(tf.shape(seeds)[0], tf.shape(embeddings)[0], message)
        with tf.control_dependencies([] if equal is None else [equal]):
            embeddings = tf.identity(embeddings)
    inputs = [noise_of_seeds(seeds, network.noise_dimension)]
    if embeddings is not None:
        inputs += [embeddings, noise_of_seeds(seeds, network.condition_dimension, CONDITIONING_STREAM)]

    def one(rows: list[tf.Tensor]) -> tuple[tf.Tensor, ...]:
        return tuple(to_uint8(image[0]) for image in network(*[row[tf.newaxis] for row in rows], training=False))

    signature = tuple(tf.TensorSpec((size, size, 3), tf.uint8) for size in network.sizes)
    return tf.map_fn(one, inputs, fn_output_signature=signature)


def embed_each(encoder: TextEncoder, captions: tf.Tensor) -> tf.Tensor:
    """Embeds captions, string `[N]`, each in its own batch, so that its bits depend on nothing else: `[N, T]`."""
    signature = tf.TensorSpec((encoder.dimension,), tf.float32)
    return tf.map_fn(lambda caption: encoder(caption[tf.newaxis])[0], captions, fn_output_signature=signature)


def image_name(size: int) -> str:
    """The name of one scale's output in the exported signatures."""
    return f'image_{size}'
