"""A model of the development server: the newest version, warmed up, with batched requests."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from development_server.batching import BatchQueue, Rows, TooLargeError
from stackgan_tf.formats.hub_module import load_hub_module
from stackgan_tf.saved_models.config_protos import BatchingParameters, read_config
from stackgan_tf.saved_models.serving_export import versions_of
from stackgan_tf.saved_models.warmup import read_warmup
from stackgan_tf.system.errors import UserError


class RefusedError(Exception):
    """A request is not valid; the message says why."""


def arrays_of(request: PredictRequest) -> Rows:
    """The inputs of a request by name.

    Raises:
        RefusedError: one is not a tensor that NumPy has.
    """
    try:
        return {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
    except (TypeError, ValueError, LookupError) as error:
        raise RefusedError(f'an input is not a tensor: {error}') from error


class ServedModel:
    """The newest version of a model in a folder of `export --format=serving`.

    Args:
        folder: the folder with the configuration.
        name: the name of the model.

    Attributes:
        name: the name of the model.
        version: its number.
        warmed_up: number of warm-up requests.

    Raises:
        UserError: the folder has no version of the model, or the newest does not answer its warm-up requests.
    """

    def __init__(self, folder: Path, name: str) -> None:
        versions = versions_of(folder / name)
        if not versions:
            raise UserError(f'{folder / name} has no version of a model')
        self.name, self.version = name, int(versions[-1].name)
        self._loaded = load_hub_module(str(versions[-1]))[0]
        batching = read_config(folder / 'batching_parameters.txt', BatchingParameters)
        self._queues = {
            signature: BatchQueue(
                functools.partial(_run, function),
                batching.max_batch_size.value,
                batching.batch_timeout_micros.value / 1e6,
                list(batching.allowed_batch_sizes),
            )
            for signature, function in self._loaded.signatures.items()
        }
        self.warmed_up = 0
        try:
            for request in read_warmup(versions[-1]):
                self.predict(request.model_spec.signature_name, arrays_of(request))
                self.warmed_up += 1
        except RefusedError as error:
            raise UserError(f'{versions[-1]} refuses a warm-up request ({error}): export it again') from error

    def inputs(self, signature: str) -> dict[str, tf.TensorSpec]:
        """The inputs of a signature by name.

        Raises:
            RefusedError: the signature does not exist.
        """
        if not isinstance(signature, str):
            raise RefusedError('the name of a signature is a string')
        if signature not in self._queues:
            raise RefusedError(f'Serving signature name: "{signature}" not found in signature def')
        return self._loaded.signatures[signature].structured_input_signature[1]

    def predict(self, signature: str, inputs: dict[str, Any]) -> Rows:
        """The outputs of a signature for rows by name.

        Raises:
            RefusedError: the inputs have wrong names or shapes, or too many rows.
        """
        specs = self.inputs(signature)
        if set(inputs) != set(specs):
            raise RefusedError(
                f'{signature} takes {", ".join(sorted(specs))}, not {", ".join(sorted(inputs)) or "nothing"}'
            )
        rows = {name: _array(inputs[name], spec) for name, spec in specs.items()}
        if len({len(array) for array in rows.values()}) != 1 or not len(next(iter(rows.values()))):
            raise RefusedError(f'the inputs of {signature} must have the same number of rows, at least one')
        try:
            return self._queues[signature](rows)
        except (TooLargeError, tf.errors.OpError) as error:
            raise RefusedError(str(error)) from error


def _array(value: Any, spec: tf.TensorSpec) -> np.ndarray:
    """An input as an array of the model's type.

    Raises:
        RefusedError: a value has another type or shape, which would fail all requests of its batch.
    """
    wanted = f'{spec.name} must be {spec.dtype.name} {spec.shape.as_list()}'
    if not isinstance(value, list | np.ndarray):
        raise RefusedError(wanted)
    try:
        array = _strings(value) if spec.dtype == tf.string else np.array(value)
    except (TypeError, ValueError) as error:
        raise RefusedError(wanted) from error
    kinds = {tf.string: 'O', tf.int64: 'iu'}.get(spec.dtype, 'fiu')
    if array.dtype.kind not in kinds or not spec.shape.is_compatible_with(array.shape):
        raise RefusedError(wanted)
    if spec.dtype == tf.string:
        return array
    finite = array[np.isfinite(array)]
    least, largest = np.array([spec.dtype.min, spec.dtype.max]).tolist()
    if finite.size and not least <= finite.min().item() <= finite.max().item() <= largest:
        raise RefusedError(f'{wanted}, in its range')
    return array.astype(spec.dtype.as_numpy_dtype)


def _strings(values: Any) -> np.ndarray:
    """Text and bytes as an array of bytes.

    Raises:
        TypeError: there is something else.
        ValueError: a text has no UTF-8 form.
    """
    encoded = [each.encode() if isinstance(each, str) else each for each in values]
    if not all(isinstance(each, bytes) for each in encoded):
        raise TypeError('not a string')
    return np.array(encoded, object)


def _run(function: Any, rows: Rows) -> Rows:
    outputs = function(**{name: tf.constant(array) for name, array in rows.items()})
    return {name: output.numpy() for name, output in outputs.items()}
