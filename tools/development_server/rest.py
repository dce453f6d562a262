"""The REST API of the development server: TensorFlow Serving's `:predict` and model status."""

import base64
import json
import re
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from development_server.served_model import RefusedError, ServedModel
from stackgan_tf.saved_models.warmup import SIGNATURE

_PATH = re.compile('/v1/models/([^/:]+)(?:/versions/([0-9]{1,19}))?(:predict)?')
_MOST_BYTES = 16 * 2**20
_NEEDED = 'JSON with "inputs" or "instances" is needed'


def rest_server(models: Mapping[str, ServedModel], port: int) -> ThreadingHTTPServer:
    """A server on a local port; 0 selects a free port."""

    class Handler(_Handler):
        served = models

    return ThreadingHTTPServer(('127.0.0.1', port), Handler)


class _Handler(BaseHTTPRequestHandler):
    served: Mapping[str, ServedModel]

    def do_GET(self) -> None:
        """Returns the status of a model."""
        model = self._model()
        if model is not None:
            status = {'error_code': 'OK', 'error_message': ''}
            state = {'version': str(model.version), 'state': 'AVAILABLE', 'status': status}
            self._answer(200, {'model_version_status': [state]})

    def do_POST(self) -> None:
        """Returns predictions."""
        model = self._model()
        if model is None:
            return
        length = self.headers.get('Content-Length', '')
        if not re.fullmatch('[0-9]{1,19}', length):
            self._answer(400, {'error': 'Content-Length must be the number of bytes of the request'})
            return
        if int(length) > _MOST_BYTES:
            self._answer(413, {'error': f'a request has at most {_MOST_BYTES} bytes'})
            return
        try:
            self._answer(200, predict(model, self.rfile.read(int(length))))
        except RefusedError as error:
            self._answer(400, {'error': str(error)})

    def log_message(self, *_: Any) -> None:
        """Keeps the terminal quiet."""

    def _model(self) -> ServedModel | None:
        found = _PATH.fullmatch(self.path)
        model = self.served.get(found[1]) if found else None
        if model is None or (found and found[2] and int(found[2]) != model.version):
            self._answer(404, {'error': f'Servable not found for request: {self.path}'})
            return None
        return model

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def predict(model: ServedModel, body: bytes) -> dict[str, Any]:
    """The response to the JSON of a request, by columns (`inputs`) or by rows (`instances`).

    Raises:
        RefusedError: the request is not valid.
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(_NEEDED) from error
    if not isinstance(request, dict) or ('inputs' in request) == ('instances' in request):
        raise RefusedError(_NEEDED)
    signature = request.get('signature_name', SIGNATURE)
    by_rows = 'instances' in request
    inputs = request.get('inputs')
    if by_rows:
        inputs = _columns(request['instances'], list(model.inputs(signature)))
    elif not isinstance(inputs, dict):
        inputs = dict.fromkeys(list(model.inputs(signature))[:1], inputs)  # a single input may come without its name
    decoded = {name: _decoded(column) for name, column in inputs.items()}
    columns = {name: _json(name, each) for name, each in model.predict(signature, decoded).items()}
    alone = next(iter(columns.values())) if len(columns) == 1 else None
    if not by_rows:
        return {'outputs': columns if alone is None else alone}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {'predictions': rows if alone is None else alone}


def _columns(rows: Any, names: list[str]) -> dict[str, Any]:
    """The inputs by name, from rows of named values, or of values of a single input.

    Raises:
        RefusedError: there are no rows, or they have different names.
    """
    if not isinstance(rows, list) or not rows:
        raise RefusedError(_NEEDED)
    if not any(isinstance(row, dict) and not _is_bytes(row) for row in rows):
        return {names[0]: rows}
    if any(not isinstance(row, dict) or set(row) != set(rows[0]) for row in rows):
        raise RefusedError('each of the "instances" must have the same inputs')
    return {name: [row[name] for row in rows] for name in rows[0]}


def _decoded(column: Any) -> Any:
    """The values of an input, where bytes may be written as `{"b64": ...}`.

    Raises:
        RefusedError: it is not base64.
    """
    if not isinstance(column, list):
        return column
    try:
        return [base64.b64decode(each['b64'], validate=True) if _is_bytes(each) else each for each in column]
    except (TypeError, ValueError) as error:
        raise RefusedError('"b64" is not base64') from error


def _is_bytes(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {'b64'}


def _json(name: str, output: np.ndarray) -> list[Any]:
    """An output as JSON; names that end with `_bytes` are base64, as in TensorFlow Serving."""
    if not name.endswith('_bytes'):
        return output.tolist()
    return [{'b64': base64.b64encode(each).decode()} for each in output]
