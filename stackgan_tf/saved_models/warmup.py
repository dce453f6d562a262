"""Warm-up records: requests that TensorFlow Serving sends to a model before it serves clients."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

from stackgan_tf.generator import NetworkGenerator
from stackgan_tf.saved_models.examples import example_request

# The path inside the folder of a version where TensorFlow Serving reads at most 1,000 records.
WARMUP_FILE = Path('assets.extra') / 'tf_serving_warmup_requests'
SIGNATURE = 'serving_default'


def predict_request(model: str, inputs: dict[str, np.ndarray], signature: str = SIGNATURE) -> PredictRequest:
    """A request for one signature of a model, from arrays `[N, ...]` by name."""
    request = PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, array in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request


def write_warmup(folder: Path, model: str, generator: NetworkGenerator, batch_sizes: Sequence[int]) -> None:
    """Writes one request of each allowed batch size, because the first call of each size is slow.

    Args:
        folder: the folder of a version of the exported model.
        model: the name of the served model.
        generator: the model.
        batch_sizes: the numbers of rows of the requests.
    """
    path = folder / WARMUP_FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for size in batch_sizes:
            request = predict_request(model, example_request(generator, size))
            writer.write(PredictionLog(predict_log=PredictLog(request=request)).SerializeToString())


def read_warmup(folder: Path) -> Iterator[PredictRequest]:
    """The requests in the warm-up file of a version; empty without such a file."""
    path = folder / WARMUP_FILE
    if path.exists():
        for record in tf.data.TFRecordDataset(str(path)):
            yield PredictionLog.FromString(record.numpy()).predict_log.request
