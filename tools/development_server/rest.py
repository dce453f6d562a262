"""The REST API of the development server: TensorFlow Serving's `:predict` and model status."""

import base64
import json
import re
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from development_server.batching import Rows
from development_server.served_model import RefusedError, ServedModel
from stackgan_tf.saved_models.warmup import SIGNATURE

_PATH = re.compile(r'/v1/models/([^/:]+)(?:/versions/(\d+))?(:predict)?')
_MOST_BYTES = 16 * 2**20


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
        length = int(self.headers.get('Content-Length') or 0)
        if length > _MOST_BYTES:
            self._answer(413, {'error': f'a request has at most {_MOST_BYTES} bytes'})
            return
        try:
            self._answer(200, predict(model, self.rfile.read(length)))
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
        signature = request.get('signature_name', SIGNATURE)
        by_rows = 'instances' in request
        inputs = _columns(request['instances'], list(model.inputs(signature))) if by_rows else request['inputs']
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RefusedError('JSON with "inputs" or "instances" is needed') from error
    if not isinstance(inputs, dict):
        inputs = dict.fromkeys(list(model.inputs(signature))[:1], inputs)  # a single input may come without its name
    columns = {name: _json(name, each) for name, each in model.predict(signature, inputs).items()}
    alone = next(iter(columns.values())) if len(columns) == 1 else None
    if not by_rows:
        return {'outputs': columns if alone is None else alone}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {'predictions': rows if alone is None else alone}


def _columns(rows: list[Any], names: list[str]) -> Rows:
    if rows and not isinstance(rows[0], dict):
        return {names[0]: rows}  # type: ignore[dict-item]
    return {name: [row[name] for row in rows] for name in rows[0]}  # type: ignore[misc]


def _json(name: str, output: np.ndarray) -> list[Any]:
    """An output as JSON; names that end with `_bytes` are base64, as in TensorFlow Serving."""
    if not name.endswith('_bytes'):
        return output.tolist()
    return [{'b64': base64.b64encode(each).decode()} for each in output]
