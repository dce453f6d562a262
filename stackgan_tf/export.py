r"""Exports the averaged generator of a run as a SavedModel.

python -m stackgan_tf.export --model=runs/quickstart
"""

from pathlib import Path

from absl import flags

from stackgan_tf.command_line import run_command

_MODEL = flags.DEFINE_string('model', None, 'A run directory.', required=True)
_OUTPUT = flags.DEFINE_string('output', None, 'The folder to make; by default export/ in the run directory.')


def main() -> None:
    """Exports what the flags say."""
    from stackgan_tf.loading import load_run
    from stackgan_tf.serving.saved_model import check_target, export_saved_model

    run = Path(_MODEL.value)
    target = Path(_OUTPUT.value) if _OUTPUT.value else run / 'export'
    check_target(target)
    export_saved_model(load_run(run).network, target)
    print(f'The model is in {target}: hub.load, tf.saved_model.load and TensorFlow Serving read it.')


if __name__ == '__main__':
    run_command(main)
