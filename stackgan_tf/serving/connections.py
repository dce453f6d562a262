"""Connections to TensorFlow Serving by gRPC or REST."""

import abc
import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
import numpy as np
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from stackgan_tf.saved_models.warmup import SIGNATURE, predict_request
from stackgan_tf.system.errors import UserError

_Result = TypeVar('_Result')
_FIRST_PAUSE = 0.2  # seconds before the second attempt; doubled with each attempt
_LONGEST_PAUSE = 5.0
_LONGEST_TIMEOUT = 86_400
_MESSAGE_BYTES = 64 * 2**20  # gRPC's own limit, 4 MB, is less than 256 images
_BUSY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_BUSY_STATUS = (429, 503)


class BusyError(Exception):
    """The server is not up yet, or overloaded: a retry may succeed."""


class Connection(abc.ABC):
    """A connection to one model on one server.

    Args:
        server: HOST:PORT.
        model: the name of the served model.
        timeout: seconds to wait for a response, at most a day.

    Raises:
        UserError: the timeout is not such a number.
    """

    def __init__(self, server: str, model: str, timeout: float) -> None:
        if not 0 < timeout <= _LONGEST_TIMEOUT:  # also of NaN
            raise UserError(f'--timeout={timeout:g} is not a time of up to {_LONGEST_TIMEOUT} seconds')
        self.server = server
        self.model = model
        self.timeout = timeout

    @abc.abstractmethod
    def images(self, inputs: dict[str, np.ndarray]) -> list[bytes]:
        """The PNG files of the rows of a request.

        Raises:
            BusyError: a retry may succeed.
            UserError: a retry would fail too.
        """

    def close(self) -> None:  # noqa: B027
        """Closes the connection; REST has nothing to close."""

    def _timed_out(self) -> UserError:
        return UserError(f'{self.server} did not answer within {self.timeout:g} seconds: raise --timeout')

    def _checked(self, images: list[bytes], inputs: dict[str, np.ndarray]) -> list[bytes]:
        if len(images) != len(inputs['seed']):
            raise UserError(f'{self.server} answers {len(inputs["seed"])} requests with {len(images)} images')
        return images


class GrpcConnection(Connection):
    """A connection by gRPC, port 8500 of TensorFlow Serving."""

    def __init__(self, server: str, model: str, timeout: float) -> None:
        super().__init__(server, model, timeout)
        self._channel = grpc.insecure_channel(server, [('grpc.max_receive_message_length', _MESSAGE_BYTES)])
        self._predict = PredictionServiceStub(self._channel).Predict

    def images(self, inputs: dict[str, np.ndarray]) -> list[bytes]:
        """See `Connection.images`."""
        try:
            response = self._predict(predict_request(self.model, inputs), timeout=self.timeout)
        except grpc.RpcError as error:
            reason = f'{self.server}: {str(error.details()).partition(chr(10))[0]}'
            if error.code() in _BUSY:
                raise BusyError(reason) from error
            if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise self._timed_out() from error
            raise UserError(f'{reason} ({error.code().name})') from error
        return self._checked(list(response.outputs['image_bytes'].string_val), inputs)

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()


class RestConnection(Connection):
    """A connection by REST, port 8501 of TensorFlow Serving."""

    def images(self, inputs: dict[str, np.ndarray]) -> list[bytes]:
        """See `Connection.images`."""
        columns = {name: _json(array) for name, array in inputs.items()}
        body = json.dumps({'signature_name': SIGNATURE, 'inputs': columns}).encode()
        try:
            with urllib.request.urlopen(self._address(), body, self.timeout) as response:
                rows = json.load(response)['outputs']
            return self._checked([base64.b64decode(row['b64']) for row in rows], inputs)
        except urllib.error.HTTPError as error:
            reason = f'{self.server}: {_message(error)}'
            raise (BusyError if error.code in _BUSY_STATUS else UserError)(reason) from error
        except TimeoutError as error:
            raise self._timed_out() from error
        except UserError:
            raise
        except (http.client.HTTPException, KeyError, TypeError, ValueError) as error:
            raise UserError(f'{self.server} does not answer with images: name the REST port') from error
        except OSError as error:
            raise BusyError(f'{self.server}: {getattr(error, "reason", error)}') from error

    def _address(self) -> str:
        return f'http://{self.server}/v1/models/{self.model}:predict'


def with_retries(send: Callable[[], _Result], attempts: int) -> _Result:
    """Retries while the server is busy, with growing pauses. A retry is safe: a seed always gives the same image.

    Args:
        send: sends the request.
        attempts: number of attempts, at least one.

    Raises:
        UserError: the server is still busy, or refuses the request.
    """
    for attempt in range(attempts):
        try:
            return send()
        except BusyError as error:
            if attempt == attempts - 1:
                raise UserError(f'{error} ({attempts} attempts): is the server running?') from error
            time.sleep(min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE))
    raise AssertionError(attempts)


def _json(array: np.ndarray) -> list[Any]:
    return [each.decode() for each in array] if array.dtype.kind == 'S' else array.tolist()


def _message(error: urllib.error.HTTPError) -> str:
    """The error message of the server."""
    try:
        return str(json.load(error)['error']).partition('\n')[0]
    except (KeyError, TypeError, ValueError):
        return f'HTTP status {error.code}'
