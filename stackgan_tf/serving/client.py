r"""Asks a server for pictures and writes them as PNG files, or measures how fast it is.

python -m stackgan_tf.serving.client --server=localhost:8500 --model=birds --caption="a small red bird"
python -m stackgan_tf.serving.client --server=localhost:8501 --protocol=rest --model=birds --caption="a red bird" \
    --load_requests=100 --load_at_once=8
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from stackgan_tf.serving.client_requests import ImageRequest, requested_images, requests_of
from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.errors import UserError

if TYPE_CHECKING:  # importing it takes TensorFlow, and seconds
    from stackgan_tf.serving.connections import Connection

_SERVER = flags.DEFINE_string('server', None, 'HOST:PORT of TensorFlow Serving.', required=True)
_PROTOCOL = flags.DEFINE_enum('protocol', 'grpc', ['grpc', 'rest'], 'Which port that is: 8500 is gRPC, 8501 REST.')
_MODEL = flags.DEFINE_string('model', None, 'The name that the model is served under.', required=True)
_CAPTION = flags.DEFINE_multi_string('caption', [], 'What to draw; may be repeated.')
_LABEL = flags.DEFINE_multi_integer('label', [], 'The number of a class; may be repeated.', lower_bound=0)
_COUNT = flags.DEFINE_integer('count', 1, 'How many pictures (of each caption or class).', lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 0, 'The first seed.', lower_bound=0)
_OUTPUT = flags.DEFINE_string('output', 'pictures', 'The folder for the pictures.')
_BATCH = flags.DEFINE_integer('batch', 8, 'Pictures of a request.', lower_bound=1, upper_bound=256)
_TIMEOUT = flags.DEFINE_float('timeout', 60.0, 'Seconds that an answer may take.', lower_bound=0.001)
_ATTEMPTS = flags.DEFINE_integer('attempts', 5, 'How often a busy server is asked.', lower_bound=1, upper_bound=20)
_LOAD_REQUESTS = flags.DEFINE_integer('load_requests', 0, 'Measures: so many requests, and writes no pictures.')
_LOAD_AT_ONCE = flags.DEFINE_integer('load_at_once', 1, 'Measures: so many requests at once.')
_LOAD_SECONDS = flags.DEFINE_float('load_seconds', 60.0, 'Measures: begins no request after so many seconds.')


def main() -> None:
    """Asks for what the flags say."""
    from stackgan_tf.serving.connections import GrpcConnection, RestConnection

    asked = requested_images(_CAPTION.value, _LABEL.value, _COUNT.value, _SEED.value)
    kind = {'grpc': GrpcConnection, 'rest': RestConnection}[_PROTOCOL.value]
    connection = kind(_SERVER.value, _MODEL.value, _TIMEOUT.value)
    if _LOAD_REQUESTS.value:
        _measure(connection, asked)
    else:
        _write(connection, asked)
    connection.close()


def _write(connection: 'Connection', asked: Sequence[ImageRequest]) -> None:
    """Writes the pictures."""
    from stackgan_tf.serving.connections import patiently
    from stackgan_tf.system.atomic_files import write_whole

    output = Path(_OUTPUT.value)
    for names, inputs in requests_of(asked, _BATCH.value):
        pictures = patiently(functools.partial(connection.pictures, inputs), _ATTEMPTS.value)
        for name, picture in zip(names, pictures, strict=True):
            write_whole(output / name, picture)
    print(f'{len(asked)} picture(s) are in {output}')


def _measure(connection: 'Connection', asked: Sequence[ImageRequest]) -> None:
    """Sends the first request again and again, with other seeds each time."""
    from stackgan_tf.serving.connections import patiently
    from stackgan_tf.serving.load_test import run_load

    _, inputs = next(requests_of(asked, _BATCH.value))
    rows = len(inputs['seed'])

    def ask(number: int) -> None:
        again = {**inputs, 'seed': inputs['seed'] + number * rows}
        patiently(lambda: connection.pictures(again), _ATTEMPTS.value)

    load = run_load(ask, _LOAD_REQUESTS.value, _LOAD_AT_ONCE.value, _LOAD_SECONDS.value)
    print(load.describe(rows))
    if not load.latencies:
        raise UserError(f'no request to {_SERVER.value} was answered')


if __name__ == '__main__':
    run_command(main)
