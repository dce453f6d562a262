"""Writes one image of an exported model with TensorFlow and TF Hub alone, as another project would.

python tools/image_from_export.py --export=runs/quickstart/export --caption="a small red bird"
"""

import os

from absl import app, flags

_EXPORT = flags.DEFINE_string('export', None, 'The folder of the exported model.', required=True)
_CAPTION = flags.DEFINE_string('caption', None, 'The caption, for a model that reads captions.')
_SEED = flags.DEFINE_integer('seed', 0, 'The seed of the image.', 0, 2**63 - 1)
_OUTPUT = flags.DEFINE_string('output', 'image.png', 'The PNG file to write.')


def main(_: list[str]) -> None:
    """Loads, generates, writes."""
    # No log level silences TensorFlow's start-up messages.
    os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
    stderr = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    import tensorflow as tf
    import tensorflow_hub as hub

    tf.config.list_logical_devices()
    os.dup2(stderr, 2)
    model = hub.load(_EXPORT.value)
    condition = {} if _CAPTION.value is None else {'caption': tf.constant([_CAPTION.value])}
    result = model.signatures['serving_default'](**condition, seed=tf.constant([_SEED.value], tf.int64))
    tf.io.write_file(_OUTPUT.value, result['image_bytes'][0])


if __name__ == '__main__':
    app.run(main)
