r"""Requests images from a server and writes them as PNG files, or measures the speed of the server.

python -m stackgan_tf.serving.client --server=localhost:8500 --model=birds --caption="a small red bird"
python -m stackgan_tf.serving.client --server=localhost:8501 --protocol=rest --model=birds --caption="a red bird" \
    --load_requests=100 --load_at_once=8
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from stackgan_tf.serving.client_requests import MOST_IMAGES, ImageRequest, requested_images, requests_of
from stackgan_tf.system.command_line import run_command
from stackgan_tf.system.console import say
from stackgan_tf.system.errors import UserError

if TYPE_CHECKING:  # importing it takes TensorFlow, and seconds
    from stackgan_tf.serving.connections import Connection

_SERVER = flags.DEFINE_string('server', None, 'HOST:PORT of TensorFlow Serving.', required=True)
_PROTOCOL = flags.DEFINE_enum('protocol', 'grpc', ['grpc', 'rest'], 'The protocol of the port: 8500 gRPC, 8501 REST.')
_MODEL = flags.DEFINE_string('model', None, 'The name of the served model.', required=True)
_CAPTION = flags.DEFINE_multi_string('caption', [], 'A caption; may be repeated.')
_LABEL = flags.DEFINE_multi_integer('label', [], 'The number of a class; may be repeated.', lower_bound=0)
_COUNT = flags.DEFINE_integer('count', 1, 'Number of images (per caption or class).', 1, MOST_IMAGES)
_SEED = flags.DEFINE_integer('seed', 0, 'The seed of the first image; the next ones follow.', lower_bound=0)
_OUTPUT = flags.DEFINE_string('output', 'images', 'The folder for the images.')
_BATCH = flags.DEFINE_integer('batch', 8, 'Images per request.', lower_bound=1, upper_bound=256)
_TIMEOUT = flags.DEFINE_float('timeout', 60.0, 'Seconds to wait for a response.', lower_bound=0.001)
_ATTEMPTS = flags.DEFINE_integer(
    'attempts', 5, 'Attempts while the server is busy or unavailable.', lower_bound=1, upper_bound=20
)
_LOAD_REQUESTS = flags.DEFINE_integer('load_requests', 0, 'Load test: number of requests; no images are written.')
_LOAD_AT_ONCE = flags.DEFINE_integer('load_at_once', 1, 'Load test: concurrent requests.')
_LOAD_SECONDS = flags.DEFINE_float('load_seconds', 60.0, 'Load test: no request starts after this many seconds.')


def main() -> None:
    """Requests the images of the flags."""
    from stackgan_tf.serving.connections import GrpcConnection, RestConnection
    from stackgan_tf.text.caption_readings import caption_readings

    requested = requested_images(_CAPTION.value, _LABEL.value, _COUNT.value, _SEED.value)
    if losses := caption_readings(_CAPTION.value, 'ascii').losses():
        say(f'Unless the text encoder of {_MODEL.value} is over bytes, it does not read all: {", ".join(losses)}')
    kind = {'grpc': GrpcConnection, 'rest': RestConnection}[_PROTOCOL.value]
    connection = kind(_SERVER.value, _MODEL.value, _TIMEOUT.value)
    if _LOAD_REQUESTS.value:
        _measure(connection, requested)
    else:
        _write(connection, requested)
    connection.close()


def _write(connection: 'Connection', requested: Sequence[ImageRequest]) -> None:
    """Writes the images."""
    from stackgan_tf.serving.connections import with_retries
    from stackgan_tf.system.atomic_files import check_writable, write_whole

    output = Path(_OUTPUT.value)
    check_writable(output / requested[0][0])
    for names, inputs in requests_of(requested, _BATCH.value):
        images = with_retries(functools.partial(connection.images, inputs), _ATTEMPTS.value)
        for name, image in zip(names, images, strict=True):
            write_whole(output / name, image)
    say(f'{len(requested)} image(s) are in {output}')


def _measure(connection: 'Connection', requested: Sequence[ImageRequest]) -> None:
    """Sends the first request repeatedly, with new seeds each time."""
    from stackgan_tf.serving.connections import with_retries
    from stackgan_tf.serving.load_test import run_load

    _, inputs = next(requests_of(requested, _BATCH.value))
    rows = len(inputs['seed'])

    def send(number: int) -> None:
        reseeded = {**inputs, 'seed': inputs['seed'] + number * rows}
        with_retries(lambda: connection.images(reseeded), _ATTEMPTS.value)

    load = run_load(send, _LOAD_REQUESTS.value, _LOAD_AT_ONCE.value, _LOAD_SECONDS.value)
    say(load.describe(rows))
    if not load.latencies:
        raise UserError(f'no request to {_SERVER.value} was answered')


if __name__ == '__main__':
    groups = {
        'Server': [_SERVER, _PROTOCOL, _MODEL, _TIMEOUT, _ATTEMPTS],
        'Images': [_CAPTION, _LABEL, _COUNT, _SEED, _BATCH, _OUTPUT],
        'Load test': [_LOAD_REQUESTS, _LOAD_AT_ONCE, _LOAD_SECONDS],
    }
    run_command(main, flag_groups=groups)
