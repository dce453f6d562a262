r"""Exports what a run trained, the averaged generator, a text encoder or a classifier, as a SavedModel.

python -m stackgan_tf.export --model=runs/quickstart
"""

from pathlib import Path

from absl import flags

from stackgan_tf.command_line import run_command

_MODEL = flags.DEFINE_string('model', None, 'A run directory.', required=True)
_PHASE = flags.DEFINE_string('phase', None, 'The phase whose model is exported; by default the last.')
_CHECKPOINT = flags.DEFINE_string(
    'checkpoint', 'newest', 'Of a generator: newest, best (where it is scored) or a step.'
)
_OUTPUT = flags.DEFINE_string('output', None, 'The folder to make; by default export/ in the run directory.')


def main() -> None:
    """Exports what the flags say."""
    from stackgan_tf.evaluation.attribute_reader import AttributeReader, ClassReader
    from stackgan_tf.loading import load_phase
    from stackgan_tf.serving.classifier_module import export_classifier
    from stackgan_tf.serving.saved_model import check_target, export_saved_model
    from stackgan_tf.serving.text_encoder_module import export_text_encoder
    from stackgan_tf.text.text_encoder import TextEncoder

    run = Path(_MODEL.value)
    target = Path(_OUTPUT.value) if _OUTPUT.value else run / 'export'
    check_target(target)
    model = load_phase(run, _PHASE.value, _CHECKPOINT.value)
    if isinstance(model, TextEncoder):
        export_text_encoder(model, target)
        what = f'text encoder ({model.dimension} numbers a caption)'
    elif isinstance(model, AttributeReader | ClassReader):
        export_classifier(model.network, target)
        what = f'classifier (of {model.network.size} pixels)'
    else:
        export_saved_model(model.network, target, model.encoder, model.class_names)
        what = f'{model.kind} model'
    print(f'The {what} is in {target}: hub.load, tf.saved_model.load and TensorFlow Serving read it.')


if __name__ == '__main__':
    run_command(main)
