"""Asking a server for pictures, by gRPC or REST, as TensorFlow Serving understands it."""

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
_FIRST_PAUSE = 0.2  # seconds before the second attempt; doubled before each further one
_LONGEST_PAUSE = 5.0
_MESSAGE_BYTES = 64 * 2**20  # gRPC's own limit, 4 MB, is less than 256 pictures
_BUSY = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_BUSY_STATUS = (429, 503)


class BusyError(Exception):
    """The server is not there yet, or has too much to do: asking again may help."""


class Connection(abc.ABC):
    """To one model on one server.

    Args:
        server: HOST:PORT.
        model: the name it is served under.
        timeout: seconds that an answer may take.
    """

    def __init__(self, server: str, model: str, timeout: float) -> None:
        self.server = server
        self.model = model
        self.timeout = timeout

    @abc.abstractmethod
    def pictures(self, inputs: dict[str, np.ndarray]) -> list[bytes]:
        """PNG files of the rows of a request.

        Raises:
            BusyError: asking again may help.
            UserError: it does not.
        """

    def close(self) -> None:  # noqa: B027
        """Ends it; REST has nothing to end."""

    def _late(self) -> UserError:
        return UserError(f'{self.server} did not answer within {self.timeout:g} seconds: raise --timeout')

    def _checked(self, pictures: list[bytes], inputs: dict[str, np.ndarray]) -> list[bytes]:
        if len(pictures) != len(inputs['seed']):
            raise UserError(f'{self.server} answers {len(inputs["seed"])} requests with {len(pictures)} pictures')
        return pictures


class GrpcConnection(Connection):
    """By gRPC, port 8500 of TensorFlow Serving."""

    def __init__(self, server: str, model: str, timeout: float) -> None:
        super().__init__(server, model, timeout)
        self._channel = grpc.insecure_channel(server, [('grpc.max_receive_message_length', _MESSAGE_BYTES)])
        self._predict = PredictionServiceStub(self._channel).Predict

    def pictures(self, inputs: dict[str, np.ndarray]) -> list[bytes]:
        """See `Connection.pictures`."""
        try:
            answer = self._predict(predict_request(self.model, inputs), timeout=self.timeout)
        except grpc.RpcError as error:
            reason = f'{self.server}: {str(error.details()).partition(chr(10))[0]}'
            if error.code() in _BUSY:
                raise BusyError(reason) from error
            if error.code() == grpc.StatusCode.DEADLINE_EXCEEDED:
                raise self._late() from error
            raise UserError(f'{reason} ({error.code().name})') from error
        return self._checked(list(answer.outputs['image_bytes'].string_val), inputs)

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()


class RestConnection(Connection):
    """By REST, port 8501 of TensorFlow Serving."""

    def pictures(self, inputs: dict[str, np.ndarray]) -> list[bytes]:
        """See `Connection.pictures`."""
        columns = {name: _json(array) for name, array in inputs.items()}
        body = json.dumps({'signature_name': SIGNATURE, 'inputs': columns}).encode()
        try:
            with urllib.request.urlopen(self._address(), body, self.timeout) as answer:
                rows = json.load(answer)['outputs']
            return self._checked([base64.b64decode(row['b64']) for row in rows], inputs)
        except urllib.error.HTTPError as error:
            reason = f'{self.server}: {_message(error)}'
            raise (BusyError if error.code in _BUSY_STATUS else UserError)(reason) from error
        except TimeoutError as error:
            raise self._late() from error
        except (http.client.HTTPException, KeyError, TypeError, ValueError) as error:
            raise UserError(f'{self.server} answers with something else than pictures: name the REST port') from error
        except OSError as error:
            raise BusyError(f'{self.server}: {getattr(error, "reason", error)}') from error

    def _address(self) -> str:
        return f'http://{self.server}/v1/models/{self.model}:predict'


def patiently(ask: Callable[[], _Result], attempts: int) -> _Result:
    """Asks again while the server is busy, after longer and longer pauses. A seed gives the same picture every time.

    Args:
        ask: what is tried.
        attempts: in all, at least one.

    Raises:
        UserError: it is busy still, or answers that it will not.
    """
    for attempt in range(attempts):
        try:
            return ask()
        except BusyError as error:
            if attempt == attempts - 1:
                raise UserError(f'{error} (asked {attempts} times): is the server running?') from error
            time.sleep(min(_FIRST_PAUSE * 2**attempt, _LONGEST_PAUSE))
    raise AssertionError(attempts)


def _json(array: np.ndarray) -> list[Any]:
    return [each.decode() for each in array] if array.dtype.kind == 'S' else array.tolist()


def _message(error: urllib.error.HTTPError) -> str:
    """What the server says is wrong."""
    try:
        return str(json.load(error)['error']).partition('\n')[0]
    except (KeyError, TypeError, ValueError):
        return f'HTTP status {error.code}'
