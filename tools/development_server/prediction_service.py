"""The models and ports of the development server: TensorFlow Serving's `PredictionService` by gRPC and REST."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import prediction_service_pb2_grpc
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from development_server.rest import rest_server
from development_server.served_model import RefusedError, ServedModel, arrays_of
from stackgan_tf.saved_models.config_protos import MonitoringConfig, read_config
from stackgan_tf.saved_models.warmup import SIGNATURE
from stackgan_tf.system.errors import UserError

_THREADS = 64  # concurrent requests


class _PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, models: Mapping[str, ServedModel]) -> None:
        self._models = models

    def Predict(self, request: PredictRequest, context: grpc.ServicerContext) -> PredictResponse:  # noqa: N802
        model = self._models.get(request.model_spec.name)
        if model is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f'Servable not found for request: {request.model_spec.name}')
            raise AssertionError  # abort has raised
        signature = request.model_spec.signature_name or SIGNATURE
        try:
            outputs = model.predict(signature, arrays_of(request))
        except RefusedError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = PredictResponse()
        response.model_spec.name, response.model_spec.signature_name = model.name, signature
        response.model_spec.version.value = model.version
        for name, output in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(output))
        return response


def load_models(folder: Path) -> dict[str, ServedModel]:
    """Loads and warms up the models of a folder; returns them by name.

    Raises:
        UserError: the configuration or a model cannot be read.
    """
    read_config(folder / 'monitoring.config', MonitoringConfig)
    config = read_config(folder / 'models.config', ModelServerConfig)
    # The paths in the configuration are those in the container, /models.
    return {each.name: ServedModel(folder, each.name) for each in config.model_config_list.config}


@contextlib.contextmanager
def serving(models: Mapping[str, ServedModel], port: int = 0, rest_port: int = 0) -> Iterator[tuple[int, int]]:
    """A context that serves; it yields the ports of gRPC and REST, where 0 selects a free port.

    Raises:
        UserError: a port is not free.
    """
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=[('grpc.so_reuseport', 0)])
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_PredictionService(models), server)
    try:
        port = server.add_insecure_port(f'127.0.0.1:{port}')
        rest = rest_server(models, rest_port)
    except (RuntimeError, OSError) as error:
        raise UserError(f'a port cannot be opened: name others with --port and --rest_port ({error})') from error
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    server.start()
    try:
        yield port, rest.server_port
    finally:
        server.stop(0)
        rest.shutdown()
        rest.server_close()
