r"""A local server for development and tests. Use TensorFlow Serving in production.

It answers `Predict` by gRPC and REST like TensorFlow Serving, from a folder of `export --format=serving`: it reads the
same configuration, runs the warm-up requests before it opens its ports, and batches requests. It serves only the newest
version, has no metrics, and computes one batch at a time.

PYTHONPATH=tools python -m development_server.server --model=served
"""

import threading
from pathlib import Path

from absl import flags

from stackgan_tf.system.command_line import run_command

_MODEL = flags.DEFINE_string('model', None, 'A folder made by export --format=serving.', required=True)
_PORT = flags.DEFINE_integer('port', 8500, 'For gRPC.', lower_bound=0, upper_bound=65535)
_REST_PORT = flags.DEFINE_integer('rest_port', 8501, 'For REST.', lower_bound=0, upper_bound=65535)


def main() -> None:
    """Serves until it is interrupted."""
    from development_server.prediction_service import load_models, serving

    models = load_models(Path(_MODEL.value))
    with serving(models, _PORT.value, _REST_PORT.value) as (port, rest_port):
        for model in models.values():
            print(f'{model.name} {model.version}, warmed up by {model.warmed_up} requests', flush=True)
        print(f'For development: gRPC on 127.0.0.1:{port}, REST on 127.0.0.1:{rest_port}. Ctrl-C stops it.', flush=True)
        threading.Event().wait()


if __name__ == '__main__':
    run_command(main)
