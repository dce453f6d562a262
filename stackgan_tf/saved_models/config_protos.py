"""Messages of TensorFlow Serving's configuration files that its Python package lacks.

They follow the server's `session_bundle_config.proto` and `monitoring_config.proto`, and are built at run time, so no
protocol buffer compiler is needed. Other messages (`ModelServerConfig`) come from `tensorflow_serving`.
"""

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format, wrappers_pb2

from stackgan_tf.system.errors import UserError

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = 'stackgan_tf.serving'  # not TensorFlow's, in case its package adds these messages
_INT64, _STRING = '.google.protobuf.Int64Value', '.google.protobuf.StringValue'
# The fields of each message: name, number, type (another message by its name), whether repeated.
_MESSAGES: dict[str, list[tuple[str, int, Any, bool]]] = {
    'BatchingParameters': [
        ('max_batch_size', 1, _INT64, False),
        ('batch_timeout_micros', 2, _INT64, False),
        ('max_enqueued_batches', 3, _INT64, False),
        ('num_batch_threads', 4, _INT64, False),
        ('thread_pool_name', 5, _STRING, False),
        ('allowed_batch_sizes', 6, _Field.TYPE_INT64, True),
        ('pad_variable_length_inputs', 7, _Field.TYPE_BOOL, False),
    ],
    'PrometheusConfig': [('enable', 1, _Field.TYPE_BOOL, False), ('path', 2, _Field.TYPE_STRING, False)],
    'MonitoringConfig': [('prometheus_config', 1, f'.{_PACKAGE}.PrometheusConfig', False)],
}


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(
        name='stackgan_tf/serving/config.proto', package=_PACKAGE, syntax='proto3', dependency=[_WRAPPERS.name]
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = _Field.TYPE_MESSAGE, kind
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(_WRAPPERS.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f'{_PACKAGE}.{name}')) for name in _MESSAGES
    }


_WRAPPERS = wrappers_pb2.DESCRIPTOR
_CLASSES = _classes()
BatchingParameters = _CLASSES['BatchingParameters']
MonitoringConfig = _CLASSES['MonitoringConfig']


def read_config(path: Path, message: Any) -> Any:
    """Reads a configuration file as TensorFlow Serving does.

    Args:
        path: the file, a protocol buffer in text format.
        message: the class of the message in the file.

    Raises:
        UserError: the file cannot be read, or holds another message.
    """
    try:
        return text_format.Parse(path.read_text(encoding='utf-8'), message())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise UserError(f'{path} is no {message.DESCRIPTOR.name}: {str(error).splitlines()[0]}') from error
