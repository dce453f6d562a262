"""A trained generator as a SavedModel that runs without this package."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from stackgan_tf.seeded_images import embed_each, image_name, images_of_seeds
from stackgan_tf.system.atomic_files import whole_folder
from stackgan_tf.system.errors import UserError
from stackgan_tf.text.text_encoder import TextEncoder


class GeneratorModule(tf.__internal__.tracking.AutoTrackable):
    """The object inside the SavedModel: a Reusable SavedModel of TF Hub with serving signatures.

    Called with a dict of the `latent` signature's inputs, it returns that signature's outputs, and is differentiable.
    Its lists of variables are plain attributes, because only those exist after loading.

    Args:
        network: a built tree generator.
        encoder: its text encoder: with it, `serving_default` and `images` take captions.
        class_names: the classes of a network that is conditioned on one-hot labels: with them, all signatures take
            labels. A label out of range gives a zero vector, not an error, which would fail the rest of the batch.
    """

    _network: keras.Model

    def __init__(
        self, network: keras.Model, encoder: TextEncoder | None = None, class_names: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.variables = [variable.value for variable in network.variables]
        self.trainable_variables = [variable.value for variable in network.trainable_variables]
        self.regularization_losses: list[tf.Tensor] = []
        # Not tracked: Keras would save a signature with one input for it. Its variables are listed above.
        object.__setattr__(self, '_network', network)
        self._encoder = encoder
        noise = _specs(noise=(tf.float32, network.noise_dimension))
        embedding: dict[str, tf.TensorSpec] = {}
        condition, request = {}, {}  # the conditions of `latent` and of `serving_default`
        if network.embedding_dimension:
            embedding = _specs(embedding=(tf.float32, network.embedding_dimension))
            condition = _specs(label=(tf.int64,)) if class_names else embedding
            request = _specs(caption=(tf.string,)) if encoder is not None else condition
            noise |= condition | _specs(conditioning_noise=(tf.float32, network.condition_dimension))
        seed = _specs(seed=(tf.int64,))
        self.__call__ = tf.function(self._latent, input_signature=[noise])
        self.images_of_embeddings = _with_names(self._images, embedding | seed)
        self.signatures_by_name = {
            'serving_default': _with_names(self._serve, request | seed),
            'images': _with_names(self._images, request | seed),
            'latent': _with_names(self._latent, noise),
        }
        if encoder is not None:
            self.signatures_by_name['embed'] = _with_names(self._embed, request)
            if alphabet := encoder.alphabet:
                self.alphabet = tf.function(lambda: tf.constant(alphabet), input_signature=[])
        if class_names:
            self.class_names = tf.function(lambda: tf.constant(list(class_names)), input_signature=[])

    def _latent(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        conditional = [self._condition(inputs), inputs['conditioning_noise']] if 'conditioning_noise' in inputs else []
        return self._named(self._network(inputs['noise'], *conditional, training=False))

    def _embed(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        assert self._encoder is not None
        return {'embedding': embed_each(self._encoder, inputs['caption'])}

    def _condition(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor | None:
        if 'caption' in inputs:
            return self._embed(inputs)['embedding']
        if 'label' in inputs:
            return tf.one_hot(inputs['label'], self._network.embedding_dimension)
        return inputs.get('embedding')

    def _every_size(self, inputs: Mapping[str, tf.Tensor]) -> tuple[tf.Tensor, ...]:
        return images_of_seeds(self._network, inputs['seed'], self._condition(inputs))

    def _images(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return self._named(self._every_size(inputs))

    def _serve(self, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        largest = self._every_size(inputs)[-1]
        return {'image_bytes': tf.map_fn(tf.io.encode_png, largest, fn_output_signature=tf.string)}

    def _named(self, images: Sequence[tf.Tensor]) -> dict[str, tf.Tensor]:
        return {image_name(size): image for size, image in zip(self._network.sizes, images, strict=True)}


def _specs(**inputs: tuple) -> dict[str, tf.TensorSpec]:
    """Input specs by name, from the type and the shape of a row."""
    return {name: tf.TensorSpec((None, *row), dtype, name=name) for name, (dtype, *row) in inputs.items()}


def _with_names(
    function: Callable[[Mapping[str, tf.Tensor]], dict[str, tf.Tensor]], inputs: Mapping[str, tf.TensorSpec]
) -> tf.types.experimental.PolymorphicFunction:
    """Wraps a function of a dict as a function of named arguments, for TensorFlow's signatures."""
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in inputs]

    def named(*values: tf.Tensor) -> dict[str, tf.Tensor]:
        return function(dict(zip(inputs, values, strict=True)))

    named.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return tf.function(named, input_signature=list(inputs.values()))


def check_target(target: Path) -> None:
    """Refuses an export to an existing path.

    Raises:
        UserError: the path exists.
    """
    if target.exists():
        raise UserError(f'{target} exists: remove it or name another folder')


def export_saved_model(
    network: keras.Model,
    target: Path,
    encoder: TextEncoder | None = None,
    class_names: Sequence[str] = (),
    check: Callable[[Path], None] | None = None,
) -> None:
    """Writes a generator as a SavedModel; the folder appears only when it is complete.

    Args:
        network: a built tree generator, the averaged one of a run.
        target: the folder to create.
        encoder: its text encoder.
        class_names: the classes, if the network is conditioned on their labels.
        check: see `write_saved_model`.

    Raises:
        UserError: the folder exists.
    """
    write_saved_model(GeneratorModule(network, encoder, class_names), target, check)


def write_saved_model(
    module: tf.__internal__.tracking.AutoTrackable, target: Path, check: Callable[[Path], None] | None = None
) -> None:
    """Writes a module with its `signatures_by_name`; the folder appears only when it is complete.

    Args:
        module: the module.
        target: the folder to create.
        check: called with the scratch folder before it is renamed to the target; if it raises, nothing is left. See
            `verification.py`.

    Raises:
        UserError: the folder exists.
    """
    check_target(target)
    signatures = {name: function.get_concrete_function() for name, function in module.signatures_by_name.items()}
    with whole_folder(target) as scratch:
        tf.saved_model.save(module, str(scratch), signatures=signatures)
        if check is not None:
            check(scratch)
