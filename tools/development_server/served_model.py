"""A model as the development server serves it: the newest version, warmed up, its requests batched."""

import functools
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from development_server.batching import BatchQueue, Rows, TooLargeError
from stackgan_tf.formats.hub_module import load_hub_module
from stackgan_tf.saved_models.config_protos import BatchingParameters, read_config
from stackgan_tf.saved_models.warmup import read_warmup
from stackgan_tf.system.errors import UserError


class RefusedError(Exception):
    """A request that the model cannot answer; what is wrong with it."""


class ServedModel:
    """The newest version of a model in a folder that `export --format=serving` made.

    Args:
        folder: with the configuration.
        name: of the model.

    Attributes:
        name: of the model.
        version: its number.

    Raises:
        UserError: there is none.
    """

    def __init__(self, folder: Path, name: str) -> None:
        versions = sorted((folder / name).glob('[0-9]*'), key=lambda path: int(path.name))
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
        for request in read_warmup(versions[-1]):
            self.predict(request.model_spec.signature_name, {k: tf.make_ndarray(v) for k, v in request.inputs.items()})
            self.warmed_up += 1

    def inputs(self, signature: str) -> dict[str, tf.TensorSpec]:
        """The inputs of a signature by name.

        Raises:
            RefusedError: there is no such signature.
        """
        if signature not in self._queues:
            raise RefusedError(f'Serving signature name: "{signature}" not found in signature def')
        return self._loaded.signatures[signature].structured_input_signature[1]

    def predict(self, signature: str, given: dict[str, Any]) -> Rows:
        """The outputs of a signature for rows by name.

        Raises:
            RefusedError: the inputs are others, not as many, or too many.
        """
        specs = self.inputs(signature)
        if set(given) != set(specs):
            raise RefusedError(
                f'{signature} takes {", ".join(sorted(specs))}, not {", ".join(sorted(given)) or "nothing"}'
            )
        rows = {name: _array(given[name], spec) for name, spec in specs.items()}
        if len({len(array) for array in rows.values()}) != 1 or not len(next(iter(rows.values()))):
            raise RefusedError(f'the inputs of {signature} are not of as many rows, at least one')
        try:
            return self._queues[signature](rows)
        except (TooLargeError, tf.errors.OpError) as error:
            raise RefusedError(str(error)) from error


def _array(value: Any, spec: tf.TensorSpec) -> np.ndarray:
    """An input as the model takes it.

    Raises:
        RefusedError: it is of another type or shape.
    """
    try:
        if spec.dtype == tf.string:
            array = np.array([each.encode() if isinstance(each, str) else each for each in value], object)
        else:
            array = np.array(value)
    except (TypeError, ValueError) as error:
        raise RefusedError(f'{spec.name} is no array') from error
    kinds = {tf.string: 'O', tf.int64: 'iu'}.get(spec.dtype, 'fiu')
    if array.dtype.kind not in kinds or not spec.shape.is_compatible_with(array.shape):
        raise RefusedError(f'{spec.name} must be {spec.dtype.name} {spec.shape.as_list()}')
    return array if spec.dtype == tf.string else array.astype(spec.dtype.as_numpy_dtype)


def _run(function: Any, rows: Rows) -> Rows:
    outputs = function(**{name: tf.constant(array) for name, array in rows.items()})
    return {name: output.numpy() for name, output in outputs.items()}
